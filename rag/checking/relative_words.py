"""What tells a time from now, by words ("yesterday") and by CLDR's patterns ("in 3 years")."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from rag.languages.affixes import words_pattern
from rag.languages.cldr import cldr
from rag.languages.facts import TextFacts
from rag.languages.folding import LETTERS, fold_case, normalised
from rag.languages.tables import read_table

Unit = Literal["day", "week", "month", "year"]
_UNITS: tuple[Unit, ...] = ("day", "week", "month", "year")
COUNTS = frozenset(map(Decimal, range(1, 201)))
"""Days to years that are told from now; more would be no way to tell a date."""


def times_from_now(facts: TextFacts) -> list[tuple[Unit, int]]:
    """The units, and how many of them off, that a text tells by a word or a figure."""
    plain = fold_case(facts.text).text
    found = [(unit, number) for unit, number, words in _patterns(facts.lang) if words.search(plain)]
    found += [(unit, number) for unit, number, words in _phrases(facts.lang) if words in plain]
    return [*found, *_counted(facts)]


def tells_year(text: str, lang: str) -> bool:
    """Whether a text tells a year by words such as "this year"."""
    plain = fold_case(text).text
    return any(unit == "year" and words.search(plain) for unit, _, words in _patterns(lang))


def tells_day_beside(text: str, lang: str) -> bool:
    """Whether a text speaks of the day before or after another."""
    words = _table(lang).get("beside")
    return bool(words and words_pattern(words, lang, end="").search(fold_case(text).text))


def _counted(facts: TextFacts) -> Iterator[tuple[Unit, int]]:
    """Days to years before or after now, as CLDR writes them: "in {0} years"."""
    plain = facts.folded.text
    for unit, sign, before, after in _fields(facts.lang):
        for figure in facts.figures:
            lead, rest = plain[max(0, figure.start - 24) : figure.start], plain[figure.end :][:32]
            if before.search(fold_case(lead).text) and after.match(fold_case(rest).text):
                yield from ((unit, sign * int(value)) for value in figure.values if value in COUNTS)


def _table(lang: str) -> dict[str, Any]:
    table: dict[str, Any] = read_table("relative_dates", "rag.checking").get(lang, {})
    return table


@cache
def _patterns(lang: str) -> tuple[tuple[Unit, int, re.Pattern[str]], ...]:
    table = _table(lang)
    return tuple(
        (unit, int(number), words_pattern(_normalised_pattern(words), lang))
        for unit in _UNITS
        for number, words in table.get(unit, {}).items()
    )


def _normalised_pattern(words: str) -> str:
    """The words of a pattern as `normalised` writes them, its signs as they are."""
    return LETTERS.sub(lambda m: m[0] if m[0] == "w" else normalised(m[0]), words)


@cache
def _fields(lang: str) -> tuple[tuple[Unit, int, re.Pattern[str], re.Pattern[str]], ...]:
    """Unit, sign, and what stands before and after the number."""
    fields = []
    for unit, sign, _, form in _forms(lang):
        before, mark, after = (fold_case(part).text.strip() for part in form.partition("{0}"))
        if mark and (before or after):
            begin = re.compile(re.escape(before) + r"\W*\Z")
            fields.append((unit, sign, begin, re.compile(r"\W*" + re.escape(after))))
    return tuple(fields)


@cache
def _phrases(lang: str) -> tuple[tuple[Unit, int, str], ...]:
    """One and two of a unit where a language writes them without a number."""
    return tuple(
        (unit, sign * ("one", "two").index(number) + sign, fold_case(form).text)
        for unit, sign, number, form in _forms(lang)
        if "{0}" not in form and number in ("one", "two")
    )


def _forms(lang: str) -> Iterator[tuple[Unit, int, str, str]]:
    fields = cldr(lang).get("date_fields", {})
    for unit in _UNITS:
        for way, sign in (("past", -1), ("future", 1)):
            for number, form in (fields.get(unit, {}).get(way) or {}).items():
                yield unit, sign, number, form
