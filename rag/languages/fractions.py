"""Parts, multiples and centuries in words or Roman numerals: what figures they may stand for."""

import re
from decimal import Decimal
from functools import cache

from rag.languages.affixes import words_pattern
from rag.languages.folding import fold_case
from rag.languages.tables import read_table

_ROMAN = re.compile(r"(?<!\w)(?=[IVXLC])(XL|L?X{0,3}|XC|C{1,3}X{0,3})(IX|IV|V?I{0,3})(?!\w)")
_LETTERS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_PARTS = frozenset(("third", "two_thirds", "quarter", "three_quarters", "fifth", "tenth"))
_BEFORE = 10
"""Signs before a word for a part in which the number of parts may stand."""
_HALVES = ("half", "one_and_half")


def implied(text: str, lang: str) -> set[Decimal | str]:
    """The figures that words of a text, other than numbers, may stand for.

    >>> sorted(map(str, implied("Half of the XIX century", "en")))
    ['0.5', '100', '19', '50']
    """
    plain = fold_case(text).text
    values = read_table("fractions")["values"]
    found = [values[name] for name, pattern in _patterns(lang).items() if pattern.search(plain)]
    numerals = {str(_roman(match[0])) for match in _ROMAN.finditer(text)}
    return {Decimal(value) for value in (*numerals, *" ".join(found).split())}


def part_spans(text: str, lang: str) -> list[tuple[int, int]]:
    """Where a folded text says parts of a whole, whose numbers count nothing: "three quarters".

    >>> part_spans("two thirds", "en")[0]
    (0, 10)
    """
    plain = fold_case(text)
    spans = [
        plain.span(*match.span())
        for name, pattern in _patterns(lang).items()
        for match in (pattern.finditer(plain.text) if name in _PARTS else ())
    ]
    return [(start - _BEFORE, end) if start >= _BEFORE else (0, end) for start, end in spans]


def has_half(text: str, lang: str) -> bool:
    """Whether a text has a word for a half.

    >>> has_half("dwa i pół miliona", "pl"), has_half("dwa miliony", "pl")
    (True, False)
    """
    plain = fold_case(text).text
    patterns = _patterns(lang)
    return any(patterns[name].search(plain) for name in _HALVES if name in patterns)


def _roman(numeral: str) -> int:
    values = [_LETTERS[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-one if one < other else one for one, other in zip(values, following, strict=True))


@cache
def _patterns(lang: str) -> dict[str, re.Pattern[str]]:
    """What finds each part or multiple in a language, by its name in the table."""
    table = read_table("fractions").get(lang, {}) if lang != "values" else {}
    return {name: words_pattern(words, lang) for name, words in table.items()}
