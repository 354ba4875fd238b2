"""The figures of one run as tables for a terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evals.metrics import Figure
from evals.summary import Figures, Summary

_PARTS = ("facts_right", "right_in_language", "evidence_found")
"""What is shown by kind, language and pair: the first of these that was judged."""


def print_report(measured: Summary, console: Console) -> None:
    """Print the summary as tables, without the figures that nothing was judged for."""
    judged = {name: figure for name, figure in measured.figures.items() if figure.n}
    console.print(_table("All questions", judged))
    shown = next((name for name in _PARTS if name in judged), "wrongly_answered")
    for title, parts in (
        ("by kind", measured.by_kind),
        ("by language", measured.by_language),
        ("by language of question and article", measured.by_pair),
    ):
        figures = {part: found[shown] for part, found in parts.items() if shown in found}
        if figures:
            console.print(_table(f"{_label(shown).capitalize()}, {title}", figures))
    console.print(escape(closing(measured)), highlight=False)


def closing(measured: Summary) -> str:
    """What the run took, in a few lines."""
    cost = "unknown" if measured.cost is None else f"${measured.cost:.4f}"
    seconds, tokens, each = measured.seconds, measured.tokens, measured.per_question
    lines = [
        f"{measured.asked} of {measured.planned} questions asked, {measured.errors} errors"
        + (f", {measured.waiting} wait for a reply" if measured.waiting else ""),
        f"seconds: median {shown(seconds.median, 2)}, p95 {shown(seconds.p95, 2)}, of "
        f"{seconds.n} answers without a kept reply",
        f"tokens: {tokens.prompt} prompt, {tokens.completion} completion; cost: {cost}",
        f"for each question: {shown(each.calls.mean, 2)} calls of the chat model, "
        f"{shown(each.prompt_tokens.mean, 0)} tokens of prompt",
    ]
    if measured.judge:
        judge = measured.judge
        lines.append(
            f"the judge agrees with facts right on {judge.agreement:.3f} of {judge.n} answers, "
            f"kappa {shown(judge.kappa)}"
        )
    return "\n".join(lines)


def shown(value: float | None, places: int = 3) -> str:
    """A number, or "-" where there is none."""
    return "-" if value is None else f"{value:.{places}f}"


def _table(title: str, figures: Mapping[str, Figure] | Figures) -> Table:
    table = Table("", title=title, title_justify="left")
    for heading in ("mean", "se", "n"):
        table.add_column(heading, justify="right")
    for name, figure in figures.items():
        table.add_row(escape(_label(name)), shown(figure.mean), shown(figure.se), str(figure.n))
    return table


def _label(name: str) -> str:
    return name.replace("_", " ")
