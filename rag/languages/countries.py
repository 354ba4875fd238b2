"""Countries named in a text, in many languages, by the names that Babel has from CLDR."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.languages.folding import Folded, bare, fold_bare
from rag.records import Record

if TYPE_CHECKING:
    from babel import Locale

_PREFIXES = {"he": "ו?[בלהמ]?", "ar": "[وبلفك]{0,2}", "fa": "و?"}
"""Letters that are written together with the word that follows."""
_ENDINGS = {
    "he": "", "ar": "", "fa": "",
    "en": "n|ns|an|ans|ian|ians|i|is|s",
    "pl": "a|e|y|i|u|ow|om|em|iem|ach|ami|ie|ii|ia|owi|ą|ę",
    "ru": "а|е|и|ы|у|ю|я|ой|еи|ом|ем|ам|ах|ами|ов|ии|ию|ия|иеи|ью",
    "uk": "а|е|и|у|ю|я|ою|ею|ом|ем|ам|ах|ами|ів|ії|ію|ія|єю|і|іі|ою",
}  # fmt: skip
"""What may follow a name's stem, without marks; in other languages any few letters."""
_WITHOUT_SPACES = {"zh", "ja", "th"}
_SHORTEST = 3
"""Letters; shorter names are too often something else, but in Chinese or Japanese."""
_RUN_TOGETHER = {"ar"}
"""Languages whose texts often lose the space between words."""
_LONG = 6
"""Letters of a name that is looked for within words."""
_SHARED = 4
"""Letters that an adjective has in common with its country's name: norweski, Norwegia."""


@dataclass(frozen=True, slots=True)
class Place(Record):
    """A country's name at start to end of a text as it stands."""

    code: str
    start: int
    end: int


def territories(text: str, lang: str) -> set[str] | None:
    """ISO 3166 codes of the countries that a text names; None for an unknown language.

    An ending may differ, so that inflected names are found. Other names of a country
    than CLDR's are not.

    >>> sorted(territories("Rozmowy Chile z Norwegią", "pl") or ())
    ['CL', 'NO']
    """
    if not _names(lang)[0]:
        return None
    return {place.code for place in places(text, lang)}


def places(text: str, lang: str) -> list[Place]:
    """The countries that a text names by CLDR's names for them, with where they stand.

    >>> places("Rozmowy z Norwegią", "pl")
    [Place(code='NO', start=10, end=18)]
    """
    codes, pattern = _names(lang)
    if not pattern:
        return []
    plain = fold_bare(text)
    return [
        Place(codes[found["name"]], *plain.span(*found.span("whole")))
        for found in pattern.finditer(plain.text)
    ]


def hinted(text: str, lang: str) -> set[str]:
    """Codes of the countries that a text may mean: by name, adjective, people or another name.

    >>> "NO" in hinted("norweski minister", "pl"), "US" in hinted("ABD'li şirket", "tr")
    (True, True)
    """
    plain = fold_bare(text)
    codes = {place.code for place in places(text, lang)}
    unquoted = re.sub(r"['\"“”„״]", "", plain.text)
    if lang in _RUN_TOGETHER:
        codes |= {code for name, code in _run_together(lang).items() if name in plain.text}
    other_names = _other_names().get(lang, {})
    codes |= {code for code, names in other_names.items() if any(n in unquoted for n in names)}
    if lang not in _WITHOUT_SPACES:
        beginnings = _beginnings(lang)
        for word in _words(plain, lang):
            codes.update(beginnings.get(word[:_SHARED], ()))
    return codes


def _words(plain: Folded, lang: str) -> list[str]:
    """The words of a text, also without letters that are written together with them."""
    words = re.findall(r"[^\W\d_]+", plain.text)
    if lang in _PREFIXES:
        words += [word[1:] for word in words] + [word[2:] for word in words]
    return [word for word in words if len(word) >= _SHORTEST]


@cache
def _run_together(lang: str) -> dict[str, str]:
    """The codes of longer names as they stand without the spaces in and around them."""
    names = {name.replace(" ", ""): code for name, code in _names(lang)[0].items()}
    return {name: code for name, code in names.items() if len(name) >= _LONG}


@cache
def _other_names() -> dict[str, dict[str, list[str]]]:
    text = (Path(__file__).parent / "countries.toml").read_text(encoding="utf-8")
    return {
        lang: {code: [bare(name) for name in names] for code, names in table.items()}
        for lang, table in tomllib.loads(text).items()
    }


@cache
def _beginnings(lang: str) -> dict[str, set[str]]:
    """The codes of countries whose name, or language, has a word that begins so."""
    from babel.core import get_global

    found: dict[str, set[str]] = {}
    locale = _locale(lang)
    if locale is None:
        return found
    likely = get_global("likely_subtags")
    for code, name in locale.territories.items():
        if len(code) == 2:
            _begin(found, code, name)
    # Of "republic" and "island" no country is known.
    found = {key: codes for key, codes in found.items() if len(codes) <= _SHARED}
    for language, name in locale.languages.items():
        code = str(likely.get(language, "")).rpartition("_")[2]
        if len(code) == 2 and len(language) == 2 and " " not in name:
            _begin(found, code, name)
    return found


def _begin(found: dict[str, set[str]], code: str, name: str) -> None:
    for word in re.findall(r"[^\W\d_]+", bare(name)):
        word = word.removeprefix("ال")
        if len(word) >= _SHORTEST:
            found.setdefault(word[:_SHARED], set()).add(code)


@cache
def _names(lang: str) -> tuple[dict[str, str], re.Pattern[str] | None]:
    """The code of each folded stem, and what finds them, longest first."""
    locale = _locale(lang)
    if locale is None:
        return {}, None
    codes: dict[str, str] = {}
    for code, name in locale.territories.items():
        if len(code) == 2 and code.isalpha() and code not in ("EU", "UN", "ZZ", "EZ", "MF", "JE"):
            stem = _stem(fold_bare(name).text, lang)
            if lang in _WITHOUT_SPACES or len(stem) >= _SHORTEST:
                codes.setdefault(stem, code)
    if not codes:
        return {}, None
    stems = sorted(codes, key=len, reverse=True)
    if lang in _WITHOUT_SPACES:
        return codes, re.compile(f"(?P<whole>(?P<name>{'|'.join(map(re.escape, stems))}))")
    # A short name would be found in the beginning of many a word.
    endings = _ENDINGS.get(lang, r"\w{0,%d}")
    inflected = "|".join(
        rf"{re.escape(stem)}(?='\w{{1,6}}(?!\w)|{_ending(endings, stem)}(?!\w))" for stem in stems
    )
    before = rf"(?<!\w){_PREFIXES.get(lang, '')}"
    return codes, re.compile(rf"{before}(?P<whole>(?P<name>{inflected})(?:'\w+|\w*))")


def _ending(endings: str, stem: str) -> str:
    """The pattern of an ending; a short name would be found in the beginning of many a word."""
    return endings % min(len(stem) - 1, 4) if "%d" in endings else f"(?:{endings})?"


def _locale(lang: str) -> "Locale | None":
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(lang)
    except (UnknownLocaleError, ValueError, TypeError):
        return None


def _stem(name: str, lang: str) -> str:
    """The name without an ending that its language may change."""
    if lang in ("pl", "ru", "uk", "cs") and len(name) > _SHORTEST and " " not in name:
        return re.sub(r"[aeiouyаеёиоуыэюяьій]$", "", name)
    return name
