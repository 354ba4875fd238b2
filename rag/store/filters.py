"""What a search is limited to: a person's filter, read once for every engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from rag.errors import InputError
from rag.records import Document

FILTER_FIELDS = ("lang", "date", "source", "publisher", "title")
_COMPARISONS = ("gte", "gt", "lte", "lt")


@dataclass(frozen=True, slots=True)
class OneOf:
    """The column has one of the values, letter by letter."""

    column: str
    values: tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The column is a number from `first` to `last`, both included."""

    column: str
    first: int
    last: int


Filter: TypeAlias = tuple[OneOf | Between, ...]
"""Conditions that a passage must meet, all of them."""

_ANY_DAY = Between("day", 1, 9999_12_31)
"""An article without a date has day 0, so it is neither before nor after one."""


def parse_filter(where: Mapping[str, Any] | None) -> Filter:
    """The conditions of a filter; raises InputError for what is not stored or no date.

    Each field takes a text or a list of texts; `date` takes comparisons too.

    >>> parse_filter({"lang": "he", "date": {"gt": "2024-07-01"}})
    (OneOf(column='lang', values=('he',)), Between(column='day', first=20240702, last=99991231))
    """
    return tuple(_condition(name, value) for name, value in (where or {}).items())


def meets(document: Document, conditions: Filter) -> bool:
    """Whether an article meets all the conditions."""
    return all(
        _column(document, each.column) in each.values
        if isinstance(each, OneOf)
        else each.first <= day_number(document.date) <= each.last
        for each in conditions
    )


def _column(document: Document, name: str) -> str | int:
    return day_number(document.date) if name == "day" else str(getattr(document, name))


def day_number(text: str) -> int:
    """A date as a number that compares like it; 0 without a date.

    >>> day_number("2024-07-05")
    20240705
    """
    return _number(date.fromisoformat(text)) if text else 0


def _condition(name: str, value: Any) -> OneOf | Between:
    if name not in FILTER_FIELDS:
        raise InputError(f"cannot filter by {name!r}; use one of {', '.join(FILTER_FIELDS)}")
    values = [value] if isinstance(value, str) else value
    if isinstance(values, list | tuple) and values and all(isinstance(v, str) for v in values):
        if name == "date":
            return OneOf("day", tuple(map(_day, values)))
        return OneOf(name, tuple(values))
    if name == "date" and isinstance(value, Mapping) and value:
        return _period(value)
    raise InputError(
        f"cannot filter {name} by {value!r}; give a text, a list of texts"
        + (', or {"gte": "2024-01-31"}' if name == "date" else "")
    )


def _period(comparisons: Mapping[str, Any]) -> Between:
    first, last = _ANY_DAY.first, _ANY_DAY.last
    for comparison, value in comparisons.items():
        if comparison not in _COMPARISONS:
            known = ", ".join(_COMPARISONS)
            raise InputError(f"cannot compare dates by {comparison!r}; use {known}")
        day = _day(value)
        # Days are numbers such as 20240131. One more than the last of a month is no day, but
        # lies before the first of the next.
        if comparison in ("gte", "gt"):
            first = max(first, day + (comparison == "gt"))
        else:
            last = min(last, day - (comparison == "lt"))
    return Between("day", first, last)


def _day(value: Any) -> int:
    try:
        return _number(date.fromisoformat(value))
    except (TypeError, ValueError):
        raise InputError(f"{value!r} is not a date; write it as 2024-01-31") from None


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
