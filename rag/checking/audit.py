"""Audit: does every particular of a sentence follow from the quotes that it cites?

Figures with what they count, months and weekdays, countries and names are compared, across
languages and scripts and without a model. What cannot be read is passed over: a wrong
finding would cost a right answer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from rag.checking.opposites import opposites
from rag.checking.relative_dates import Reckoned, datelines, reckon, tells_year
from rag.languages.countries import hinted, places, territories
from rag.languages.dates import Dates, lang_has_names, read_dates
from rag.languages.figures import counts_of_lists, held_values, holds, read_figures, written
from rag.languages.folding import Folded, fold
from rag.languages.known_names import known_names, strange_known_names
from rag.languages.names import CAPITALS, has_counterpart, names, strange_names
from rag.languages.number_words import has_number_words
from rag.languages.units import Unit, is_money, unit_at
from rag.records import Record

Kind = Literal[
    "figure", "percent", "currency", "unit", "date", "country", "name", "person", "place"
]
_DUALS = ("ar", "he")
"""Languages that write "two years" as one word."""
_HAN = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_HAN}]{{1,4}}|[^\s{_HAN}]+")
"""A word, or a few letters of a script that sets no spaces."""
_LAST_TOKEN = re.compile(rf"(?:[{_HAN}]|[^\s{_HAN}]+)\Z")
_OPEN_MARK = re.compile(r"\[[\d\s,;]*\Z")
_HELD_BACK = 3
"""Whole words after a particular that its meaning may depend on."""
Told = tuple[str, str]
"""A text and its language, "" when unknown."""


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """A particular that the quotes do not hold: `text[start:end]` of the audited text."""

    kind: Kind
    text: str
    start: int
    end: int
    reason: str
    """In words that a model can act on."""


def audit(
    text: str,
    lang: str,
    quotes: Sequence[Told],
    question: Told = ("", ""),
    around: Sequence[Told] = (),
    dates: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """What a text says that does not follow from its quotes; in order.

    `around` is what else was shown of the articles. It and the question support names, and
    `around` the year of a date that a quote writes without one; a figure of the question
    supports nothing, or a wrong premise would be taken over. From `dates`, the ISO dates of
    the articles, is reckoned what a quote says of "last year"; such a date itself is known.

    >>> found = audit("Trade hit 57 million in June.", "en", [("handel: 57 mld, w lipcu", "pl")])
    >>> [(each.kind, each.text) for each in found]
    [('figure', '57 million'), ('date', 'June')]
    """
    quotes, around = tuple(quotes), tuple(around)
    folded = fold(text)
    written_dates = read_dates(text, lang)
    follows = reckon(quotes, tuple(dates))
    shown = [*quotes, *around, *([question] if question[0] else [])]
    found = [
        *_figures(
            text, folded, lang, written_dates, quotes, _held(quotes, around), follows.figures
        ),
        *_dates(text, folded, written_dates, quotes, follows),
        *_countries(text, lang, quotes, shown),
        *_names(text, folded, lang, written_dates, quotes, shown),
        *_opposites(text, lang, quotes, shown),
    ]
    written_figures = read_figures(text, lang, written_dates)
    for span in datelines(written_dates, written_figures, dates):
        start, end = folded.span(*span)
        found = [each for each in found if not (start <= each.start and each.end <= end)]
    return tuple(sorted(found, key=lambda each: (each.start, each.end)))


def audit_begun(
    text: str,
    lang: str,
    quotes: Sequence[Told],
    question: Told = ("", ""),
    around: Sequence[Told] = (),
    dates: Sequence[str] = (),
) -> tuple[str, tuple[Finding, ...]]:
    """What of an unfinished text can be shown already, and what the audit finds in it.

    The last words are held back, since a figure may still grow, a magnitude or a unit
    follow it, or a name go on; so is a particular that they may belong to.

    >>> audit_begun("It rose by 18 percent in the year to forty", "en", [("%18", "tr")])
    ('It rose by 18 percent in', ())
    """
    known = _LAST_TOKEN.sub("", _OPEN_MARK.sub("", text))
    # Figures do not count: what makes a headline of names are the words around them.
    words = (match for match in _TOKEN.finditer(known) if any(map(str.isalpha, match[0])))
    ends = [match.start() for match in words]
    end = ends[-_HELD_BACK] if len(ends) >= _HELD_BACK else 0
    for start, stop in _spans(known, lang):
        if start < end < stop:
            end = start
    found = audit(known, lang, quotes, question, around, dates)
    return known[:end].rstrip(), tuple(each for each in found if each.end <= end)


def _spans(text: str, lang: str) -> list[tuple[int, int]]:
    """Where the particulars of a text stand, last first."""
    folded, dates = fold(text), read_dates(text, lang)
    spans = [folded.span(each.start, each.end) for each in read_figures(text, lang, dates)]
    spans += [folded.span(each.start, each.end) for each in dates.named]
    spans += [folded.span(each.start, each.end) for each in dates.numeric]
    spans += [(place.start, place.end) for place in places(text, lang)]
    return sorted(spans, reverse=True)


@lru_cache(64)
def _held(quotes: tuple[Told, ...], around: tuple[Told, ...]) -> set[Decimal | str]:
    """The figures that the quotes hold, and those of their dates that follow from the rest."""
    held = set[Decimal | str]().union(*(held_values([quote], its) for quote, its in quotes))
    if any(its in _DUALS for _, its in quotes):
        held |= {Decimal(1), Decimal(2)}
    for quote, its in quotes:
        held |= counts_of_lists(quote)
        tells = read_dates(quote, its).held("month") or tells_year(quote, its)
        if tells and not _years(held):
            held |= set[Decimal | str]().union(*(_years(held_values([t], of)) for t, of in around))
    return held


def _years(values: set[Decimal | str]) -> set[Decimal | str]:
    return {each for each in values if isinstance(each, Decimal) and 1000 <= each <= 2200}


def _figures(
    text: str,
    folded: Folded,
    lang: str,
    dates: Dates,
    quotes: tuple[Told, ...],
    held: set[Decimal | str],
    reckoned: frozenset[Decimal | str],
) -> Iterator[Finding]:
    in_words = all(has_number_words(its) for _, its in quotes)
    units = _counted(quotes)
    for figure in read_figures(text, lang, dates):
        start, end = folded.span(figure.start, figure.end)
        shown = written(figure.values, lang) or text[start:end]
        if not holds(held, figure.values) and not figure.values & reckoned:
            if figure.sure and (in_words or not figure.word):
                reason = f"the figure {shown} does not stand in the sentences that it names"
                yield Finding("figure", text[start:end], start, end, reason)
            continue
        unit = unit_at(folded.text, figure.start, figure.end, lang)
        others = [] if figure.word else [o for values, o in units if values & figure.values]
        if unit and others and all(other and not other & unit for other in others):
            reason = f"the figure {shown} counts something else in the sentences that it names"
            yield Finding(_kind(unit, others), text[start:end], start, end, reason)
    for date in dates.numeric:
        if any(part > 12 and not holds(held, frozenset({Decimal(part)})) for part in date.parts):
            start, end = folded.span(date.start, date.end)
            reason = f"the date {text[start:end]} does not stand in the sentences that it names"
            yield Finding("date", text[start:end], start, end, reason)


@lru_cache(64)
def _counted(quotes: tuple[Told, ...]) -> list[tuple[frozenset[Decimal | str], Unit]]:
    """Each figure of the quotes with what it counts."""
    return [
        (
            figure.values,
            frozenset() if figure.word else unit_at(plain, figure.start, figure.end, of),
        )
        for quote, of in quotes
        for plain in (fold(quote).text,)
        for figure in read_figures(quote, of)
    ]


def _kind(unit: Unit, others: Sequence[Unit]) -> Kind:
    if "percent" in unit or any("percent" in other for other in others):
        return "percent"
    return "currency" if is_money(unit) else "unit"


def _dates(
    text: str, folded: Folded, dates: Dates, quotes: Sequence[Told], follows: Reckoned
) -> Iterator[Finding]:
    if not all(lang_has_names(lang) for _, lang in quotes):
        return
    known = [read_dates(quote, lang) for quote, lang in quotes]
    for part in dates.named:
        held = set[int]().union(*(each.held(part.kind) for each in known))
        held |= follows.months if part.kind == "month" else follows.weekdays
        if part.sure and part.number not in held:
            yield _date_finding(text, *folded.span(part.start, part.end))
    months = set[int]().union(*(each.held("month") for each in known)) | follows.months
    for date in dates.numeric:
        if not date.months & months:
            yield _date_finding(text, *folded.span(date.start, date.end))


def _date_finding(text: str, start: int, end: int) -> Finding:
    named = text[start:end]
    return Finding("date", named, start, end, f"the sentences that it names do not say {named}")


def has_particulars(text: str, lang: str) -> bool:
    """Whether a text has anything that `audit` compares: a figure, a date, a country or a name.

    >>> has_particulars("It rose by 7 percent.", "en"), has_particulars("It rose.", "en")
    (True, False)
    """
    dates = read_dates(text, lang)
    return bool(
        any(part.sure for part in dates.named)
        or dates.numeric
        or any(figure.sure for figure in read_figures(text, lang, dates))
        or places(text, lang)
        or names(text, lang)
        or known_names(text, lang)
    )


def _countries(
    text: str, lang: str, quotes: Sequence[Told], told: Sequence[Told]
) -> Iterator[Finding]:
    if any(territories(quote, its) is None for quote, its in quotes):
        return
    said = [
        each for each in places(text, lang) if lang not in CAPITALS or text[each.start].isupper()
    ]
    known = set[str]().union(*(hinted(*each) for each in told if each[1] and said))
    others = [_without_places(*each) for each in told if said]
    for place in said:
        named = text[place.start : place.end]
        if place.code not in known and not has_counterpart(named, others):
            reason = f"it names a country that the sentences do not name: {named}"
            yield Finding("country", named, place.start, place.end, reason)


def _without_places(text: str, lang: str) -> Told:
    """The text without the countries it names: one spelt alike is no counterpart of another."""
    for place in reversed(places(text, lang)):
        text = f"{text[: place.start]} {text[place.end :]}"
    return text, lang


def _names(
    text: str,
    folded: Folded,
    lang: str,
    dates: Dates,
    quotes: Sequence[Told],
    told: Sequence[Told],
) -> Iterator[Finding]:
    taken = [(land.start, land.end) for land in places(text, lang)]
    taken += [folded.span(part.start, part.end) for part in dates.named]
    found = [(name.start, name.end) for name in strange_names(text, lang, told)]
    found += [(name.start, name.end) for name in strange_known_names(text, lang, quotes, told)]
    for start, end in found:
        if not any(begin < end and start < stop for begin, stop in taken):
            taken.append((start, end))
            reason = f"it names {text[start:end]}, whom the sentences do not name"
            yield Finding("name", text[start:end], start, end, reason)


def _opposites(
    text: str, lang: str, quotes: Sequence[Told], told: Sequence[Told]
) -> Iterator[Finding]:
    for each in opposites(text, lang, quotes, told):
        named = text[each.start : each.end]
        reason = f"the sentences that it names say something else in the place of {named}"
        yield Finding(each.kind, named, each.start, each.end, reason)
