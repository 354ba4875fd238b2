"""Load and fill `prompts/*.md`, and the frames in `prompts/frames.toml`."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache
from string import Template
from typing import TYPE_CHECKING, Literal

from rag.errors import RagError
from rag.records import Record
from rag.resources import prompts_folder

if TYPE_CHECKING:
    from babel import Locale

FALLBACK = "en"
"""Language of the frames for an asker whose language has none."""
CountFrame = Literal["corpus_count", "corpus_more", "corpus_undated"]
TitlesFrame = Literal["corpus_list", "corpus_oldest", "corpus_newest"]
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_YEAR_OR_MONTH = re.compile(r"[0-9]{4}(-[0-9]{2})?")


@dataclass(frozen=True, slots=True)
class Source(Record):
    """What is told of an article beside its text; "" for what is not known."""

    title: str
    lang: str = ""
    date: str = ""
    """ISO 8601; anything else is not told."""
    name: str = ""
    """`Document.source`."""


def fill(name: str, **values: str) -> str:
    """The prompt `prompts/<name>.md` with every `$placeholder` filled.

    Values are put in as they are: a `$` in one is never filled again. Raises
    RagError for a placeholder without a value.
    """
    try:
        return _template(name).substitute(values).strip()
    except KeyError as error:
        raise RagError(f"prompts/{name}.md asks for ${error.args[0]}, which has no value") from None


def turns(name: str) -> list[tuple[str, str]]:
    """The (question, reply) pairs of an example conversation `prompts/<name>.md`."""
    text = (prompts_folder() / f"{name}.md").read_text(encoding="utf-8")
    blocks = [block.strip() for block in text.split("### ") if block.strip()]
    told = [block.partition("\n")[2].strip() for block in blocks]
    return list(zip(told[::2], told[1::2], strict=True))


def quote_frame(quote: str, lang: str) -> str:
    """A quote, introduced in the asker's language.

    >>> quote_frame("57 mld", "pl")
    'W artykule napisano: „57 mld”'
    """
    return _fill_frame("quote", lang, quote=quote)


def names_frame(names: Sequence[str], lang: str) -> str:
    """What a quote names, in the asker's language.

    >>> names_frame(["Polska", "18%"], "pl")
    'Wymienia: \u2068Polska\u2069, \u206818%\u2069.'
    """
    listed = _frame(lang)["comma"].join(map(_isolated, names))
    return _fill_frame("names", lang, names=listed)


def abstention(lang: str) -> str:
    """That the articles do not say, in the asker's language.

    >>> abstention("xx") == abstention("en")
    True
    """
    return _frame(lang)["abstain"]


def nearest_frame(sources: Sequence[Source], lang: str) -> str:
    """Which articles are nearest to a question, by title, language and date."""
    titles = _frame(lang)["semicolon"].join(_with_details(each, lang) for each in sources)
    return _fill_frame("nearest", lang, titles=titles)


def missing_frame(names: Sequence[str], lang: str) -> str:
    """What these articles do not name."""
    listed = _frame(lang)["comma"].join(map(_isolated, names))
    return _fill_frame("missing", lang, missing=listed)


def source_frame(source: Source, lang: str) -> str:
    """An article by its title and, where it is known, its date: for a quote to follow.

    >>> source_frame(Source("Bread", date="2021-05-03"), "de")
    '„\u2068Bread\u2069“, 3. Mai 2021'
    """
    told = _titled(source, lang), _date(source.date, lang)
    return _frame(lang)["comma"].join(filter(None, told))


def sources_differ_lead(lang: str) -> str:
    """What stands before quotes that disagree."""
    return _frame(lang)["sources_differ"]


def translation_label(lang: str) -> str:
    """What a translation is called that no person made."""
    return _frame(lang)["translation"]


def small_talk_reply(kind: Literal["greeting", "order"], lang: str) -> str:
    """What is said to a text that asks nothing of the articles."""
    return _frame(lang)[kind]


def count_frame(key: CountFrame, count: int, lang: str) -> str:
    """How many articles there are of some sort.

    >>> count_frame("corpus_count", 5, "de")
    'Anzahl der Artikel: 5.'
    """
    return _fill_frame(key, lang, count=str(count))


def titles_frame(key: TitlesFrame, sources: Sequence[Source], lang: str) -> str:
    """Articles by title, language and date: all of them, the oldest or the newest."""
    titles = _frame(lang)["semicolon"].join(_with_details(each, lang) for each in sources)
    return _fill_frame(key, lang, titles=titles)


def languages_frame(counts: Mapping[str, int], lang: str) -> str:
    """In which languages the articles are, and how many in each; "" is an unknown one.

    >>> languages_frame({"he": 2, "": 1}, "en")
    'Languages of the articles: Hebrew (2), Unknown language (1).'
    """
    frame = _frame(lang)
    told = [
        f"{language_name_in(code, lang)}{Template(frame['details']).substitute(details=count)}"
        for code, count in counts.items()
    ]
    return _fill_frame("corpus_languages", lang, languages=frame["comma"].join(told))


def language_name_in(code: str, lang: str) -> str:
    """A language by its code, as the language of the frames calls it.

    >>> language_name_in("kk", "ru")
    'казахский'
    """
    name: str = frame_locale(lang).languages.get(code or "und", code)
    return name


def framed_languages() -> tuple[str, ...]:
    """The languages that have frames of their own."""
    return tuple(_frames())


def territory_name(code: str, lang: str) -> str:
    """A country by its ISO 3166 code in the language of the frames; "" when unknown.

    >>> territory_name("NO", "pl"), territory_name("NO", "xx")
    ('Norwegia', 'Norway')
    """
    name: str = frame_locale(lang).territories.get(code, "")
    return name


def _with_details(source: Source, lang: str) -> str:
    told = frame_locale(lang).languages.get(source.lang, ""), _date(source.date, lang)
    details = _frame(lang)["comma"].join(filter(None, told))
    return _titled(source, lang) + (
        _fill_frame("details", lang, details=details) if details else ""
    )


def _titled(source: Source, lang: str) -> str:
    return _fill_frame("title", lang, title=_isolated(source.title))


def _isolated(text: str) -> str:
    """Set off, so that its direction does not turn the sentence around it."""
    return f"{_ISOLATE}{text}{_END_ISOLATE}"


def _date(iso: str, lang: str) -> str:
    """A date as the language writes it; year or month alone as they are; "" for anything else."""
    from babel.dates import format_date

    if _YEAR_OR_MONTH.fullmatch(iso):
        return iso
    with suppress(ValueError):
        return format_date(date.fromisoformat(iso[:10]), "long", locale=frame_locale(lang))
    return ""


@cache
def frame_locale(lang: str) -> "Locale":
    """Babel's names for the language that the frames are in."""
    from babel import Locale

    return Locale(lang if lang in _frames() else FALLBACK)


def _fill_frame(key: str, lang: str, **values: str) -> str:
    return Template(_frame(lang)[key]).substitute(values)


def _frame(lang: str) -> dict[str, str]:
    return _frames().get(lang) or _frames()[FALLBACK]


@cache
def _template(name: str) -> Template:
    return Template((prompts_folder() / f"{name}.md").read_text(encoding="utf-8"))


@cache
def _frames() -> dict[str, dict[str, str]]:
    with (prompts_folder() / "frames.toml").open("rb") as file:
        return tomllib.load(file)
