"""Words of closed classes in the place of one another: mother for father, north for south."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from rag.languages.folding import fold_bare
from rag.records import Record

_PREFIXES = {"he": "[ובלהמשכ]{0,3}", "ar": "[وبلفك]{0,2}(?:ال|ل)?"}
_WITHOUT_SPACES = ("zh", "ja")
ClassKind = Literal["person", "date", "place"]


@dataclass(frozen=True, slots=True)
class Opposite(Record):
    """A word at start to end of a text as it stands, instead of which its source has another."""

    kind: ClassKind
    start: int
    end: int


def opposites(
    text: str, lang: str, quotes: Sequence[tuple[str, str]], told: Sequence[tuple[str, str]]
) -> Iterator[Opposite]:
    """The words that neither `quotes` nor `told` have, where the quotes have another of the class.

    Both are (text, language) pairs. Nothing is said where the text has the quotes' word as
    well, or where the class is not known in one of the languages.

    >>> [one.kind for one in opposites("Her father left.", "en", [("Jej brat wyszedł", "pl")], [])]
    ['person']
    """
    quoted = frozenset[str]().union(*(_members(*each) for each in quotes))
    shown = quoted.union(*(_members(*each) for each in told))
    for name, group in _table().items():
        words = group.words
        if lang not in words or any(of not in words for _, of in quotes):
            continue
        said = _members(text, lang)
        if not quoted & group.members or said & quoted & group.members:
            continue
        for member, start, end in _sure(text, lang, name):
            if member not in shown and not group.also.get(member, frozenset()) & quoted:
                yield Opposite(group.kind, start, end)


@dataclass(frozen=True, slots=True)
class _Class(Record):
    """Of each language and member of a class the words that are sure, and all of them."""

    kind: ClassKind
    also: Mapping[str, frozenset[str]]
    words: Mapping[str, Mapping[str, tuple[re.Pattern[str] | None, re.Pattern[str]]]]

    @property
    def members(self) -> frozenset[str]:
        return frozenset(member for words in self.words.values() for member in words)


@lru_cache(256)
def _members(text: str, lang: str) -> frozenset[str]:
    """The members of all classes that a text may have."""
    plain = fold_bare(text).text
    return frozenset(
        member
        for group in _table().values()
        for member, (_, words) in group.words.get(lang, {}).items()
        if words.search(plain)
    )


def _sure(text: str, lang: str, name: str) -> Iterator[tuple[str, int, int]]:
    """Members of a class with where a text surely has them, in its own offsets."""
    plain = fold_bare(text)
    for member, (words, _) in _table()[name].words[lang].items():
        for match in words.finditer(plain.text) if words else ():
            yield member, *plain.span(*match.span())


@cache
def _table() -> dict[str, _Class]:
    text = (Path(__file__).parent / "opposites.toml").read_text(encoding="utf-8")
    return {
        name: _Class(
            group["kind"],
            {member: frozenset(others.split()) for member, others in group["also"].items()},
            {
                lang: {member: _patterns(words, lang) for member, words in members.items()}
                for lang, members in group["words"].items()
            },
        )
        for name, group in tomllib.loads(text).items()
    }


def _patterns(words: str, lang: str) -> tuple[re.Pattern[str] | None, re.Pattern[str]]:
    sure, _, doubtful = (part.strip() for part in words.partition("~"))
    whole = "|".join(part for part in (sure, doubtful) if part)
    return _pattern(sure, lang) if sure else None, _pattern(whole, lang)


def _pattern(words: str, lang: str) -> re.Pattern[str]:
    if lang in _WITHOUT_SPACES:
        return re.compile(words)
    return re.compile(rf"\b{_PREFIXES.get(lang, '')}(?:{words})\b")
