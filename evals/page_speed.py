"""How fast the chat page is on this machine: until it can be used, and until it answers.

    python -m evals.page_speed [--rounds 10] [--out page_speed.md]

The page is that of `rag chat` in a process of its own, over the project's own articles, which
are quoted; the browser is a headless Chromium that was never there before. Settings of the
environment do not count. What each figure is, the page says beside it.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import click
from playwright.sync_api import Browser

from evals.browsing import Chat, browser, free_port
from evals.metrics import percentile
from rag.engine import Rag
from rag.errors import InputError, RagError, SettingsError
from rag.records import HitsEvent, Record, TextEvent
from rag.resources import seeds_folder
from rag.settings import Settings

LEAST_FOR_P95 = 20
_WATCH = """() => {
  const seen = window.seen = {};
  const shown = (selector) => [...document.querySelectorAll(selector)].some((each) =>
    each.textContent.trim());
  const note = (name, selector) => {
    if (!(name in seen) && shown(selector)) seen[name] = performance.now();
  };
  new MutationObserver(() => {
    note("question", ".turn:last-child .asked");
    note("sources", ".turn:last-child .found, .turn:last-child .proof, .turn:last-child .mark");
    note("word", ".turn:last-child .answer");
    note("whole", ".turn:last-child[aria-busy=false] .answer");
  }).observe(document.getElementById("transcript"), { subtree: true, childList: true,
    characterData: true, attributes: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Enter") seen.pressed = performance.now();
  }, { capture: true });
}"""


@dataclass(frozen=True, slots=True)
class Figure(Record):
    """One row: what was timed, in seconds, and what it is."""

    what: str
    seconds: tuple[float, ...]
    told: str


@click.command()
@click.option("--rounds", default=10, show_default=True, help="Visits, each with one question.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table to this file.")
def main(rounds: int, out: Path | None) -> None:
    """Print the times of the page as a Markdown table."""
    try:
        page = table(measured(rounds), rounds)
    except RagError as error:
        raise click.ClickException(str(error)) from error
    click.echo(page)
    if out:
        out.write_text(f"{page}\n", encoding="utf-8")


def measured(rounds: int) -> list[Figure]:
    """Every row; raises InputError without a round, SettingsError without Chromium."""
    if rounds < 1:
        raise InputError(f"--rounds {rounds} measures nothing; give 1 or more")
    questions = list(islice(cycle(_questions()), rounds))
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        settings = Settings.read(model="none", corpus=seeds_folder(), store=store)
        with Rag(settings) as engine:
            engine.ingest()
            alone = [_alone(engine, question) for question in questions]
        with _page(store) as (url, started), browser() as opened:
            visits = [_visited(opened, url, question) for question in questions]
    return [_started(started), *_rows(visits), *_engine_rows(alone)]


def table(figures: Sequence[Figure], rounds: int) -> str:
    """The rows as Markdown; a p95 stands only where there are enough values.

    >>> print(table([Figure("opened", (1.0, 2.0), "a page")], 2).splitlines()[-1])
    | opened | 2 | 1.50 |  | a page |
    """
    rows = [
        f"| {each.what} | {len(each.seconds)} | {statistics.median(each.seconds):.2f} "
        f"| {_p95(each.seconds)} | {each.told} |"
        for each in figures
    ]
    command = f"Made by `python -m evals.page_speed --rounds {rounds}`."
    return "\n".join(
        [command, "", "| what | n | median s | p95 s | from, to |", "| --- " * 5 + "|", *rows]
    )


def _p95(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.95):.2f}" if len(values) >= LEAST_FOR_P95 else ""


# --- the page


@contextmanager
def _page(store: Path) -> Iterator[tuple[str, float]]:
    """`rag chat` over a filled store: its address, and the seconds until it told it."""
    port = free_port()
    known = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    known |= {
        "RAG_MODEL": "none",
        "RAG_STORE": str(store),
        "RAG_CORPUS": str(seeds_folder()),
        "RAG_PORT": str(port),
    }
    command = [sys.executable, "-c", "from rag.cli import main; main()", "chat"]
    began = time.monotonic()
    with subprocess.Popen(command, env=known, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline().startswith("chat at "):
                raise SettingsError("`rag chat` does not start; run it to see why")
            yield f"http://127.0.0.1:{port}", time.monotonic() - began
        finally:
            process.terminate()


def _visited(opened: Browser, url: str, question: str) -> dict[str, float]:
    """Seconds of one visit by a browser that kept nothing: to the page, and to its answer."""
    context = opened.new_context(locale="en")
    try:
        chat = Chat.at(context.new_page(), url)
        usable = chat.page.evaluate("performance.now()")
        painted = chat.page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
        )
        chat.page.evaluate(_WATCH)
        chat.ask(question)
        chat.page.wait_for_function("window.seen.whole")
        seen = chat.page.evaluate("window.seen")
    finally:
        context.close()
    asked = {name: at - seen["pressed"] for name, at in seen.items() if name != "pressed"}
    times = {"painted": painted, "usable": usable, **asked}
    return {name: ms / 1_000 for name, ms in times.items()}


_TOLD = {
    "painted": ("first paint", "from the address, to the first text on the screen"),
    "usable": ("page can be used", "from the address, to a box that takes a question"),
    "question": ("question shown", "from Enter, to the question in the conversation"),
    "sources": ("sources shown", "from Enter, to the titles or quotes that were found"),
    "word": ("first word", "from Enter, to the first word of the answer"),
    "whole": ("whole answer", "from Enter, to the answer with its marks"),
}


def _rows(visits: Sequence[dict[str, float]]) -> list[Figure]:
    return [
        Figure(what, tuple(visit[name] for visit in visits), told)
        for name, (what, told) in _TOLD.items()
    ]


def _started(seconds: float) -> Figure:
    return Figure("server", (seconds,), "from `rag chat`, to its address; the store is filled")


# --- the engine alone


def _alone(engine: Rag, question: str) -> tuple[float, float]:
    """Seconds until the engine itself has the hits, and the first word; it is loaded."""
    engine.warm_up()
    began, hits = time.monotonic(), 0.0
    for event in engine.stream(question):
        if isinstance(event, HitsEvent):
            hits = time.monotonic() - began
        if isinstance(event, TextEvent):
            break
    return hits, time.monotonic() - began


def _engine_rows(alone: Sequence[tuple[float, float]]) -> list[Figure]:
    hits, words = zip(*alone, strict=True)
    return [
        Figure("engine: hits", hits, "the same questions, without a page"),
        Figure("engine: first word", words, "the same questions, without a page"),
    ]


def _questions() -> list[str]:
    """The examples of the articles."""
    about = tomllib.loads((seeds_folder() / "articles.toml").read_text(encoding="utf-8"))
    return list(about["examples"])


if __name__ == "__main__":
    main()
