"""Figures as tables, for the terminal and for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from evals.markdown import markdown_table
from evals.metrics import Figure
from evals.retrieval.articles import ARTICLES
from evals.retrieval.figures import Figures, recall_1
from rag.records import Record

Row = tuple[str, ...]

_WIDTH = 110
"""Columns of the widest table: broken over lines it cannot be read."""


@dataclass(frozen=True, slots=True)
class Report(Record):
    """All that was measured."""

    command: str
    """What gives these figures again; FOLDER stands for the folder of the sets."""
    cores: int
    measured: tuple[Figures, ...]


def print_report(report: Report) -> None:
    """Print every table."""
    console = Console()
    console.width = max(console.width, _WIDTH)
    for title, (headings, *rows) in tables(report.measured).items():
        table = Table(*headings, title=title, title_justify="left", box=SIMPLE_HEAD)
        for row in rows:
            table.add_row(*row)
        console.print(table)


def markdown(report: Report) -> str:
    """Every table under its title, and how they were made."""
    text = (
        "# How well passages are found\n\n"
        f"Made by `{report.command}` on {report.cores} cores. What is stored, asked and counted "
        "stands in [evals/README.md](../evals/README.md).\n"
    )
    for title, (headings, *rows) in tables(report.measured).items():
        text += f"\n## {title}\n\n{markdown_table(headings, rows)}\n"
    return text


def tables(measured: Sequence[Figures]) -> dict[str, list[Row]]:
    """Headings and rows by title, of the tables that have rows."""
    sets = [each for each in measured if each.set != ARTICLES]
    mixed = [each for each in sets if each.cells]
    articles = [each for each in measured if each.set == ARTICLES]
    across = [(each, each.across) for each in sets if each.across]
    found = {
        "All questions": _scores([(each, each.all) for each in sets]),
        "Questions in another language than the passage": _scores(across),
        "Blindness to language": [_LANGUAGES, *map(_languages, mixed)],
        "Articles: all evidence within the first hits": _scores([(e, e.all) for e in articles]),
        "Milliseconds from question to hits": [_TIMES, *map(_times, measured)],
    }
    matrices = {
        f"{each.set}, {each.system}: R@1 (questions) by language asked and stored": _matrix(each)
        for each in mixed
    }
    return {title: rows for title, rows in (found | matrices).items() if len(rows) > 1}


def _scores(measured: Sequence[tuple[Figures, dict[str, Figure]]]) -> list[Row]:
    """Each mean with its standard error, and the number of questions."""
    names = list(measured[0][1]) if measured else []
    rows = []
    for each, scores in measured:
        values = [_with_error(figure) for figure in scores.values()]
        rows.append((each.set, each.system, str(scores[names[0]].n), *values))
    return [("set", "system", "n", *names), *rows]


_LANGUAGES = (
    "set", "system", "own first", "fair", "worst cell", "best cell", "distance", "all agree",
    "pairs agree",
)  # fmt: skip


def _languages(each: Figures) -> Row:
    distance = recall_1(each.cells[each.best]) - recall_1(each.cells[each.worst])
    shares = [_number(value) for value in (each.own_language, each.fair)]
    ends = [f"{name} {_cell(each, name)}" for name in (each.worst, each.best)]
    agreed = [_with_error(figure) for figure in (each.all_agree, each.pairs_agree)]
    return (each.set, each.system, *shares, *ends, _number(distance), *agreed)


_TIMES = ("set", "system", "passages", "median", "p95")


def _times(each: Figures) -> Row:
    times = (f"{each.median_ms:.1f}", f"{each.p95_ms:.1f}")
    return (each.set, each.system, str(each.passages), *times)


def _matrix(each: Figures) -> list[Row]:
    asked, stored = (sorted({name.split(">")[i] for name in each.cells}) for i in (0, 1))
    rows = [(lang, *(_cell(each, f"{lang}>{other}") for other in stored)) for lang in asked]
    return [("", *stored), *rows]


def _cell(each: Figures, name: str) -> str:
    cell = each.cells.get(name)
    return f"{_number(recall_1(cell))} ({cell['R@1'].n})" if cell else "-"


def _with_error(figure: Figure) -> str:
    mean = _number(figure.mean)
    return mean if figure.se is None else f"{mean} ±{_number(figure.se)}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".removeprefix("0")
