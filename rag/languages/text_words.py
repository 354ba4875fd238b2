"""The words of a text, by their letters and by what they may name in any language.

Names are compared across scripts by their letters (`rag.languages.transliteration`); one that
is known in each language (CLDR's countries, languages and cities) by what it names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from rag.languages.affixes import without_articles, without_prefixes
from rag.languages.cldr import cldr
from rag.languages.folding import WORD, fold, normalised
from rag.languages.hinted_countries import SHARED, beginnings, country_of, hinted_countries
from rag.languages.transliteration import romanise, same_consonants, same_letters, skeletons
from rag.records import Record

_SHORTEST = 4
"""Consonants that must be the same where letters are not compared."""
_LEAST = 2
"""Consonants that a name must have to be doubted."""
_C_IS_J = ("tr", "az")


@dataclass(frozen=True, slots=True)
class TextWords(Record):
    """What a text has for names to be compared with."""

    normalised: frozenset[str]
    letters: tuple[str, ...]
    skeletons: frozenset[str]
    concepts: frozenset[str]

    def spells(self, name: str) -> bool:
        """Whether a word of the text has the letters of the name, or its consonants exactly."""
        plain = normalised(name)
        if plain in self.normalised:
            return True
        latin = romanise(plain)
        if any(same_letters(latin, word) for word in self.letters):
            return True
        return any(len(one) >= _SHORTEST for one in skeletons(plain) & self.skeletons)

    def has(self, name: str) -> bool:
        """Whether a word of the text can be the name, or it is too short to be compared."""
        if self.spells(name):
            return True
        bones = skeletons(normalised(name))
        if min(map(len, bones)) < _LEAST:
            return True
        return any(same_consonants(one, other) for one in bones for other in self.skeletons)


def text_words(text: str, lang: str) -> TextWords:
    """The words of a text, also without what its language writes together with them."""
    whole = WORD.findall(fold(text).text)
    words = [normalised(word) for word in whole]
    words += [normalised(part) for word in whole for part in word.split("'")]
    for _ in range(2):
        words += [shorter for word in words for shorter in without_prefixes(word, lang)[1:2]]
    words += without_articles(words, lang)
    # The Turkish c sounds as the English j.
    words += [word.replace("c", "j") for word in words if lang in _C_IS_J and "c" in word]
    written = dict.fromkeys((*words, *(one + other for one, other in pairwise(words))))
    lands = frozenset(f"land:{code}" for code in hinted_countries(text, lang))
    return TextWords(
        normalised=frozenset(words),
        letters=tuple(dict.fromkeys(map(romanise, written))),
        skeletons=frozenset().union(*map(skeletons, written)),
        concepts=lands.union(*(concepts(word, lang) for word in {*words})),
    )


@lru_cache(65_536)
def concepts(word: str, lang: str) -> frozenset[str]:
    """What a word may name, of all that CLDR has names for in many languages."""
    if len(word) <= 2:
        return frozenset()
    lands = frozenset(f"land:{code}" for code in hinted_countries(word, lang))
    return lands | _concept_index(lang).get(normalised(word)[:SHARED], set())


@cache
def _concept_index(lang: str) -> dict[str, set[str]]:
    """By the first letters of a word: countries, languages and cities with such a word."""
    found: dict[str, set[str]] = {}
    for concept, name in _concepts(lang):
        for beginning in beginnings(name):
            found.setdefault(beginning, set()).add(concept)
    return found


def _concepts(lang: str) -> Iterator[tuple[str, str]]:
    from babel.core import get_global

    data = cldr(lang)
    for code, name in data.get("territories", {}).items():
        yield f"land:{code}", str(name)
    for code, name in data.get("languages", {}).items():
        yield f"language:{code}", str(name)
        if country := country_of(code):
            yield f"land:{country}", str(name)
    zones = data.get("time_zones", {})
    for zone in get_global("zone_territories"):
        city = zones.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
        yield f"city:{zone}", str(city)
