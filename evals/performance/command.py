"""The command: measure everything, and write the page."""

import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from evals.cases import load_cases
from evals.choose import spread
from evals.performance.ingest import ingest_table, ingests
from evals.performance.machine import busy_cores, machine
from evals.performance.page import Table, lines, page
from evals.performance.phrased import model_tables
from evals.performance.questions import question_table, question_times
from evals.performance.startup import start_table, starts
from evals.performance.timing import Recorder, opened
from rag.resources import evals_folder, seeds_folder

Command = Callable[..., Any]


def _count(name: str, told: str, default: int | None = None) -> Callable[[Command], Command]:
    """An option that takes a number of at least 1."""
    shown = default is not None
    return click.option(
        name, type=click.IntRange(min=1), default=default, show_default=shown, help=told
    )


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default="docs/performance.md", help="The page."
)
@click.option("--skip-model", is_flag=True, help="No answers of the chat model.")
@click.option("--skip-startup", is_flag=True, help="No fresh processes.")
@_count("--limit", "Questions to the chat model, spread over kinds and languages.", 40)
@_count("--questions", "Questions of the rest; unset: all there are.")
@_count("--passages", "Passages that the cross-encoder reads for a question.", 12)
@_count("--tokens", "About how many tokens of the larger text are embedded.", 100_000)
@_count("--repeats", "How often the articles are ingested.", 5)
@click.pass_context
def main(
    context: click.Context, /, out: Path, skip_model: bool, skip_startup: bool, limit: int,
    questions: int | None, passages: int, tokens: int, repeats: int,
) -> None:  # fmt: skip
    """Measure how fast everything is, and write the page OUT."""
    load = busy_cores()
    embeddings = Recorder()
    tables: list[Table] = []

    def show(table: Table) -> None:
        tables.append(table)
        click.echo(f"\n{lines(table)}", err=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        show(ingest_table(ingests(folder, embeddings, tokens, repeats)))
        store = folder / "store"
        with opened(seeds_folder(), store, embeddings) as rag:
            articles = {name: document.text for name, document in rag.documents().items()}
            cases = load_cases(evals_folder() / "questions.jsonl", articles)
            asked = list(cases) if questions is None else spread(cases, questions)
            show(question_table(question_times(rag, asked, passages)))
        if not skip_startup:
            show(start_table(starts(folder, store)))
        if not skip_model:
            with opened(seeds_folder(), store, embeddings, "embedded") as rag:
                for table in model_tables(rag, spread(cases, limit + 1), articles):
                    show(table)
    _write(out, page(_again(context), machine(load), tables))


def _again(context: click.Context) -> str:
    """The command that measures the same; no path of this machine is in it."""
    words = ["python", "-m", "evals.performance"]
    for option in context.command.params:
        name = option.name or ""
        given = context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        if given and name != "out":
            value = context.params[name]
            words += option.opts if value is True else [*option.opts, str(value)]
    return shlex.join(words)


def _write(out: Path, text: str) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise click.ClickException(f"{out} cannot be written: {fault}") from fault
