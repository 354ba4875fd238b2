"""Names of people and places across scripts: has a name of one text a counterpart in another?

A name is told by its capital letter, so that only texts in scripts with capitals are asked.
Names are compared by their letters (`rag.languages.transliteration`); one that is known in each
language (CLDR's countries, languages and cities) is compared by what it names.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

from rag.languages.common_words import is_common
from rag.languages.countries import hinted
from rag.languages.dates import cldr, read_dates
from rag.languages.folding import bare, fold
from rag.languages.transliteration import (
    can_romanise,
    romanise,
    same_consonants,
    same_letters,
    skeletons,
)
from rag.records import Record

CAPITALS = frozenset(("en", "tr", "pl", "ru", "uk", "kk", "fr", "es", "it", "pt"))
"""Languages that write names, and little else, with a capital letter; German, whose nouns all
have one, is not among them. Each has its words in `titles.toml`."""
_ENGLISH_ENDINGS = (
    "tions?|ments?|it(?:y|ies)|ness|ships?|(?<![jpx])ings?|ists?|isms?|[iot]nal|ical|eral|ural|ental"
    "|ern|ese|ish|[iec]ans?|[ai]ble|ences?|ances|ology|ics|ers|tors|ors|ous|ives?|dom|hood|ful|less"
    "|ites?|ates|est|ies"
)
_SHORTEST = 4
"""Letters; a shorter name has a counterpart too often by chance, or is an abbreviation."""
_SHORTEST_MIXED = 6
"""Letters of a name that has a capital within."""
_BEFORE, _AHEAD = 5, 4
"""Words around a name by which a headline is told, where all words have a capital letter."""
_LEAST = 2
"""Consonants that a name must have to be doubted."""
_C_IS_J = ("tr", "az")
_PREFIXES = {"he": "ובלהמשכ", "ar": "وبلفك"}
_AFTER = re.compile(r"[ \u00a0-](?=[^\W\d_])([^\W\d_]{3,})")
_JOINED = re.compile(r"(?:[^\W\d_]+-)+\Z")
"""The beginning of a name that a hyphen joins."""
_LAST_WORD = re.compile(r"([^\W\d_]+)[ \u00a0-]\Z")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;…\"“”„«»()\[\]—–\n\r•]|\s['‘])\s*\Z")


@dataclass(frozen=True, slots=True)
class Name(Record):
    """A capitalised word at start to end of a text as it stands."""

    text: str
    start: int
    end: int


def has_counterpart(name: str, others: Sequence[tuple[str, str]]) -> bool:
    """Whether a word of the other texts has the letters of the name."""
    return any(_known(other, lang).spells(name) for other, lang in others)


def bare_words(told: tuple[str, str]) -> frozenset[str]:
    """The bare words of a text, also without what its language writes together with them."""
    return _known(*told).bare


def holds_name(name: str, lang: str, told: tuple[str, str], strict: bool = False) -> bool:
    """Whether a text may have the name: by its letters, or as CLDR names it there.

    Of a `strict` one the consonants alone are no counterpart.
    """
    known = _known(*told)
    if _concepts(name, lang) & known.concepts:
        return True
    return all(
        known.spells(word) if strict else known.has(word) for word in _WORD.findall(fold(name).text)
    )


def strange_names(text: str, lang: str, others: Sequence[tuple[str, str]]) -> list[Name]:
    """The names of a text that no other text has; `others` are (text, language) pairs.

    Nothing is said of a language without capital letters, of words at the start of a
    sentence, of short ones, of words that are no name ("Ministry"), nor where another
    text is in a script that cannot be compared.

    >>> strange_names("Here Kowalski met Novak.", "en", [("Kowalski spotkał Dvořáka", "pl")])
    [Name(text='Novak', start=18, end=23)]
    """
    if not all(can_romanise(bare(other)) for other, _ in others):
        return []
    known = [_known(other, other_lang) for other, other_lang in others if other]
    concepts = frozenset[str]().union(*(each.concepts for each in known))

    def is_held(word: str) -> bool:
        return bool(_concepts(word, lang) & concepts) or any(each.has(word) for each in known)

    return [
        name
        for name in names(text, lang)
        if not is_held(name.text)
        # A forename may be put before a known family name, but not another name after it.
        and not (
            (after := _AFTER.match(text[name.end :]))
            and not _follows_name(text[: name.start], lang)
            and is_held(after[1])
        )
    ]


def _follows_name(before: str, lang: str) -> bool:
    """Whether the text before a name ends in a name that it is no part of."""
    last = _LAST_WORD.search(_JOINED.sub("", before))
    return bool(last and last[1][0].isupper() and not is_title(last[1], lang))


def names(text: str, lang: str) -> list[Name]:
    """The words of a text that can hardly be anything but names.

    >>> [name.text for name in names("The Foreign Minister met Ana Tolvar in Paris.", "en")]
    ['Tolvar', 'Paris']
    """
    if lang not in CAPITALS:
        return []
    folded = fold(text)
    dates = {each.start for each in read_dates(text, lang).named}
    words = list(_WORD.finditer(folded.text))
    found = []
    for i, match in enumerate(words):
        word = match[0].partition("'")[0]
        if (
            len(word) >= _SHORTEST
            and word[0].isupper()
            and _has_case_of_name(word)
            and match.start() not in dates
            and not _SENTENCE_START.search(folded.text[: match.start()])
            and not _in_headline(words, i)
            and not is_title(word, lang)
        ):
            start, end = folded.span(match.start(), match.start() + len(word))
            found.append(Name(text[start:end], start, end))
    return found


def _has_case_of_name(word: str) -> bool:
    """Whether a word has small letters after its capital, and is no abbreviation as "ATMs"."""
    mixed = len(word) >= _SHORTEST_MIXED and word[1].islower()
    return word[1:].islower() or (mixed and not word.isupper())


def _in_headline(words: Sequence[re.Match[str]], i: int) -> bool:
    """Whether all of the longer words around, of which there are some, have a capital letter."""
    around = [word[0] for word in (*words[max(0, i - _BEFORE) : i], *words[i + 1 : i + _AHEAD])]
    longer = [word for word in around if len(word) >= _SHORTEST]
    return len(longer) > 3 and all(word[0].isupper() for word in longer)


def is_title(word: str, lang: str) -> bool:
    """Whether a word with a capital letter may be one of a title or an institution's name.

    A translator translates such a word, so that it has no counterpart by its letters.

    >>> [is_title(word, "en") for word in ("Ministry", "Federation", "Tolvar")]
    [True, True, False]
    """
    plain = bare(word)
    return is_common(word, lang) or any(_titles(each).match(plain) for each in {lang, "en"})


@dataclass(frozen=True, slots=True)
class _Known(Record):
    """What a text has for names to be compared with."""

    bare: frozenset[str]
    letters: tuple[str, ...]
    skeletons: frozenset[str]
    concepts: frozenset[str]

    def spells(self, name: str) -> bool:
        """Whether a word of the text has the letters of the name, or its consonants exactly."""
        plain = bare(name)
        if plain in self.bare:
            return True
        latin = romanise(plain)
        if any(same_letters(latin, word) for word in self.letters):
            return True
        return any(len(one) >= _SHORTEST for one in skeletons(plain) & self.skeletons)

    def has(self, name: str) -> bool:
        """Whether a word of the text can be the name, or it is too short to be compared."""
        if self.spells(name):
            return True
        bones = skeletons(bare(name))
        if min(map(len, bones)) < _LEAST:
            return True
        return any(same_consonants(one, other) for one in bones for other in self.skeletons)


@lru_cache(256)
def _known(text: str, lang: str) -> _Known:
    """The words of a text, in Latin letters and by their consonants."""
    words = [bare(m[0]) for m in _WORD.finditer(fold(text).text)]
    words += [bare(part) for m in _WORD.finditer(fold(text).text) for part in m[0].split("'")]
    prefixes = tuple(_PREFIXES.get(lang, ""))
    for _ in range(2):
        words += [w[1:] for w in words if w[:1] in prefixes and len(w) > 3]
    words += [w[2:] for w in words if lang == "ar" and w.startswith("ال") and len(w) > 4]
    # The Turkish c sounds as the English j.
    words += [w.replace("c", "j") for w in words if lang in _C_IS_J and "c" in w]
    pairs = [a + b for a, b in pairwise(words)]
    latin = tuple(dict.fromkeys(romanise(word) for word in (*words, *pairs)))
    return _Known(
        bare=frozenset(words),
        letters=latin,
        skeletons=frozenset(bones for word in (*words, *pairs) for bones in skeletons(word)),
        concepts=frozenset(c for word in {*words} for c in _concepts(word, lang))
        | {f"land:{code}" for code in hinted(text, lang)},
    )


@lru_cache(65_536)
def _concepts(word: str, lang: str) -> frozenset[str]:
    """What a word may name, of all that CLDR has names for in many languages."""
    if len(word) <= 2:
        return frozenset()
    lands = frozenset(f"land:{code}" for code in hinted(word, lang))
    return _concept_index(lang).get(bare(word)[:4], frozenset()) | lands


@cache
def _concept_index(lang: str) -> dict[str, frozenset[str]]:
    """By the first letters of a word: countries, languages and cities with such a word."""
    from babel.core import get_global

    found: dict[str, set[str]] = {}

    def add(concept: str, name: object) -> None:
        for word in re.findall(r"[^\W\d_]+", bare(str(name))):
            word = word.removeprefix("ال")
            if len(word) > 2:
                found.setdefault(word[:4], set()).add(concept)

    data = cldr(lang)
    likely = get_global("likely_subtags")
    for code, name in data.get("territories", {}).items():
        add(f"land:{code}", name)
    for code, name in data.get("languages", {}).items():
        add(f"language:{code}", name)
        if code in likely:
            add(f"land:{likely[code].rpartition('_')[2]}", name)
    zones = data.get("time_zones", {})
    for zone in get_global("zone_territories"):
        city = zones.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
        add(f"city:{zone}", city)
    return {beginning: frozenset(concepts) for beginning, concepts in found.items()}


@cache
def _titles(lang: str) -> re.Pattern[str]:
    text = (Path(__file__).parent / "titles.toml").read_text(encoding="utf-8")
    begins = "|".join(tomllib.loads(text)[lang].split())
    ends = rf"|\w*(?:{_ENGLISH_ENDINGS})\Z" if lang == "en" else ""
    return re.compile(rf"(?:{begins}){ends}")
