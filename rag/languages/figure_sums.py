"""Figures that belong together: a number and its magnitude, its rest, and a half of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal, getcontext

from rag.languages.fractions import has_half
from rag.languages.numerals import PlacedFigure, magnitude_in

_JOIN = re.compile(r"[\s\u00a0\u202f\-–]*\Z")
_SPACE_OR_AND = re.compile(
    r"[ \u00a0]*(?:(?:and|und|et|y|e|i|ve|و|ו|и|мен)?[ \u00a0]+)?|[ \u00a0]و"
)
_NEAR_HALF = 24
"""Signs after a figure in which a half that belongs to it, and its magnitude, may stand."""
_THOUSAND = 3


def combined(
    text: str, figures: Iterable[PlacedFigure], lang: str, thousands: bool
) -> list[PlacedFigure]:
    """The figures of a folded text in order, each with what follows that belongs to it.

    With `thousands` a thousand alone is one as well.
    """
    found: list[PlacedFigure] = []
    for each in sorted(figures, key=lambda figure: (figure.start, figure.word)):
        before = found[-1] if found else None
        power = _power_alone(each)
        if before and each.start < before.end:
            continue
        if before and power is not None and _may_multiply(text, before, each):
            found[-1] = _times(before, power, each.end)
        elif power is None or power > _THOUSAND:
            found.append(each)
        elif thousands and power == _THOUSAND:
            one = frozenset({Decimal(1000)})
            found.append(PlacedFigure(one, each.start, each.end, word=True, sure=False))
    halves = (_with_half(each, text, lang) for each in _added(text, found))
    return [replace(each, values=frozenset(map(_plain, each.values))) for each in halves]


def _may_multiply(text: str, number: PlacedFigure, magnitude: PlacedFigure) -> bool:
    between = text[number.end : magnitude.start]
    return _power_alone(number) is None and _JOIN.match(between) is not None


def _power_alone(figure: PlacedFigure) -> int | None:
    """The power of ten of a word of magnitude without a number."""
    value = next(iter(figure.values))
    return int(value[3:]) if isinstance(value, str) and value.startswith("10^") else None


def _times(figure: PlacedFigure, power: int, end: int) -> PlacedFigure:
    values = frozenset(v * 10**power for v in figure.values if isinstance(v, Decimal))
    # "One million" is sure where "one" is not, and "tens of thousands" is a guess.
    small = all(isinstance(v, Decimal) and v < _THOUSAND for v in figure.values)
    sure = figure.sure or not figure.word or small
    return replace(figure, values=values or figure.values, end=end, sure=sure)


def _added(text: str, found: Sequence[PlacedFigure]) -> list[PlacedFigure]:
    """The figures with those added together that go on after a magnitude.

    "3亿2000万", and in words or with "and" between, "two thousand three hundred".
    """
    whole: list[PlacedFigure] = []
    for each in found:
        last = whole[-1] if whole else None
        if last and _goes_on(text, last, each):
            sums = frozenset(
                a + b
                for a in last.values
                for b in each.values
                if isinstance(a, Decimal) and isinstance(b, Decimal) and b < _magnitude(a)
            )
            if sums:
                whole[-1] = replace(last, values=sums, end=each.end)
                continue
        whole.append(each)
    return whole


def _goes_on(text: str, last: PlacedFigure, each: PlacedFigure) -> bool:
    """Whether a figure may be the rest of the one before it."""
    between = text[last.end : each.start]
    if not between:
        return text[last.end - 1] in "亿億万萬억만千"
    if not (last.word and each.word and each.sure):
        return False
    return bool(_SPACE_OR_AND.fullmatch(between))


def _magnitude(value: Decimal) -> int:
    """The thousand, or hundred million of Chinese, that a value has a number of."""
    return next((10**p for p in (12, 9, 8, 6, 4, 3) if value and value % 10**p == 0), 0)


def _with_half(figure: PlacedFigure, text: str, lang: str) -> PlacedFigure:
    """A figure beside a word for a half with what they may be together.

    That is two and a half, and two and a half of its magnitude, which may stand after the half.
    """
    numbers = [value for value in figure.values if isinstance(value, Decimal)]
    near = text[figure.start : figure.end + _NEAR_HALF]
    if not numbers or not has_half(near, lang):
        return figure
    power = magnitude_in(near)
    made = {value + Decimal(_magnitude(value) or 1) / 2 for value in numbers}
    made |= {(value + Decimal("0.5")) * 10**power for value in numbers}
    return replace(figure, values=figure.values | made)


def _plain(value: Decimal | str) -> Decimal | str:
    if isinstance(value, str):
        return value
    if value == value.to_integral() and value.adjusted() < getcontext().prec:
        return value.quantize(Decimal(1))
    return value.normalize()
