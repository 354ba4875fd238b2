"""Countries named in a text, in many languages, by the names that Babel has from CLDR."""

import re
import unicodedata
from functools import cache

_PREFIXES = {"he": "[ובלהמשכ]{0,3}", "ar": "[وبلفك]{0,2}", "fa": "و?"}
"""Letters that are written together with the word that follows."""
_WITHOUT_SPACES = {"zh", "ja", "th"}
_SHORTEST = 3
"""Letters; shorter names are too often something else, but in Chinese or Japanese."""


def territories(text: str, lang: str) -> set[str] | None:
    """ISO 3166 codes of the countries that a text names; None for an unknown language.

    An ending may differ, so that inflected names are found. Other names of a country
    than CLDR's are not.

    >>> sorted(territories("Rozmowy Chin z Kazachstanem", "pl") or ())
    ['CN', 'KZ']
    """
    codes, pattern = _names(lang)
    if not pattern:
        return None
    return {codes[found[1]] for found in pattern.finditer(_fold(text))}


@cache
def _names(lang: str) -> tuple[dict[str, str], re.Pattern[str] | None]:
    """The code of each folded stem, and what finds them, longest first."""
    from babel import Locale, UnknownLocaleError

    try:
        names = Locale.parse(lang).territories
    except (UnknownLocaleError, ValueError, TypeError):
        return {}, None
    codes: dict[str, str] = {}
    for code, name in names.items():
        if len(code) == 2 and code.isalpha() and code not in ("EU", "UN", "ZZ", "EZ"):
            stem = _stem(_fold(name), lang)
            if lang in _WITHOUT_SPACES or len(stem) >= _SHORTEST:
                codes.setdefault(stem, code)
    if not codes:
        return {}, None
    stems = "|".join(re.escape(stem) for stem in sorted(codes, key=len, reverse=True))
    if lang in _WITHOUT_SPACES:
        return codes, re.compile(f"({stems})")
    return codes, re.compile(rf"(?<!\w){_PREFIXES.get(lang, '')}({stems})\w{{0,4}}(?!\w)")


def _stem(name: str, lang: str) -> str:
    """The name without an ending that its language may change."""
    if lang in ("pl", "ru", "uk", "kk", "tr", "cs") and len(name) > _SHORTEST and " " not in name:
        return re.sub(r"[aeiouyаеёиоуыэюяьій]$", "", name)
    return name


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return "".join(char for char in plain if not unicodedata.combining(char))
