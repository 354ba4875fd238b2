"""Words of closed classes in the place of one another: mother for father, north for south."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from rag.checking.grounds import Finding, Grounds
from rag.languages.affixes import words_pattern
from rag.languages.facts import TextFacts
from rag.languages.folding import fold_case
from rag.languages.tables import read_table
from rag.records import Record


def opposite_findings(claim: TextFacts, grounds: Grounds) -> Iterator[Finding]:
    """The words that nothing shown has, where the quotes have another of their class.

    Nothing is said where the text has the quotes' word as well, or where the class is not
    known in one of the languages.
    """
    text, lang = claim.text, claim.lang
    quoted = frozenset[str]().union(*(_members(q.text, q.lang) for q in grounds.quotes))
    shown = quoted.union(*(_members(each.text, each.lang) for each in grounds.shown))
    for group in _classes():
        if any(of not in group.words for of in (lang, *(quote.lang for quote in grounds.quotes))):
            continue
        said = _members(text, lang)
        if not quoted & group.members or said & quoted & group.members:
            continue
        for member, start, end in _sure(text, lang, group):
            if member not in shown and not group.also.get(member, frozenset()) & quoted:
                named = text[start:end]
                reason = f"the sentences that it names say something else in the place of {named}"
                yield Finding(group.kind, named, start, end, reason)


@dataclass(frozen=True, slots=True)
class _Class(Record):
    """Of each language and member of a class the words that are sure, and all of them."""

    kind: Literal["person", "date", "place"]
    also: Mapping[str, frozenset[str]]
    words: Mapping[str, Mapping[str, tuple[re.Pattern[str] | None, re.Pattern[str]]]]

    @property
    def members(self) -> frozenset[str]:
        return frozenset(member for words in self.words.values() for member in words)


@lru_cache(256)
def _members(text: str, lang: str) -> frozenset[str]:
    """The members of all classes that a text may have."""
    plain = fold_case(text).text
    return frozenset(
        member
        for group in _classes()
        for member, (_, words) in group.words.get(lang, {}).items()
        if words.search(plain)
    )


def _sure(text: str, lang: str, group: _Class) -> Iterator[tuple[str, int, int]]:
    """Members of a class with where a text surely has them, in its own offsets."""
    plain = fold_case(text)
    for member, (words, _) in group.words[lang].items():
        for match in words.finditer(plain.text) if words else ():
            yield member, *plain.span(*match.span())


@cache
def _classes() -> tuple[_Class, ...]:
    return tuple(
        _Class(
            group["kind"],
            {member: frozenset(others.split()) for member, others in group["also"].items()},
            {
                lang: {member: _patterns(words, lang) for member, words in members.items()}
                for lang, members in group["words"].items()
            },
        )
        for group in read_table("opposites", "rag.checking").values()
    )


def _patterns(words: str, lang: str) -> tuple[re.Pattern[str] | None, re.Pattern[str]]:
    sure, _, doubtful = (part.strip() for part in words.partition("~"))
    whole = "|".join(part for part in (sure, doubtful) if part)
    return words_pattern(sure, lang) if sure else None, words_pattern(whole, lang)
