"""file -> Documents: every file of a corpus is read, or named with the reason why not.

Files come from anywhere, so each format has its limits, and no error of a
parser leaves this module as itself.
"""

import codecs
import dataclasses
import gzip
import io
import json
import logging
import os
import re
import stat
import tomllib
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import InputError, ReadError
from rag.languages.detect import lang_of_document
from rag.records import Document, SkippedFile

METADATA_FILE = "articles.toml"

MAX_TEXT_BYTES = 50_000_000
"""One article of 50 MB would be ten thousand pages: a dump or a log, not an article."""

MAX_BINARY_BYTES = 200_000_000
"""PDF and DOCX carry pictures; unpacked, a DOCX of this size is a zip bomb."""

MAX_LINES_BYTES = 2_000_000_000
"""JSON Lines is read line by line, so only the time bounds it; unpacked size for .gz."""

_HEAD_BYTES = 2048
"""Where a page must name its encoding (the HTML standard says within 1024)."""

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LANG = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.IGNORECASE)
_OLD_LANG_CODES = {"iw": "he", "in": "id", "ji": "yi"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What `articles.toml` or the file itself says about an article; "" where it says nothing."""

    lang: str = ""
    title: str = ""
    date: str = ""
    publisher: str = ""

    def over(self, other: "Metadata") -> "Metadata":
        """Its own values, with the gaps filled from the other."""
        theirs = dataclasses.asdict(other)
        return Metadata(**{key: getattr(self, key) or theirs[key] for key in theirs})


NO_METADATA = Metadata()


# ---- a corpus ------------------------------------------------------------------


def read_corpus(path: Path) -> Iterator[Document | SkippedFile]:
    """The articles of a folder (with its subfolders, in sorted order) or of one file.

    Hidden files, links that leave the folder, and `articles.toml`, which
    describes its neighbours, are not articles. Every other file yields its
    Documents or a SkippedFile. Raises InputError at once when there is no such path.
    """
    try:
        path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or _one_line(error)
        raise InputError(
            f"{path} cannot be read ({reason}); name a folder of articles or one article"
        ) from error
    return _read_folder(path) if path.is_dir() else _read_single(path)


def read_file(path: Path, source: str, metadata: Metadata = NO_METADATA) -> list[Document]:
    """The Documents of one file under the name `source`: one, or one a line of JSON Lines.

    `metadata` wins over what a page says about itself and yields to what a JSON
    line says. Raises ReadError for the first thing that cannot be read.
    """
    documents = []
    for found in _read(path, source, metadata):
        if isinstance(found, SkippedFile):
            raise ReadError(f"{found.source}: {found.reason}")
        documents.append(found)
    return documents


def _read_folder(folder: Path) -> Iterator[Document | SkippedFile]:
    unread: list[SkippedFile] = []
    files = dict(_walk(folder, unread))
    known, problems = _read_metadata(folder)
    yield from problems
    for name in sorted(known.keys() - files.keys()):
        yield SkippedFile(METADATA_FILE, f"describes {name}, which is not in the folder")
    yield from unread
    for source, file in sorted(files.items()):
        yield from _read_or_skip(file, source, known.get(source, NO_METADATA))


def _read_single(path: Path) -> Iterator[Document | SkippedFile]:
    known, problems = _read_metadata(path.parent)
    yield from problems
    yield from _read_or_skip(path, path.name, known.get(path.name, NO_METADATA))


def _walk(folder: Path, unread: list[SkippedFile]) -> Iterator[tuple[str, Path]]:
    """Source and path of each candidate; folders that cannot be listed go to `unread`."""
    root = os.path.realpath(folder)

    def fail(error: OSError) -> None:
        place = Path(os.fspath(error.filename)).relative_to(folder).as_posix()
        unread.append(SkippedFile(_printable(place), f"cannot be listed: {error.strerror}"))

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            inside = os.path.commonpath([root, os.path.realpath(path)]) == root
            if inside and not name.startswith(".") and path != folder / METADATA_FILE:
                yield path.relative_to(folder).as_posix(), path


def _read_or_skip(path: Path, source: str, metadata: Metadata) -> Iterator[Document | SkippedFile]:
    if source != _printable(source):
        yield SkippedFile(_printable(source), "its name is not printable UTF-8; rename it")
        return
    try:
        yield from _read(path, source, metadata)
    except ReadError as error:
        yield SkippedFile(source, str(error))


def _printable(source: str) -> str:
    """The name with bytes that are no UTF-8, and control characters, spelled out."""
    spelled = source.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spelled)


# ---- what articles.toml says ---------------------------------------------------


def _read_metadata(folder: Path) -> tuple[dict[str, Metadata], list[SkippedFile]]:
    """The metadata of each file that `articles.toml` names, and what is wrong with it."""
    path = folder / METADATA_FILE
    if not path.is_file():
        return {}, []
    problems: list[str] = []
    try:
        tables = tomllib.loads(_bytes(path, MAX_TEXT_BYTES).decode("utf-8-sig"))
    except ReadError as error:
        return {}, [SkippedFile(METADATA_FILE, str(error))]
    except (ValueError, RecursionError) as error:
        return {}, [SkippedFile(METADATA_FILE, f"is not TOML: {_one_line(error)}")]
    tables.pop("examples", None)  # questions that the chat page offers
    known = {name: _metadata(name, table, problems) for name, table in tables.items()}
    return known, [SkippedFile(METADATA_FILE, problem) for problem in problems]


def _metadata(name: str, table: object, problems: list[str]) -> Metadata:
    if not isinstance(table, dict):
        problems.append(f'{name} is not a table; write ["{name}"] and its values below')
        return NO_METADATA
    for key in table.keys() - {field.name for field in dataclasses.fields(Metadata)}:
        problems.append(f"{name}: {key} is not one of lang, title, date, publisher")
    return _checked(table, lambda problem: problems.append(f"{name}: {problem}"))


def _checked(values: dict[str, Any], complain: Callable[[str], None]) -> Metadata:
    """The values that can be used; each of the others is complained about and left out."""
    lang = _text(values, "lang", complain)
    if lang and not _lang(lang):
        complain(f"lang {lang!r} is not an ISO 639-1 code such as tr")
    stated = values.get("date") or ""
    day = _iso_date(str(stated)) if isinstance(stated, str | date) else ""
    if stated and not day:
        complain(f"date {str(stated)[:40]!r} is not a day written YYYY-MM-DD")
    return Metadata(
        lang=_lang(lang),
        title=_text(values, "title", complain),
        date=day,
        publisher=_text(values, "publisher", complain),
    )


def _text(values: dict[str, Any], key: str, complain: Callable[[str], None]) -> str:
    value = values.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        complain(f"{key} is not a text")
        return ""
    if problem := _unprintable(value):
        complain(f"{key} {problem}")
        return ""
    return " ".join(value.split())


def _lang(code: str) -> str:
    """The language of a tag such as "tr" or "tr-TR" in lower case, "" when it is none."""
    match = _LANG.fullmatch(code.strip())
    lang = match[1].lower() if match else ""
    return _OLD_LANG_CODES.get(lang, lang)


def _iso_date(stated: str) -> str:
    """The day as YYYY-MM-DD; "" unless it is stated in full as ISO 8601.

    >>> _iso_date("2024-07-05T10:00:00Z"), _iso_date("2024-02-30"), _iso_date("July 2024")
    ('2024-07-05', '', '')
    """
    stated = stated.strip()
    try:
        if _ISO_DATE.fullmatch(stated):
            return date.fromisoformat(stated).isoformat()
        if _ISO_DATE.match(stated):
            return datetime.fromisoformat(stated).date().isoformat()
    except ValueError:
        pass
    return ""


# ---- one file ------------------------------------------------------------------


def _read(path: Path, source: str, metadata: Metadata) -> Iterator[Document | SkippedFile]:
    name = path.name.lower()
    if name.endswith((".jsonl", ".jsonl.gz")):
        yield from _read_json_lines(path, source, metadata)
        return
    parse = _FORMATS.get(path.suffix.lower())
    if parse is None:
        raise ReadError(f"is not one of {', '.join(_FORMATS)}, .jsonl, .jsonl.gz; convert it")
    yield parse(path, source, metadata)


def _document(source: str, text: str, metadata: Metadata, pages: Iterable[int] = ()) -> Document:
    if not text.strip():
        raise ReadError("holds no text")
    if problem := _unprintable(text):
        raise ReadError(problem)
    return Document(
        source=source,
        text=text,
        lang=metadata.lang or lang_of_document(text),
        title=metadata.title,
        date=metadata.date,
        publisher=metadata.publisher,
        page_starts=tuple(pages),
    )


def _unprintable(text: str) -> str:
    """Why the text cannot be stored, "" when it can."""
    if "\0" in text:
        return "holds NUL characters, so it is not text"
    if _HALF_PAIR.search(text):
        return "holds half a surrogate pair, so it is not Unicode text"
    return ""


def _bytes(path: Path, limit: int) -> bytes:
    with _open(path) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise ReadError(f"is larger than {limit // 1_000_000} MB; split it")
        try:
            return file.read(limit)
        except OSError as error:
            raise ReadError(f"cannot be read: {error.strerror}") from error


def _open(path: Path) -> BinaryIO:
    """The open file; a pipe or a device is refused, as reading one may never end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ReadError("is not a regular file")
        return path.open("rb")
    except OSError as error:
        raise ReadError(f"cannot be opened: {error.strerror}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextmanager
def _border(what: str, *loggers: str) -> Iterator[None]:
    """Turns every error of a parser into a ReadError, and keeps its chatter off the terminal.

    A parser that cannot be imported is a broken installation, not a broken file.
    """
    for logger in loggers:
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ReadError, ImportError):
        raise
    except Exception as error:
        raise ReadError(f"is not {what} that can be read: {_one_line(error)}") from error


# ---- text and Markdown -----------------------------------------------------------


def _read_text(path: Path, source: str, metadata: Metadata) -> Document:
    return _document(source, _decoded(_bytes(path, MAX_TEXT_BYTES)), metadata)


def _decoded(data: bytes) -> str:
    """The text as it stands, newlines included, without a byte order mark.

    The mark is dropped as it is no part of the text, so offsets begin after it.
    """
    encoding = "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ReadError(
            f"is not {encoding.upper()} text: the byte at position {error.start} does not belong;"
            " save it as UTF-8"
        ) from error


# ---- HTML ------------------------------------------------------------------------

_DECLARED_ENCODING = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)

_PAGE_STATES = {
    "title": ("//meta[@property='og:title']/@content", "//head/title/text()"),
    "date": (
        "//meta[@property='article:published_time']/@content",
        "//meta[@itemprop='datePublished']/@content",
        "//meta[@name='date' or @name='DC.date' or @name='dc.date' or @name='pubdate']/@content",
        "//time[@itemprop='datePublished' or @pubdate]/@datetime",
    ),
    "publisher": ("//meta[@property='og:site_name']/@content",),
    "lang": ("/html/@lang",),
}
"""Where a page states its own metadata, the plainest place first."""

_LINKED_DATA = "//script[@type='application/ld+json']/text()"
_PUBLISHED = re.compile(r'"datePublished"\s*:\s*"([^"]{10,40})"')
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def _read_html(path: Path, source: str, metadata: Metadata) -> Document:
    """The main text of the page; a date that the page does not state is not guessed.

    The language that a page names counts only where none can be detected: it is
    mostly that of the site's template.
    """
    html = _XML_DECLARATION.sub("", _decoded_html(_bytes(path, MAX_TEXT_BYTES)))
    with _border("a web page", "trafilatura", "htmldate", "justext"):
        import trafilatura

        tree = trafilatura.load_html(html) if html.strip() else None
        stated = _stated_by(tree) if tree is not None else NO_METADATA
        text = tree is not None and trafilatura.extract(tree, include_comments=False)
    document = _document(source, text or "", metadata.over(dataclasses.replace(stated, lang="")))
    return document if document.lang else dataclasses.replace(document, lang=stated.lang)


def _decoded_html(data: bytes) -> str:
    declared = _DECLARED_ENCODING.search(data[:_HEAD_BYTES])
    try:
        return _decoded(data)
    except ReadError:
        if declared is None:
            raise
    name = declared[1].decode("ascii", "replace")
    try:
        return data.decode(name)
    except (LookupError, ValueError) as error:
        raise ReadError(f"is not text in {name}, the encoding that it names") from error


def _stated_by(tree: Any) -> Metadata:
    stated = {key: _first_stated(tree, places) for key, places in _PAGE_STATES.items()}
    linked = {
        _iso_date(day) for data in tree.xpath(_LINKED_DATA) for day in _PUBLISHED.findall(data)
    }
    return Metadata(
        lang=_lang(stated["lang"]),
        title=stated["title"],
        date=_iso_date(stated["date"]) or (linked.pop() if len(linked) == 1 else ""),
        publisher=stated["publisher"],
    )


def _first_stated(tree: Any, places: Iterable[str]) -> str:
    found = (" ".join(str(value).split()) for place in places for value in tree.xpath(place))
    return next(filter(None, found), "")


# ---- PDF -------------------------------------------------------------------------

_PAGE_GAP = "\n\n"
_RUNS_ON = "\n"
"""Between pages when a sentence runs on over the page's end."""

_STOPPED = re.compile(r"[.!?…:;؟۔。！？][\"'”’»)\]]*\s*$")


def _read_pdf(path: Path, source: str, metadata: Metadata) -> Document:
    """The text of all pages in order; `page_starts` says where each begins."""
    data = _bytes(path, MAX_BINARY_BYTES)
    with _border("a PDF", "pypdf"):
        from pypdf import PdfReader

        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReadError("is encrypted; save it without a password")
        pages = [_storable(page.extract_text()).strip() for page in reader.pages]
    text, starts = "", []
    for page in pages:
        if text and page:
            text += _RUNS_ON if page[0].islower() and not _STOPPED.search(text) else _PAGE_GAP
        starts.append(len(text))
        text += page
    if not text:
        raise ReadError("holds no text; if it is a scan, make its text readable (OCR) first")
    return _document(source, text, metadata, starts)


def _storable(text: str) -> str:
    """Extracted text with signs that are no Unicode text replaced; PDF fonts may map to them."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


# ---- DOCX ------------------------------------------------------------------------


def _read_docx(path: Path, source: str, metadata: Metadata) -> Document:
    """Paragraphs and tables in order; a table row is a line with its cells between bars."""
    data = _bytes(path, MAX_BINARY_BYTES)
    with _border("a Word document"):
        _refuse_zip_bomb(data)
        import docx

        blocks = list(map(_block_text, docx.Document(io.BytesIO(data)).iter_inner_content()))
    return _document(source, "\n\n".join(block for block in blocks if block.strip()), metadata)


def _refuse_zip_bomb(data: bytes) -> None:
    """Refuses what unpacks to too much; `zipfile` itself reads no more than it declares."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(part.file_size for part in packed.infolist()) > MAX_BINARY_BYTES:
            raise ReadError(f"unpacks to more than {MAX_BINARY_BYTES // 1_000_000} MB; split it")


def _block_text(block: Any) -> str:
    if not hasattr(block, "rows"):
        return _storable(block.text)
    return "\n".join(" | ".join(_row_cells(row)) for row in block.rows)


def _row_cells(row: Any) -> list[str]:
    """The texts of the cells; a cell merged over several columns counts once."""
    cells = {id(cell._tc): " ".join(cell.text.split()) for cell in row.cells}
    return [_storable(text) for text in cells.values() if text]


# ---- JSON Lines --------------------------------------------------------------------


def _read_json_lines(
    path: Path, source: str, metadata: Metadata
) -> Iterator[Document | SkippedFile]:
    """A Document a line, a SkippedFile for each line that is none; empty lines are passed over."""
    seen: set[str] = set()
    for number, line in _numbered_lines(path):
        problems: list[str] = []
        try:
            document = _from_line(line, source, metadata, problems)
            if document.source in seen:
                raise ReadError(f"the id of {document.source} stands in an earlier line")
        except ReadError as error:
            yield SkippedFile(source, f"line {number}: {error}")
            continue
        seen.add(document.source)
        for problem in problems:
            yield SkippedFile(source, f"line {number}: {problem}; read without it")
        yield document


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line with something in it."""
    packed = path.name.lower().endswith(".gz")
    total, empty = 0, True
    with _open(path) as raw:
        file: Any = gzip.GzipFile(fileobj=raw) if packed else raw
        for number in count(1):
            try:
                line = file.readline(MAX_TEXT_BYTES + 1)
            except (OSError, EOFError, ValueError, zlib.error) as error:
                raise ReadError(
                    f"cannot be read on from line {number}: {_one_line(error)}"
                ) from error
            total += len(line)
            if len(line) > MAX_TEXT_BYTES or total > MAX_LINES_BYTES:
                raise ReadError(f"is too large at line {number}; split it")
            if not line:
                break
            if number == 1 and (line.startswith(_UTF16_MARKS) or b"\0" in line):
                raise ReadError("is not UTF-8 text; save it as UTF-8")
            if line.strip():
                empty = False
                yield number, line
    if empty:
        raise ReadError("holds no text")


_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _from_line(line: bytes, source: str, metadata: Metadata, problems: list[str]) -> Document:
    try:
        values = json.loads(_decoded(line))
    except (ValueError, RecursionError) as error:
        raise ReadError(f"is not JSON: {_one_line(error)}") from error
    if not isinstance(values, dict) or not isinstance(values.get("text"), str):
        raise ReadError('is not an object with a "text"')
    key = values.get("id")
    if not isinstance(key, str | int) or isinstance(key, bool) or not str(key).strip():
        raise ReadError('has no "id"')
    if str(key) != _printable(str(key)):
        raise ReadError('has an "id" with control characters')
    own = _checked(values, problems.append)
    return _document(f"{source}#{key}", values["text"], own.over(metadata))


_FORMATS: dict[str, Callable[[Path, str, Metadata], Document]] = {
    ".txt": _read_text,
    ".md": _read_text,
    ".html": _read_html,
    ".htm": _read_html,
    ".pdf": _read_pdf,
    ".docx": _read_docx,
}
