"""Countries named in a text, in many languages, by the names that Babel has from CLDR."""

import re
from dataclasses import dataclass
from functools import cache

from rag.languages.cldr import babel_locale
from rag.languages.folding import fold_case
from rag.languages.scripts import WITHOUT_SPACES
from rag.records import Record

PREFIXES = {"he": "ו?[בלהמ]?", "ar": "[وبلفك]{0,2}", "fa": "و?"}
"""Letters that are written together with the word that follows."""
_ENDINGS = {
    "he": "", "ar": "", "fa": "",
    "en": "n|ns|an|ans|ian|ians|i|is|s",
    "pl": "a|e|y|i|u|ow|om|em|iem|ach|ami|ie|ii|ia|owi|ą|ę",
    "ru": "а|е|и|ы|у|ю|я|ой|еи|ом|ем|ам|ах|ами|ов|ии|ию|ия|иеи|ью",
    "uk": "а|е|и|у|ю|я|ою|ею|ом|ем|ам|ах|ами|ів|ії|ію|ія|єю|і|іі|ою",
}  # fmt: skip
"""What may follow a name's stem, without marks; in other languages any few letters."""
SHORTEST = 3
"""Letters; shorter names are too often something else, but in Chinese or Japanese."""


@dataclass(frozen=True, slots=True)
class CountryMention(Record):
    """A country's name at start to end of a text as it stands."""

    code: str
    start: int
    end: int


def has_country_names(lang: str) -> bool:
    """Whether the countries' names in a language are known."""
    return bool(country_names(lang)[0])


def country_mentions(text: str, lang: str) -> list[CountryMention]:
    """The countries that a text names by CLDR's names for them, in any inflection.

    >>> country_mentions("Rozmowy z Norwegią", "pl")
    [CountryMention(code='NO', start=10, end=18)]
    """
    codes, pattern = country_names(lang)
    if not pattern:
        return []
    plain = fold_case(text)
    return [
        CountryMention(codes[found["name"]], *plain.span(*found.span("whole")))
        for found in pattern.finditer(plain.text)
    ]


@cache
def country_names(lang: str) -> tuple[dict[str, str], re.Pattern[str] | None]:
    """The code of each folded stem, and what finds them, longest first."""
    locale = babel_locale(lang)
    if locale is None:
        return {}, None
    codes: dict[str, str] = {}
    for code, name in locale.territories.items():
        if len(code) == 2 and code.isalpha() and code not in ("EU", "UN", "ZZ", "EZ", "MF", "JE"):
            stem = _stem(fold_case(name).text, lang)
            if lang in WITHOUT_SPACES or len(stem) >= SHORTEST:
                codes.setdefault(stem, code)
    if not codes:
        return {}, None
    stems = sorted(codes, key=len, reverse=True)
    if lang in WITHOUT_SPACES:
        return codes, re.compile(f"(?P<whole>(?P<name>{'|'.join(map(re.escape, stems))}))")
    # A short name would be found in the beginning of many a word.
    endings = _ENDINGS.get(lang, r"\w{0,%d}")
    inflected = "|".join(
        rf"{re.escape(stem)}(?='\w{{1,6}}(?!\w)|{_ending(endings, stem)}(?!\w))" for stem in stems
    )
    before = rf"(?<!\w){PREFIXES.get(lang, '')}"
    return codes, re.compile(rf"{before}(?P<whole>(?P<name>{inflected})(?:'\w+|\w*))")


def _ending(endings: str, stem: str) -> str:
    """The pattern of an ending; a short name would be found in the beginning of many a word."""
    return endings % min(len(stem) - 1, 4) if "%d" in endings else f"(?:{endings})?"


def _stem(name: str, lang: str) -> str:
    """The name without an ending that its language may change."""
    if lang in ("pl", "ru", "uk", "cs") and len(name) > SHORTEST and " " not in name:
        return re.sub(r"[aeiouyаеёиоуыэюяьій]$", "", name)
    return name
