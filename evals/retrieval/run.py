"""`rag eval retrieval`: search a folder of question sets, and say what was found."""

import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from evals.files import write_whole
from evals.retrieval.articles import ARTICLES, article_pool
from evals.retrieval.figures import DEPTH, Asked, Figures, Scorer, figures, rank_scores
from evals.retrieval.report import Report, markdown, print_report
from evals.retrieval.sets import SETS, Pool, load_pool
from evals.retrieval.systems import System, all_systems, kept_embeddings
from evals.run import INTERRUPTED, invoke
from rag.errors import InputError

WARM_UP = 5
"""Questions that are searched before the clock runs: models and indexes load at the first."""

Advance = Callable[[str, int], None]
"""Called with what is being done, and how many more questions were asked."""

Task = tuple[Pool, Scorer]

_ALL = ",".join([*SETS, ARTICLES])
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("retrieval")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--sets", default=_ALL, show_default=True, help="Which, separated by commas.")
@click.option("--systems", default="", help="Only these rows, separated by commas.")
@click.option("--seed", default=0, show_default=True, help="Draws what is stored and sampled.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="Ask this many of each set, even over languages."
)
@click.option("--vectors", type=_FILE, help="Keep the vectors of passages for the next run.")
@click.option("--json", "as_json", metavar="FILE|-", help="Write all figures; - is stdout.")
@click.option("--markdown", "page", type=_FILE, help="Write all tables as Markdown.")
@click.pass_context
def _command(
    context: click.Context, /, folder: Path, sets: str, systems: str, seed: int, limit: int | None,
    vectors: Path | None, as_json: str | None, page: Path | None,
) -> int:  # fmt: skip
    """Measure whether the right passages of the question sets in FOLDER are found.

    FOLDER holds <set>.passages.jsonl.gz and <set>.questions.jsonl.gz, as evals/README.md
    describes them; the set `articles` comes with the project.
    """
    measured: list[Figures] = []
    with kept_embeddings(vectors) as embeddings:
        rows = _chosen(all_systems(embeddings), _listed(systems))
        tasks: list[Task] = [
            article_pool(embeddings, limit)
            if name == ARTICLES
            else (load_pool(folder, name, seed, limit), rank_scores)
            for name in _listed(sets)
        ]
        finished = measure(tasks, rows, measured)
    if not measured:
        raise InputError("nothing was measured: no question was answered before the end")
    report = Report(_again(context), os.cpu_count() or 1, tuple(measured))
    _tell(report, as_json)
    if not finished:
        click.echo("interrupted: these figures are of what was asked before", err=True)
        return INTERRUPTED
    if page:
        write_whole(page, markdown(report))
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run `rag eval retrieval` with these arguments and return its exit status.

    0: all was measured; 2: wrong arguments; 130: interrupted, and no Markdown written.
    Raises RagError when nothing can be measured at all.
    """
    return invoke(_command, argv, "rag eval retrieval")


def measure(tasks: Sequence[Task], systems: Sequence[System], measured: list[Figures]) -> bool:
    """Whether all was measured before Ctrl-C; the figures of what was are added to `measured`."""
    whole = len(systems) * sum(len(pool.questions) for pool, _ in tasks)
    try:
        with _progress(whole) as advance:
            for pool, scorer in tasks:
                for system in systems:
                    _search_all(system, pool, scorer, measured, advance)
    except KeyboardInterrupt:
        return False
    return True


def _search_all(
    system: System, pool: Pool, scorer: Scorer, measured: list[Figures], advance: Advance
) -> None:
    """Search for every question in turn, and add the figures of those that were asked."""
    asked: list[Asked] = []
    advance(f"{pool.name}, {system.name}", 0)
    try:
        with system.index(pool) as search:
            for question in pool.questions[:WARM_UP]:
                search(question.question, DEPTH)
            for question in pool.questions:
                start = time.perf_counter()
                found = search(question.question, DEPTH)
                seconds = time.perf_counter() - start
                asked.append(Asked(question, found, scorer(question, found), seconds))
                advance(f"{pool.name}, {system.name}", 1)
    finally:
        if asked:
            measured.append(figures(pool, system.name, asked))


def _again(context: click.Context) -> str:
    """The command that gives the same figures; no path of this machine is in it."""
    words = ["rag", "eval", "retrieval", "FOLDER"]
    for name in ("sets", "systems", "seed", "limit"):
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            words += [f"--{name}", str(context.params[name])]
    return shlex.join(words)


def _tell(report: Report, as_json: str | None) -> None:
    if as_json == "-":
        click.echo(report.to_json(indent=2))
        return
    print_report(report)
    if as_json:
        write_whole(Path(as_json), report.to_json(indent=2) + "\n")


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _chosen(systems: Sequence[System], names: Sequence[str]) -> list[System]:
    by_name = {system.name: system for system in systems}
    for name in names:
        if name not in by_name:
            raise InputError(f"--systems {name!r} is none of {', '.join(by_name)}")
    return [by_name[name] for name in names or by_name]


@contextmanager
def _progress(total: int) -> Iterator[Advance]:
    """A bar on stderr, so that stdout holds the report alone."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda label, more: bar.update(task, advance=more, description=label)
