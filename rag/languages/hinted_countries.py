"""Countries that a text may mean: by name, adjective, people or another name."""

import re
from functools import cache

from rag.languages.cldr import babel_locale
from rag.languages.countries import PREFIXES, SHORTEST, country_mentions, country_names
from rag.languages.folding import LETTERS, Folded, fold_case, normalised
from rag.languages.scripts import WITHOUT_SPACES
from rag.languages.tables import read_table

_RUN_TOGETHER = {"ar"}
"""Languages whose texts often lose the space between words."""
_LONG = 6
"""Letters of a name that is looked for within words."""
SHARED = 4
"""Letters that an adjective has in common with its country's name: norweski, Norwegia."""
_MOST_COUNTRIES = 4


def hinted_countries(text: str, lang: str) -> set[str]:
    """Their ISO 3166 codes.

    >>> "NO" in hinted_countries("norweski minister", "pl")
    True
    >>> "US" in hinted_countries("ABD'li şirket", "tr")
    True
    """
    plain = fold_case(text)
    codes = {place.code for place in country_mentions(text, lang)}
    unquoted = re.sub(r"['\"“”„״]", "", plain.text)
    if lang in _RUN_TOGETHER:
        codes |= {code for name, code in _run_together(lang).items() if name in plain.text}
    other_names = _other_names().get(lang, {})
    codes |= {code for code, names in other_names.items() if any(n in unquoted for n in names)}
    if lang not in WITHOUT_SPACES:
        beginnings = _beginnings(lang)
        for word in _words(plain, lang):
            codes.update(beginnings.get(word[:SHARED], ()))
    return codes


def _words(plain: Folded, lang: str) -> list[str]:
    """The words of a text, also without letters that are written together with them."""
    words = LETTERS.findall(plain.text)
    if lang in PREFIXES:
        words += [word[1:] for word in words] + [word[2:] for word in words]
    return [word for word in words if len(word) >= SHORTEST]


@cache
def _run_together(lang: str) -> dict[str, str]:
    """The codes of longer names as they stand without the spaces in and around them."""
    names = {name.replace(" ", ""): code for name, code in country_names(lang)[0].items()}
    return {name: code for name, code in names.items() if len(name) >= _LONG}


@cache
def _other_names() -> dict[str, dict[str, list[str]]]:
    return {
        lang: {code: [normalised(name) for name in names] for code, names in table.items()}
        for lang, table in read_table("countries").items()
    }


@cache
def _beginnings(lang: str) -> dict[str, set[str]]:
    """The codes of countries whose name, or language, has a word that begins so."""
    locale = babel_locale(lang)
    if locale is None:
        return {}
    found: dict[str, set[str]] = {}
    for code, name in locale.territories.items():
        for beginning in beginnings(name) if len(code) == 2 else ():
            found.setdefault(beginning, set()).add(code)
    # Of "republic" and "island" no country is known.
    found = {key: codes for key, codes in found.items() if len(codes) <= _MOST_COUNTRIES}
    for language, name in locale.languages.items():
        code = country_of(language)
        if len(code) == 2 and len(language) == 2 and " " not in name:
            for beginning in beginnings(name):
                found.setdefault(beginning, set()).add(code)
    return found


def beginnings(name: str) -> set[str]:
    """The first letters of a name's longer words, which an adjective has as well.

    >>> sorted(beginnings("Republika Norwegii"))
    ['norw', 'repu']
    """
    words = (word.removeprefix("ال") for word in LETTERS.findall(normalised(name)))
    return {word[:SHARED] for word in words if len(word) >= SHORTEST}


def country_of(language: str) -> str:
    """The ISO 3166 code of the country where most people speak a language; "" when unknown."""
    from babel.core import get_global

    return str(get_global("likely_subtags").get(language, "")).rpartition("_")[2]
