"""The results of a run as one summary, and the summary as tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from rich.console import Console
from rich.table import Table

from evals.cases import Case
from evals.measure import Result
from evals.metrics import Figure, Scores, group_consistency, percentile, summarise
from rag.records import Record


@dataclass(frozen=True, slots=True)
class Summary(Record):
    """All figures of a run; errors are counted and judged by no other figure."""

    planned: int
    asked: int
    """Less than `planned` when the run was interrupted."""
    errors: int
    figures: dict[str, Figure]
    facts_right_by_kind: dict[str, Figure]
    facts_right_by_language: dict[str, Figure]
    seconds_median: float
    seconds_p95: float
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    """US dollars; None when the price of an answer is not known."""


def summary(results: Sequence[Result], planned: int) -> Summary:
    """The figures of a run; raises InputError when nothing was asked."""
    seconds = [result.seconds for result in results]
    usages = [result.answer["usage"] for result in results if result.answer]
    costs = [usage["cost"] for usage in usages]
    return Summary(
        planned=planned,
        asked=len(results),
        errors=sum(bool(result.error) for result in results),
        figures=_figures(results),
        facts_right_by_kind=_facts_right_by(results, lambda case: case.kind),
        facts_right_by_language=_facts_right_by(results, lambda case: case.lang),
        seconds_median=percentile(seconds, 0.5),
        seconds_p95=percentile(seconds, 0.95),
        prompt_tokens=sum(usage["prompt_tokens"] for usage in usages),
        completion_tokens=sum(usage["completion_tokens"] for usage in usages),
        cost=None if None in costs else sum(costs),
    )


def print_report(measured: Summary, console: Console) -> None:
    """Print the summary as tables, without the figures that nothing was judged for."""
    judged = {name: figure for name, figure in measured.figures.items() if figure.n}
    console.print(_table("All questions", judged))
    for title, figures in (
        ("Facts right, by kind", measured.facts_right_by_kind),
        ("Facts right, by language", measured.facts_right_by_language),
    ):
        if figures:
            console.print(_table(title, figures))
    console.print(_closing(measured), highlight=False)


def _figures(results: Sequence[Result]) -> dict[str, Figure]:
    groups = [result.case.group for result in results]
    figures = {
        field.name: summarise([getattr(result.scores, field.name) for result in results], groups)
        for field in fields(Scores)
    }
    return figures | {"group_consistency": _consistency(results)}


def _consistency(results: Sequence[Result]) -> Figure:
    """Over the groups that can be judged: answerable, and answered more than once."""
    members = [
        (result.case.group, result.cited)
        for result in results
        if result.case.answerable and result.answer
    ]
    return summarise([*group_consistency(members).values()] or [None])


def _facts_right_by(results: Sequence[Result], key: Callable[[Case], str]) -> dict[str, Figure]:
    judged = [result for result in results if result.scores.facts_right is not None]
    figures = {}
    for name in sorted({key(result.case) for result in judged}):
        part = [result for result in judged if key(result.case) == name]
        values = [result.scores.facts_right for result in part]
        figures[name] = summarise(values, [result.case.group for result in part])
    return figures


def _table(title: str, figures: dict[str, Figure]) -> Table:
    table = Table("", title=title, title_justify="left")
    for heading in ("mean", "se", "n"):
        table.add_column(heading, justify="right")
    for name, figure in figures.items():
        label = name.replace("_", " ")
        table.add_row(label, _number(figure.mean), _number(figure.se), str(figure.n))
    return table


def _closing(measured: Summary) -> str:
    cost = "unknown" if measured.cost is None else f"${measured.cost:.4f}"
    return (
        f"{measured.asked} of {measured.planned} questions asked, {measured.errors} errors\n"
        f"seconds: median {measured.seconds_median:.2f}, p95 {measured.seconds_p95:.2f}\n"
        f"tokens: {measured.prompt_tokens} prompt, {measured.completion_tokens} completion; "
        f"cost: {cost}"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
