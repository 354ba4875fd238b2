"""Months, weekdays and dates of a claim: do its quotes name them?"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rag.checking.grounds import Finding, Grounds
from rag.checking.relative_dates import days_of
from rag.languages.calendar_names import has_calendar_names
from rag.languages.facts import TextFacts

_NEAR = 6
"""Signs between the parts of one date: "de", "года"."""


def date_findings(claim: TextFacts, grounds: Grounds) -> Iterator[Finding]:
    """The months, weekdays and dates in figures that neither stand in the quotes nor follow."""
    if not all(has_calendar_names(quote.lang) for quote in grounds.quotes):
        return
    held = {
        "month": grounds.reckoned.months.union(*(q.dates.held("month") for q in grounds.quotes)),
        "weekday": grounds.reckoned.weekdays.union(
            *(q.dates.held("weekday") for q in grounds.quotes)
        ),
    }
    for part in claim.dates.named:
        if part.sure and part.number not in held[part.kind]:
            yield _finding(claim, part.start, part.end)
    for date in claim.dates.numeric:
        if not date.months & held["month"]:
            yield _finding(claim, date.start, date.end)


def _finding(claim: TextFacts, start: int, end: int) -> Finding:
    start, end = claim.folded.span(start, end)
    named = claim.text[start:end]
    return Finding("date", named, start, end, f"the sentences that it names do not say {named}")


def datelines(claim: TextFacts, dates: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where a text writes one of the dates, ISO ones of its articles, in folded offsets.

    The month counts with the day or the year beside it.

    >>> from rag.languages.facts import facts_of
    >>> claim = facts_of("In the report of 3 July 2021 it is 3 July.", "en")
    >>> list(datelines(claim, ["2021-07-03"]))
    [(17, 28), (35, 41)]
    """
    read = claim.dates
    for day in days_of(dates):
        whole = {day.day, day.month, day.year}
        yield from ((each.start, each.end) for each in read.numeric if set(each.parts) == whole)
        named = [each for each in read.named if (each.kind, each.number) == ("month", day.month)]
        months = [(each.start, each.end) for each in named]
        months += [(each.start, each.end) for each in read.numeric if each.parts == (day.month,)]
        for start, end in months:
            beside = [
                figure
                for figure in claim.figures
                if {Decimal(day.day), Decimal(day.year)} & figure.values
                and max(start - figure.end, figure.start - end) <= _NEAR
            ]
            if beside:
                first = min(start, *(figure.start for figure in beside))
                yield first, max(end, *(figure.end for figure in beside))
