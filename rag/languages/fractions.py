"""Parts, multiples and centuries in words or Roman numerals: what figures they may stand for."""

import re
import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path

from rag.languages.folding import fold_bare

_PREFIXES = {"he": "[ובלהמשכ]{0,2}", "ar": "[وبلفك]{0,2}(?:ال)?"}
_WITHOUT_SPACES = ("zh", "ja")
_ROMAN = re.compile(r"(?<!\w)(?=[IVXLC])(XL|L?X{0,3}|XC|C{1,3}X{0,3})(IX|IV|V?I{0,3})(?!\w)")
_LETTERS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_PARTS = ("third", "two_thirds", "quarter", "three_quarters", "fifth", "tenth")
_BEFORE = 10
"""Signs before a word for a part in which the number of parts may stand."""
_HALVES = frozenset(("half", "one_and_half"))


def implied(text: str, lang: str) -> set[Decimal | str]:
    """The figures that words of a text, other than numbers, may stand for.

    >>> sorted(map(str, implied("Half of the XIX century", "en")))
    ['0.5', '100', '19', '50']
    """
    found: set[Decimal | str] = {Decimal(_roman(match[0])) for match in _ROMAN.finditer(text)}
    plain = fold_bare(text).text
    for values, pattern in _patterns(lang):
        if pattern.search(plain):
            found |= values
    return found


def part_spans(text: str, lang: str) -> list[tuple[int, int]]:
    """Where a folded text says parts of a whole, whose numbers count nothing: "three quarters".

    >>> part_spans("two thirds", "en")[0]
    (0, 10)
    """
    plain = fold_bare(text)
    spans = [
        plain.span(*match.span())
        for pattern in _part_patterns(lang)
        for match in pattern.finditer(plain.text)
    ]
    return [(start - _BEFORE, end) if start >= _BEFORE else (0, end) for start, end in spans]


def has_half(text: str, lang: str) -> bool:
    """Whether a text has a word for a half.

    >>> has_half("dwa i pół miliona", "pl"), has_half("dwa miliony", "pl")
    (True, False)
    """
    plain = fold_bare(text).text
    return any(pattern.search(plain) for pattern in _half_patterns(lang))


def _roman(numeral: str) -> int:
    values = [_LETTERS[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-one if one < other else one for one, other in zip(values, following, strict=True))


@cache
def _table() -> dict[str, dict[str, str]]:
    text = (Path(__file__).parent / "fractions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _patterns(lang: str) -> tuple[tuple[frozenset[Decimal | str], re.Pattern[str]], ...]:
    values = _table()["values"]
    return tuple(
        (frozenset(map(Decimal, values[name].split())), _pattern(words, lang))
        for name, words in (_table().get(lang, {}) if lang != "values" else {}).items()
    )


@cache
def _part_patterns(lang: str) -> tuple[re.Pattern[str], ...]:
    table = _table().get(lang, {})
    return tuple(_pattern(table[name], lang) for name in _PARTS if name in table)


@cache
def _half_patterns(lang: str) -> tuple[re.Pattern[str], ...]:
    table = _table().get(lang, {})
    return tuple(_pattern(table[name], lang) for name in _HALVES if name in table)


def _pattern(words: str, lang: str) -> re.Pattern[str]:
    if lang in _WITHOUT_SPACES:
        return re.compile(words)
    return re.compile(rf"\b{_PREFIXES.get(lang, '')}(?:{words})\b")
