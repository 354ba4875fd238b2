"""What `articles.toml`, a page or a JSON line says about an article."""

import re
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rag.errors import ReadError
from rag.languages.detect import lang_of_document
from rag.reading.files import MAX_TEXT_BYTES, file_bytes, one_line, why_not_storable
from rag.records import Document, SkippedFile

METADATA_FILE = "articles.toml"

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LANG = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.IGNORECASE)
_OLD_LANG_CODES = {"iw": "he", "in": "id", "ji": "yi"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is stated about an article; "" where nothing is."""

    lang: str = ""
    title: str = ""
    date: str = ""
    publisher: str = ""

    def over(self, other: "Metadata") -> "Metadata":
        """Its own values, with the gaps filled from the other."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Metadata(*(mine or theirs for mine, theirs in pairs))

    def document(self, source: str, text: str, pages: Iterable[int] = ()) -> Document:
        """The article of that text, its language detected if not stated; raises ReadError."""
        if not text.strip():
            raise ReadError("holds no text")
        if problem := why_not_storable(text):
            raise ReadError(problem)
        return Document(
            source=source,
            text=text,
            lang=self.lang or lang_of_document(text),
            title=self.title,
            date=self.date,
            publisher=self.publisher,
            page_starts=tuple(pages),
        )


NO_METADATA = Metadata()


def read_metadata(folder: Path) -> tuple[dict[str, Metadata], list[SkippedFile]]:
    """The metadata of each file that `articles.toml` names, and what is wrong with it."""
    path = folder / METADATA_FILE
    if not path.is_file():
        return {}, []
    try:
        tables = tomllib.loads(file_bytes(path, MAX_TEXT_BYTES).decode("utf-8-sig"))
    except ReadError as error:
        return {}, [SkippedFile(METADATA_FILE, str(error))]
    except (ValueError, RecursionError) as error:
        return {}, [SkippedFile(METADATA_FILE, f"is not TOML: {one_line(error)}")]
    tables.pop("examples", None)  # questions that the chat page offers
    known: dict[str, Metadata] = {}
    wrong: list[str] = []
    for name, table in tables.items():
        known[name], problems = _from_table(name, table)
        wrong += problems
    return known, [SkippedFile(METADATA_FILE, problem) for problem in wrong]


def _from_table(name: str, table: object) -> tuple[Metadata, list[str]]:
    if not isinstance(table, dict):
        return NO_METADATA, [f'{name} is not a table; write ["{name}"] and its values below']
    unknown = table.keys() - {field.name for field in fields(Metadata)}
    metadata, problems = checked(table)
    problems += [f"{key} is not one of lang, title, date, publisher" for key in unknown]
    return metadata, [f"{name}: {problem}" for problem in problems]


def checked(values: dict[str, Any]) -> tuple[Metadata, list[str]]:
    """The values that can be used, and one line for each that cannot."""
    problems: list[str] = []
    stated = {key: _text(key, values.get(key), problems) for key in ("lang", "title", "publisher")}
    lang = lang_code(stated["lang"])
    if stated["lang"] and not lang:
        problems.append(f"lang {stated['lang']!r} is not an ISO 639-1 code such as tr")
    when = values.get("date") or ""
    day = iso_day(str(when)) if isinstance(when, str | date) else ""
    if when and not day:
        problems.append(f"date {str(when)[:40]!r} is not a day written YYYY-MM-DD")
    return Metadata(lang, stated["title"], day, stated["publisher"]), problems


def _text(key: str, value: object, problems: list[str]) -> str:
    if value is None:
        return ""
    problem = why_not_storable(value) if isinstance(value, str) else "is not a text"
    if problem:
        problems.append(f"{key} {problem}")
        return ""
    return " ".join(str(value).split())


def lang_code(tag: str) -> str:
    """The language of a tag in lower case, "" when it is none.

    >>> lang_code("tr-TR"), lang_code("iw"), lang_code("Turkish")
    ('tr', 'he', '')
    """
    match = _LANG.fullmatch(tag.strip())
    lang = match[1].lower() if match else ""
    return _OLD_LANG_CODES.get(lang, lang)


def iso_day(stated: str) -> str:
    """The day as YYYY-MM-DD; "" unless it is stated in full as ISO 8601.

    >>> iso_day("2024-07-05T10:00:00Z"), iso_day("2024-02-30"), iso_day("July 2024")
    ('2024-07-05', '', '')
    """
    stated = stated.strip()
    with suppress(ValueError):
        if _ISO_DATE.match(stated):
            return datetime.fromisoformat(stated).date().isoformat()
    return ""
