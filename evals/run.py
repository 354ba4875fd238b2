"""`rag eval run`: ask the questions whose answers are known, and say how well that went."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import rag
from evals.cases import Case, Kind, load_cases
from evals.choose import searchable, select, spread
from evals.measure import Engine, Progressed, Result, run, run_search
from evals.report import print_report, summary
from rag.errors import InputError
from rag.resources import evals_folder

__all__ = ["Engine", "Result", "invoke", "main", "run", "run_search"]

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asked for."""

    questions: Path
    limit: int | None
    kinds: tuple[str, ...]
    langs: tuple[str, ...]
    ids: tuple[str, ...]
    out: Path | None
    as_json: bool
    search_only: bool


@click.command("run")
@click.option(
    "--questions",
    type=click.Path(dir_okay=False, path_type=Path),
    default=lambda: evals_folder() / "questions.jsonl",
    help="JSON Lines file of questions; unset: those that come with the project.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Ask this many, spread evenly over kinds and languages.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(get_args(Kind)),
    help="Only questions of this kind; may be repeated.",
)
@click.option("--lang", "langs", multiple=True, help="Only this language; may be repeated.")
@click.option("--ids", help="Only these questions, separated by commas.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write one JSON line for each question, as soon as it is answered.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option(
    "--retrieval-only", "search_only", is_flag=True, help="Search alone, without answers; fast."
)
@click.pass_context
def _command(context: click.Context, /, ids: str | None, **options: Any) -> int:
    """Measure the answers to questions whose right answers are known."""
    wanted = tuple(name.strip() for name in (ids or "").split(",") if name.strip())
    choice = Choice(ids=wanted, **options)
    if context.obj is not None:
        return _measure(context.obj, choice)
    with rag.open() as engine:
        return _measure(engine, choice)


def main(argv: list[str] | None = None, engine: Engine | None = None) -> int:
    """Run `rag eval run` with these arguments and return its exit status.

    0: all questions were asked; 1: some ended in an error; 2: wrong arguments; 130:
    interrupted. Raises RagError when nothing can be measured at all.
    """
    return invoke(_command, argv, "rag eval run", engine)


def invoke(command: click.Command, argv: list[str] | None, name: str, obj: object = None) -> int:
    """The exit status that a command returns; 2 for arguments that it does not take."""
    try:
        status = command.main(argv, prog_name=name, standalone_mode=False, obj=obj)
    except click.ClickException as fault:
        fault.show()
        return fault.exit_code
    return int(status or 0)


def _measure(engine: Engine, choice: Choice) -> int:
    articles = {name: document.text for name, document in engine.documents().items()}
    cases = _cases(choice, articles)
    results: list[Result] = []
    with _progress(len(cases)) as advance, _writer(choice.out) as write:

        def progress(result: Result) -> None:
            results.append(result)
            write(result)
            advance(result)

        finished = _finished(engine, cases, articles, choice, progress)
    _print(results, len(cases), choice.as_json)
    if not finished:
        return INTERRUPTED
    return int(any(result.error for result in results))


def _cases(choice: Choice, articles: Mapping[str, str]) -> list[Case]:
    cases = select(load_cases(choice.questions, articles), choice.kinds, choice.langs, choice.ids)
    if choice.search_only:
        cases = searchable(cases)
        if not cases:
            raise InputError("no question is left that a search alone can be judged by")
    return cases if choice.limit is None else spread(cases, choice.limit)


def _finished(
    engine: Engine,
    cases: Sequence[Case],
    articles: Mapping[str, str],
    choice: Choice,
    progress: Progressed,
) -> bool:
    """Whether all questions were asked before Ctrl-C; what was measured went to `progress`."""
    try:
        if choice.search_only:
            run_search(engine, cases, progress)
        else:
            run(engine, cases, articles, progress)
    except KeyboardInterrupt:
        return False
    return True


def _print(results: Sequence[Result], planned: int, as_json: bool) -> None:
    if not results:
        raise InputError("nothing was measured: no question was answered before the end")
    measured = summary(results, planned)
    if as_json:
        click.echo(measured.to_json(indent=2))
    else:
        print_report(measured, Console())


@contextmanager
def _progress(total: int) -> Iterator[Progressed]:
    """A bar on stderr, so that stdout holds the report alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("Asking", total=total)
        yield lambda result: bar.update(task, advance=1, description=result.case.id)


@contextmanager
def _writer(path: Path | None) -> Iterator[Progressed]:
    """Writes each result at once: a run that is cut short keeps what it measured."""
    if path is None:
        yield lambda result: None
        return
    with _opened(path) as file:

        def write(result: Result) -> None:
            file.write(result.line() + "\n")
            file.flush()

        yield write


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as fault:
        raise InputError(f"{path}: results cannot be written there: {fault}") from fault
