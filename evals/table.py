"""`rag eval table RUN...`: the measures of runs side by side, and what is aimed at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evals.markdown import markdown_table
from evals.run_folder import read_summary
from rag.records import Record


@dataclass(frozen=True, slots=True)
class Aim(Record):
    """What a measure is to reach: at least `value`, or at most."""

    value: float
    at_most: bool = False

    def met(self, value: float) -> bool:
        """Whether a measured value is as good."""
        return value <= self.value if self.at_most else value >= self.value


AIMS = {
    "right_in_language": Aim(0.85),
    "facts_right": None,
    "evidence_cited": Aim(0.92),
    "citations_apt": Aim(0.95),
    "pointers_exact": Aim(1.0),
    "wrongly_answered": Aim(0.05, at_most=True),
    "wrongly_abstained": Aim(0.10, at_most=True),
    "unsupported": Aim(0.0, at_most=True),
    "answer_language": Aim(1.0),
    "evidence_found": None,
    "group_consistency": None,
    "answer_contained": None,
    "quote_contained": None,
    "judge": None,
    "seconds median": Aim(6.0, at_most=True),
    "seconds p95": Aim(12.0, at_most=True),
}
"""The first rows of the table, in order."""
_COUNTED = ("claims_refused", "calls per question", "prompt tokens per question")
"""The rows after them, of which nothing is aimed at."""


@dataclass(frozen=True, slots=True)
class Column(Record):
    """One run: its name and what it measured, with the number of answers behind each."""

    name: str
    values: Mapping[str, tuple[float, int]]


def column(about: Mapping[str, Any], summary: Mapping[str, Any]) -> Column:
    """The column of a run, without what it did not judge."""
    values = {
        name: (figure["mean"], figure["n"])
        for name, figure in summary["figures"].items()
        if figure["n"]
    }
    seconds = summary["seconds"]
    if seconds["n"]:
        values |= {f"seconds {name}": (seconds[name], seconds["n"]) for name in ("median", "p95")}
    for name, figure in summary.get("per_question", {}).items():
        if figure["n"]:
            values[f"{name.replace('_', ' ')} per question"] = (figure["mean"], figure["n"])
    return Column(f"{about['system']}\n{about['model']}{_how_far(summary)}", values)


def _how_far(summary: Mapping[str, Any]) -> str:
    """How many of its questions a run has asked, where that is not all."""
    asked, planned = summary.get("asked"), summary.get("planned")
    return "" if asked == planned else f"\n{asked} of {planned} questions"


def comparison(columns: Sequence[Column]) -> Table:
    """A table with a column for each run and one for the aims; what meets its aim says so."""
    head, *rows = _rows(columns)
    table = Table("", title="Runs side by side", title_justify="left")
    for name in head[1:]:
        table.add_column(escape(name), justify="right")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def markdown(columns: Sequence[Column]) -> str:
    """The same table for a page of the documentation."""
    head, *rows = _rows(columns)
    return markdown_table([name.replace("\n", ", ") for name in head], rows)


def read_columns(folders: Sequence[Path]) -> list[Column]:
    """The columns of these run folders; raises InputError for one that is none."""
    columns = [column(*read_summary(folder)) for folder in folders]
    if len({each.name for each in columns}) < len(columns):
        paired = zip(columns, folders, strict=True)
        columns = [replace(each, name=f"{folder.name}\n{each.name}") for each, folder in paired]
    return columns


def print_runs(folders: Sequence[Path], console: Console) -> None:
    """Print the table of these run folders; raises InputError for one that is none."""
    console.print(comparison(read_columns(folders)))
    console.print("in brackets: answers that were judged; * meets the aim", highlight=False)


def _rows(columns: Sequence[Column]) -> list[list[str]]:
    """The table's cells, its head first."""
    rows = [["", *(each.name for each in columns), "aim"]]
    for name, aim in (AIMS | dict.fromkeys(_COUNTED)).items():
        if any(name in each.values for each in columns):
            cells = [_cell(each.values.get(name), aim) for each in columns]
            rows.append([name.replace("_", " "), *cells, _aim(aim)])
    return rows


def _cell(value: tuple[float, int] | None, aim: Aim | None) -> str:
    if value is None:
        return "-"
    mark = " *" if aim and aim.met(value[0]) else ""
    return f"{value[0]:.3f} ({value[1]}){mark}"


def _aim(aim: Aim | None) -> str:
    if aim is None:
        return ""
    return f"{'at most' if aim.at_most else 'at least'} {aim.value:g}"


@click.command("table")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--markdown", "as_markdown", is_flag=True, help="Print it as Markdown.")
def _command(runs: tuple[Path, ...], as_markdown: bool) -> int:
    """Print the measures of run folders side by side, with what is aimed at."""
    if as_markdown:
        click.echo(markdown(read_columns(runs)))
    else:
        print_runs(runs, Console())
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run `rag eval table` with these arguments and return its exit status.

    Raises InputError for a folder that is no run.
    """
    from evals.run import invoke

    return invoke(_command, argv, "rag eval table")
