"""The page of tables, and how its figures are written."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from evals.markdown import markdown_table
from evals.metrics import percentile
from evals.performance.machine import BUSY, Machine

LEAST = 5
"""Values below which a median or mean says little and is not shown; one value stands for itself."""
LEAST_FOR_P95 = 20
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A section of the page; the first row holds the headings."""

    title: str
    about: str
    rows: tuple[Row, ...]


def page(command: str, here: Machine, tables: Sequence[Table]) -> str:
    """All tables, led by the command that made them and the machine that they hold for."""
    head = (
        "# How fast it is\n\n"
        f"Made by `{command}` on {here.day}: {here.cores} cores ({here.processor}), Python "
        f"{here.python}, onnxruntime {here.onnxruntime}, "
        f"{here.load:.2f} cores busy before the start.\n\n"
    )
    if here.load > BUSY:
        head += (
            f"**Warning: the machine was busy ({here.load:.2f} cores, more than {BUSY}); "
            "these figures are worth nothing.**\n\n"
        )
    head += (
        f"A median of fewer than {LEAST} values is not shown, start-up apart, and no p95 (the "
        f"value that 95 in 100 do not exceed) of fewer than {LEAST_FOR_P95}.\n\n"
    )
    return head + "\n".join(map(lines, tables))


def lines(table: Table) -> str:
    text = f"## {table.title}\n\n{table.about}\n"
    if table.rows:
        text += f"\n{markdown_table(table.rows[0], table.rows[1:])}\n"
    return text


def middle(values: Sequence[float]) -> float | None:
    """The median; the value where there is but one, None where there are too few.

    >>> middle([3.0]), middle([1.0, 2.0, 3.0]), middle([5.0, 1.0, 2.0, 3.0, 4.0])
    (3.0, None, 3.0)
    """
    return percentile(values, 0.5) if len(values) == 1 or len(values) >= LEAST else None


def mean(values: Sequence[float]) -> float | None:
    """The mean; None of too few values.

    >>> mean([1.0, 2.0]), mean([1, 2, 3, 4, 5])
    (None, 3)
    """
    return statistics.mean(values) if len(values) >= LEAST else None


def spread(values: Sequence[float]) -> Row:
    """Median and 95th percentile."""
    p95 = percentile(values, 0.95) if len(values) >= LEAST_FOR_P95 else None
    return fine(middle(values)), fine(p95)


def fine(value: float | None) -> str:
    """A figure with three or more digits, so that neither 0.004 s nor 1,200 ms misleads."""
    if value is None:
        return "–"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def whole(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
