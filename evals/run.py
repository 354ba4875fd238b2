"""`rag eval run`: ask the questions whose answers are known, and say how well that went."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import rag
from evals import answer_sets
from evals.about import about, stored_passages
from evals.cases import Kind
from evals.judge import Judge
from evals.measure import Engine, Further, Progressed, Result, run, run_search
from evals.recorded import RUN, make_way
from evals.recording import REPLIES as RECORDED
from evals.replies import Replies
from evals.report import print_report
from evals.run_folder import REPLIES, RunFolder, left, new_folder, runs_folder
from evals.summary import NO_SECONDS, Summary, summary
from evals.table import print_runs
from evals.tasks import ARTICLES, SYSTEMS, Choice, Task, opened_system, opened_task
from rag.engine import Rag
from rag.errors import InputError
from rag.models.choice import model_label
from rag.resources import evals_folder
from rag.settings import Settings

__all__ = ["Engine", "Result", "invoke", "main", "run", "run_search"]

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended."""
WAITING = 3
"""The exit status where a question waits for a recorded reply."""


_FOLDER = click.Path(path_type=Path)


@click.command("run")
@click.option(
    "--questions",
    type=click.Path(dir_okay=False, path_type=Path),
    default=lambda: evals_folder() / "questions.jsonl",
    help="JSON Lines file of questions; unset: those that come with the project.",
)
@click.option("--data", type=_FOLDER, help="Folder of public question sets; see --set.")
@click.option(
    "--set",
    type=click.Choice([ARTICLES, *answer_sets.SETS]),
    default=ARTICLES,
    show_default=True,
    help="A set of --data; its paragraphs are stored for the run.",
)
@click.option("--seed", default=0, show_default=True, help="Draws what is asked of a set.")
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
    "--system",
    "systems",
    multiple=True,
    type=click.Choice(SYSTEMS),
    default=("rag",),
    help="What is asked; several are asked in turn and shown side by side.",
)
@click.option(
    "--out", type=_FOLDER, help="Folder of the run; unset: a new one in evals/runs, by time."
)
@click.option("--resume", is_flag=True, help="Take up the run in --out; ask what is missing.")
@click.option(
    "--beside", multiple=True, type=_FOLDER, help="Show this earlier run side by side; repeatable."
)
@click.option(
    "--cache/--no-cache", default=True, help="Use replies that the chat model gave before."
)
@click.option(
    "--judge", is_flag=True, help="Have the environment's chat model judge each answer too."
)
@click.option(
    "--record",
    type=_FOLDER,
    help="Ask a chat model that is not connected: its prompts go to FOLDER/prompts.jsonl, its "
    "replies are read from FOLDER/replies.jsonl. The run is FOLDER/run.",
)
@click.option("--model-name", help="What that chat model is called in the run.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option(
    "--retrieval-only", "search_only", is_flag=True, help="Search alone, without answers; fast."
)
@click.pass_context
def _command(context: click.Context, /, ids: str | None, **options: Any) -> int:
    """Measure the answers to questions whose right answers are known."""
    wanted = tuple(name.strip() for name in (ids or "").split(",") if name.strip())
    choice = _checked(Choice(ids=wanted, **options))
    if context.obj is not None:
        return _measure(context.obj, choice)
    with rag.open() as engine:
        return _measure(engine, choice)


def main(argv: list[str] | None = None, engine: Engine | None = None) -> int:
    """Run `rag eval run` with these arguments and return its exit status.

    0: all questions were asked; 1: some ended in an error; 2: wrong arguments; 3: some wait
    for a recorded reply; 130: interrupted. Raises RagError when nothing can be measured at all.
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


def _checked(choice: Choice) -> Choice:
    if choice.set != ARTICLES and choice.data is None:
        raise InputError(f"--set {choice.set} needs --data FOLDER, where its files lie")
    if choice.data is not None and choice.set == ARTICLES:
        raise InputError(f"--data needs --set, one of {', '.join(answer_sets.SETS)}")
    if choice.record is not None:
        return _checked_record(choice)
    if choice.model_name is not None:
        raise InputError("--model-name needs --record FOLDER; --model chooses a connected model")
    if choice.resume and choice.out is None:
        raise InputError("--resume needs --out FOLDER, the run that is to be taken up")
    return choice


def _checked_record(choice: Choice) -> Choice:
    if choice.search_only:
        raise InputError("--record has nothing to record with --retrieval-only; leave one out")
    if choice.resume:
        click.echo("--resume is not needed with --record: the replies answer at once", err=True)
    return replace(choice, resume=False)


@dataclass(frozen=True, slots=True)
class _Run:
    """What came of one system."""

    path: Path
    measured: Summary | None
    """None where every question waits."""
    whole: bool
    """Whether all questions were asked before Ctrl-C."""
    waiting: int = 0

    @property
    def status(self) -> int:
        """The exit status that it asks for; of several the highest counts."""
        failed = self.measured is not None and self.measured.errors > 0
        return max(int(failed), WAITING * bool(self.waiting), INTERRUPTED * (not self.whole))


def _measure(engine: Engine, choice: Choice) -> int:
    """Measure each system in turn, then print them all."""
    runs: list[_Run] = []
    with ExitStack() as stack:
        task = stack.enter_context(opened_task(engine, choice))
        judge = _with_replies(stack, task, choice)
        for system in dict.fromkeys(choice.systems):
            path = _folder(choice, task.engine.settings, system)
            runs.append(_run_system(system, path, task, choice, judge))
            if not runs[-1].whole:
                break
    status = max(each.status for each in runs)
    if task.recording and status != INTERRUPTED:
        task.recording.finish()
    _print([(each.path, each.measured) for each in runs if each.measured], choice)
    _tell(runs, judge, choice.record)
    return status


def _with_replies(stack: ExitStack, task: Task, choice: Choice) -> Judge | None:
    """Have replies kept that a model is asked for; the judge, where there is to be one."""
    product = task.engine if isinstance(task.engine, Rag) and not task.recording else None
    calls = choice.judge or (product and product.parts.chat_model)
    replies = _kept_replies(stack) if calls and choice.cache else None
    if product:
        product.parts.replies = replies
    return Judge(Settings.read(), replies) if choice.judge else None


def _kept_replies(stack: ExitStack) -> Replies:
    replies = Replies(runs_folder() / REPLIES)
    replies.get("")  # so that a file that cannot be used is named before anything is asked
    stack.callback(replies.close)
    return replies


def _folder(choice: Choice, settings: Settings, system: str) -> Path:
    """Where a run goes: several systems get a folder each within --out."""
    out = choice.out or (choice.record / RUN if choice.record else None)
    if out is None:
        return new_folder(model_label(settings), system)
    return out / system if len(set(choice.systems)) > 1 else out


def _run_system(system: str, path: Path, task: Task, choice: Choice, judge: Judge | None) -> _Run:
    """The figures of one system."""
    further: list[Further] = [*task.further, *([judge] if judge else [])]
    waited = _waiting(task)
    with ExitStack() as stack:
        engine, prompts = stack.enter_context(opened_system(system, task.engine))
        if task.recording:
            make_way(path, task.recording)
        folder = RunFolder(path, _described(system, engine, prompts, task, choice), choice.resume)
        stack.callback(folder.close)
        results = list(folder.done)
        wanted = left([case.id for case in task.cases], results, path)
        asked = replace(task, cases=[case for case in task.cases if case.id in wanted])
        advance = stack.enter_context(_progress(len(task.cases), len(results)))

        def progress(result: Result) -> None:
            folder.write(result)
            results.append(result)
            advance(result)

        whole = not asked.cases or _finished(engine, asked, choice.search_only, progress, further)
        waiting = _waiting(task) - waited
        if not results and not waiting:
            raise InputError("nothing was measured: no question was answered before the end")
        measured = _summary(results, task, waiting) if results else None
        if measured:
            folder.finish(measured, whole and not waiting)
    return _Run(path, measured, whole, waiting)


def _waiting(task: Task) -> int:
    return task.recording.waiting if task.recording else 0


def _summary(results: Sequence[Result], task: Task, waiting: int) -> Summary:
    langs = {name: document.lang for name, document in task.articles.items()}
    measured = summary(results, len(task.cases), langs, waiting)
    # A recorded reply is there at once, so that seconds tell nothing of the model.
    return replace(measured, seconds=NO_SECONDS) if task.recording else measured


def _described(
    system: str, engine: Engine, prompts: Mapping[str, str], task: Task, choice: Choice
) -> dict[str, Any]:
    planned = {"planned": len(task.cases), "retrieval_only": choice.search_only}
    questions, passages = {**task.questions, **planned}, stored_passages(engine)
    return about(
        system, engine.settings, task.articles, questions, prompts, passages, task.recording
    )


def _finished(
    engine: Engine,
    task: Task,
    search_only: bool,
    progress: Progressed,
    further: Sequence[Further],
) -> bool:
    """Whether all questions were asked before Ctrl-C; what was measured went to `progress`."""
    texts = {name: document.text for name, document in task.articles.items()}
    try:
        if search_only:
            run_search(engine, task.cases, progress)
        else:
            recording = task.recording
            run(engine, task.cases, texts, progress, further=further, recording=recording)
    except KeyboardInterrupt:
        return False
    return True


def _print(runs: Sequence[tuple[Path, Summary]], choice: Choice) -> None:
    """The figures on standard output: one run's own, several side by side."""
    console = Console()
    if choice.as_json:
        found = {path.name: measured.to_dict() for path, measured in runs}
        alone = len(set(choice.systems)) == 1 and found
        told = next(iter(found.values())) if alone else found
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if len(runs) == 1:
        print_report(runs[0][1], console)
    if len(runs) > 1 or choice.beside:
        print_runs([*choice.beside, *(path for path, _ in runs)], console)


def _tell(runs: Sequence[_Run], judge: Judge | None, record: Path | None) -> None:
    """Where the runs lie, and what was amiss, on standard error."""
    for each in runs:
        click.echo(f"run: {each.path}", err=True)
    if judge and judge.unjudged:
        click.echo(f"the judge left {judge.unjudged} unjudged, the last: {judge.fault}", err=True)
    if record:
        click.echo(_waits(runs, record), err=True)
    elif not runs[-1].whole:
        click.echo("interrupted; the same command with --out FOLDER --resume goes on", err=True)


def _waits(runs: Sequence[_Run], record: Path) -> str:
    """How far a recorded run came, and how it goes on."""
    answered = sum(each.measured.asked for each in runs if each.measured)
    waiting = sum(each.waiting for each in runs)
    told = f"{answered} answered, {waiting} waiting"
    if waiting:
        return f"{told}; put replies into {record / RECORDED} and run the same command again"
    return told if runs[-1].whole else f"{told}; interrupted, the same command asks all again"


@contextmanager
def _progress(total: int, done: int) -> Iterator[Progressed]:
    """A bar on stderr, so that stdout holds the report alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("Asking", total=total, completed=done)
        yield lambda result: bar.update(task, advance=1, description=result.case.id)
