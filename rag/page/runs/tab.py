"""The tab of evaluation runs: those on disk, one run's figures, two compared, the report."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from rag.engine import Rag
from rag.errors import InputError
from rag.page.html.table import inside, note
from rag.page.html.words import Words, preferred, words
from rag.page.runs.changes import comparison_html
from rag.page.runs.folders import (
    found_runs,
    kept_runs,
    listed_run,
    measures,
    read_whole,
    run_path,
    why,
)
from rag.page.runs.views import figures_html, list_html
from rag.resources import evals_module

_BY = ("facts_right", "answer_contained", "evidence_found")
"""What is shown by languages: the first that the run judged."""


@dataclass(frozen=True, slots=True)
class RunsTab:
    """What the page's layout ties to its load: `refresh` gives new values for `refreshed`."""

    refresh: Callable[[], tuple[Any, ...]]
    refreshed: list[gr.HTML | gr.Column | gr.Dropdown]


def runs_tab(engine: Rag, say: Words, folder: Path | None = None) -> RunsTab:
    """Build the tab where the context is; `folder` holds the runs, None: where they are kept.

    It is built like the page's other tabs, with an engine, though runs need none.
    """
    html = partial(gr.HTML, apply_default_css=False, js_on_load=None)
    with gr.Column(elem_id="runs"):
        listed = html(elem_id="run-list")
        with gr.Column(visible=False) as further:
            run = gr.Dropdown([], value=None, label=say("runs.choose"), elem_id="run")
            figures = html(elem_id="run-figures")
            with gr.Row():
                a = gr.Dropdown([], value=None, label=say("runs.first"), elem_id="run-a")
                b = gr.Dropdown([], value=None, label=say("runs.second"), elem_id="run-b")
            button = gr.Button(say("runs.compare"), elem_id="compare-runs")
            changes = html(elem_id="run-changes")

    def refresh() -> tuple[Any, ...]:
        runs = found_runs(folder or kept_runs())
        names = gr.update(choices=[each.name for each in runs])
        return list_html(runs, say), gr.update(visible=bool(runs)), names, names, names

    def show(name: object) -> str:
        return shown_run(name, folder or kept_runs(), say) if name else ""

    def compare(first: object, second: object) -> str:
        return shown_comparison(first, second, folder or kept_runs(), say)

    # One at a time, whoever asks: other visitors are to get their answers meanwhile.
    one: dict[str, Any] = {"concurrency_id": "runs", "api_visibility": "private"}
    run.change(show, run, figures, show_progress="minimal", **one)
    button.click(compare, [a, b], changes, show_progress="minimal", **one)
    return RunsTab(refresh, [listed, further, run, a, b])


def report_route(
    app: FastAPI, allowed: Callable[[Request], bool], folder: Path | None = None
) -> None:
    """Serve the report of each run at `/report/NAME` to whom `allowed` lets in.

    To be called before the page is mounted at "/", which would take the address itself.
    """
    one_at_a_time = asyncio.Lock()

    @app.get("/report/{name:path}", include_in_schema=False)
    async def report(request: Request, name: str) -> Response:
        say = words(preferred(request.headers.get("accept-language", "")))
        if not allowed(request):
            return _line(say("runs.refused"), 403)
        async with one_at_a_time:
            return await asyncio.to_thread(_report, name, folder, say)


def _report(name: str, folder: Path | None, say: Words) -> Response:
    path = run_path(name, folder or kept_runs())
    if path is None:
        return _line(say("runs.unknown"), 404)
    try:
        page = evals_module("evals.page").page(read_whole(path))
    except InputError as fault:
        return _line(say("runs.broken", reason=inside(why(fault, path))), 404)
    # The page states its policy itself, first of all its content; a header is obeyed earlier.
    policy = re.search(r'"Content-Security-Policy" content="([^"]+)"', page)
    stated = policy[1] if policy else "default-src 'none'"
    headers = {**_HEADERS, "Content-Security-Policy": f"{stated}; frame-ancestors 'none'"}
    return HTMLResponse(page.encode("utf-8", "replace"), headers=headers)


def _line(text: str, status: int) -> Response:
    content = f"{text}\n".encode("utf-8", "replace")
    return PlainTextResponse(content, status, headers=_HEADERS)


_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def shown_run(name: object, folder: Path, say: Words) -> str:
    """The figures of one run as HTML; one line for a name that no run has."""
    path = run_path(name, folder)
    if path is None:
        return note(say("runs.unknown"))
    try:
        run = read_whole(path)
    except InputError as fault:
        return note(say("runs.broken", reason=inside(why(fault, path))))
    page, listed = evals_module("evals.page"), listed_run(path)
    if not listed.measures:
        told = {key: each.to_dict() for key, each in page.figures(run.results).items()}
        so_far = measures(run.about, {"figures": told, "seconds": {"n": 0}})
        listed = replace(listed, measures=so_far)
    by = next((each for each in _BY if each in listed.measures), _BY[0])
    matrix = page.matrix(run.results, page.article_langs(run), by)
    return figures_html(listed, matrix, by, run.cut, say)


def shown_comparison(a: object, b: object, folder: Path, say: Words) -> str:
    """Two runs compared as HTML; one line where that cannot be."""
    if not a or not b:
        return note(say("runs.choose_two"))
    runs = []
    for path in (run_path(a, folder), run_path(b, folder)):
        if path is None:
            return note(say("runs.unknown"))
        try:
            runs.append(read_whole(path))
        except InputError as fault:
            return note(say("runs.broken", reason=inside(why(fault, path))))
    try:
        found = evals_module("evals.compare").compare(*runs)
    except InputError:
        return note(say("runs.nothing_shared"))
    return comparison_html(str(a), str(b), found, say)
