"""Runs of the evaluation as HTML: their list, and the figures of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from rag.page.html.places import language_name
from rag.page.html.table import (
    NOTHING,
    english,
    inside,
    isolated,
    moment,
    note,
    number,
    row,
    table,
    text,
)
from rag.page.html.words import Words
from rag.page.runs.folders import ListedRun, Measure

if TYPE_CHECKING:
    from evals.metrics import Figure

MAIN = (
    "right_in_language",
    "facts_right",
    "evidence_cited",
    "citations_apt",
    "wrongly_answered",
    "wrongly_abstained",
    "evidence_found",
    "seconds median",
)
"""The measures that the list of runs has a column for."""


def list_html(runs: Sequence[ListedRun], say: Words) -> str:
    """The runs as a table, or one line that says how to make one."""
    if not runs:
        return note(say("runs.none"))
    keys = ("name", "started", "system", "questions", "asked", "state")
    headings = [text(say(f"runs.{key}")) for key in keys]
    headings += [measure_name(name) for name in MAIN]
    rows = [_list_row(run, len(headings) - 1, say) for run in runs]
    return note(say("runs.intro")) + table(say("runs.title"), headings, rows)


def _list_row(run: ListedRun, width: int, say: Words) -> str:
    if run.state == "broken":
        told = text(say("runs.broken", reason=inside(run.reason)))
        return (
            f'<tr><th scope="row">{isolated(run.name)}</th><td colspan="{width}">{told}</td></tr>'
        )
    cells = [
        moment(run.when),
        f"{isolated(run.system)}<br>{isolated(run.model)}",
        isolated(run.questions),
        number(f"{_count(run.asked)} / {_count(run.planned)}"),
        text(say(f"runs.{run.state}")),
        *(_measured(run.measures.get(name)) for name in MAIN),
    ]
    return row(isolated(run.name), cells)


def figures_html(
    run: ListedRun,
    matrix: Mapping[str, Mapping[str, Figure]],
    by: str,
    cut: bool,
    say: Words,
) -> str:
    """All measures of one run, and the measure `by` for each pair of languages.

    `matrix` is that of `evals.page.matrix`: by the question's language, then the article's.
    `cut`: whether a last result was left out because its line is not whole.
    """
    keys = ("measure", "mean", "error", "judged", "aim", "met")
    headings = [text(say(f"runs.{key}")) for key in keys]
    rows = [_figure_row(name, each, say) for name, each in run.measures.items()]
    parts = [
        f"<h2>{text(say('runs.figures'))}: {isolated(run.name)}</h2>",
        f'<p><a class="report" href="{report_path(run.name)}" target="_blank" rel="noopener">'
        f"{text(say('runs.report'))}</a></p>",
        "" if run.state == "whole" else note(say("runs.so_far")),
        note(say("runs.left_out")) if cut else "",
        table(say("runs.figures"), headings, rows),
        _matrix(matrix, by, say),
    ]
    return "".join(parts)


def report_path(name: str) -> str:
    """Where the server shows a run's report.

    >>> report_path("a/b ü")
    '/report/a%2Fb%20%C3%BC'
    """
    return f"/report/{quote(name, safe='')}"


def _figure_row(name: str, each: Measure, say: Words) -> str:
    meaning = say(f"runs.what_{name.replace(' ', '_')}")
    cells = [
        number(f"{each.mean:.3f}"),
        number(NOTHING if each.se is None else f"{each.se:.3f}"),
        number(str(each.n)),
        number(each.aim or NOTHING),
        text(say("runs.yes" if each.met else "runs.no")) if each.aim else NOTHING,
    ]
    return row(f"{measure_name(name)}<br><small>{text(meaning)}</small>", cells)


def _matrix(matrix: Mapping[str, Mapping[str, Figure]], by: str, say: Words) -> str:
    """The worst cell is named; of several the one that most answers stand behind."""
    found = {
        (asked, article): Measure(figure.mean, figure.n)
        for asked, cells in matrix.items()
        for article, figure in cells.items()
        if figure.mean is not None
    }
    if not found:
        return ""
    worst = min(found, key=lambda pair: (found[pair].mean, -found[pair].n, pair))
    articles = sorted({article for _, article in found})
    headings = [say("runs.asked_in"), *(_language(article, say) for article in articles)]
    rows = [
        row(
            isolated(_language(asked, say)),
            [_matrix_cell(found.get((asked, each)), (asked, each) == worst) for each in articles],
        )
        for asked in dict.fromkeys(asked for asked, _ in found)
    ]
    named = {"asked": worst[0], "article": worst[1]}
    names = {key: inside(_language(code, say)) for key, code in named.items()}
    return table(
        say("runs.by_languages", measure=by.replace("_", " ")), map(isolated, headings), rows
    ) + note(say("runs.worst", figure=inside(found[worst].cell), **names))


def _matrix_cell(value: Measure | None, worst: bool) -> str:
    shown = _measured(value)
    return f'<strong class="worst">{shown}</strong>' if worst else shown


def _language(code: str, say: Words) -> str:
    return language_name(code, say.lang) if code else say("runs.no_language")


def measure_name(name: str) -> str:
    """A measure as `rag eval table` names it, as HTML."""
    return english(name.replace("_", " "))


def _measured(each: Measure | None) -> str:
    return number(each.cell) if each else NOTHING


def _count(value: int | None) -> str:
    return NOTHING if value is None else str(value)
