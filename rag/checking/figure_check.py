"""Figures of a claim: are they held by its quotes, and do they count the same?"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rag.checking.grounds import Finding, Grounds, Kind, Values
from rag.languages.facts import TextFacts
from rag.languages.number_words import has_number_words
from rag.languages.numerals import Figure, PlacedFigure
from rag.languages.units import Unit, is_money, unit_at
from rag.languages.written_figures import written


def figure_findings(claim: TextFacts, grounds: Grounds) -> Iterator[Finding]:
    """The figures that no quote holds, and those that count something else in all of them."""
    in_words = all(has_number_words(quote.lang) for quote in grounds.quotes)
    for figure in claim.figures:
        if holds(grounds.figure_values, figure.values) or figure.values & grounds.reckoned.figures:
            yield from _unit_findings(claim, figure, grounds)
        elif figure.sure and (in_words or not figure.word):
            says = "does not stand in the sentences that it names"
            yield _finding("figure", claim, figure, says)
    for date in claim.dates.numeric:
        parts = (frozenset({Decimal(part)}) for part in date.parts if part > 12)
        if not all(holds(grounds.figure_values, part) for part in parts):
            start, end = claim.folded.span(date.start, date.end)
            text = claim.text[start:end]
            reason = f"the date {text} does not stand in the sentences that it names"
            yield Finding("date", text, start, end, reason)


def holds(held: Values, figure: Figure) -> bool:
    """Whether one of the values is held; "millions" are held by any number of millions.

    >>> holds(frozenset({Decimal(3_000_000)}), frozenset({"10^6"}))
    True
    """
    return bool(held & figure) or any(_holds(held, value) for value in figure)


def _holds(held: Values, value: Decimal | str) -> bool:
    if isinstance(value, str):
        low = Decimal(10) ** int(value[3:]) if value.startswith("10^") else None
        return low is not None and any(
            isinstance(each, Decimal) and low <= each < low * 1000 for each in held
        )
    power = value.adjusted() if value else 0
    if f"10^{power}" in held and value == 10**power:
        return True  # "1 million" is "a million"
    return bool(_decades(value) & held)


def _decades(value: Decimal) -> Values:
    """How else a decade is written: the 1980s are the 80s."""
    if not (20 <= value < 100 or 1500 < value < 2100) or value % 10:
        return frozenset()
    if value < 100:
        return frozenset({1900 + value, 1800 + value})
    return frozenset({value % 100} - {Decimal(0)})


def _unit_findings(claim: TextFacts, figure: PlacedFigure, grounds: Grounds) -> Iterator[Finding]:
    if figure.word:
        return
    unit = unit_at(claim.folded.text, figure.start, figure.end, claim.lang)
    others = [other for values, other in grounds.counted if values & figure.values]
    if unit and others and all(other and not other & unit for other in others):
        says = "counts something else in the sentences that it names"
        yield _finding(_kind(unit, others), claim, figure, says)


def _kind(unit: Unit, others: Sequence[Unit]) -> Kind:
    if "percent" in unit or any("percent" in other for other in others):
        return "percent"
    return "currency" if is_money(unit) else "unit"


def _finding(kind: Kind, claim: TextFacts, figure: PlacedFigure, says: str) -> Finding:
    start, end = claim.folded.span(figure.start, figure.end)
    text = claim.text[start:end]
    shown = written(figure.values, claim.lang) or text
    return Finding(kind, text, start, end, f"the figure {shown} {says}")
