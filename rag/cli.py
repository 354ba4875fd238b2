"""`rag ask | chat | ingest | search | eval | doctor`: parse, call one function, print.

Exit codes: 0 answered or done, 3 the articles do not say, 2 bad input, 1 a fault.
Results go to standard output, progress and errors to standard error.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rag.errors import InputError, RagError, SettingsError

if TYPE_CHECKING:
    from rag.engine import Rag
    from rag.ingestion.ingest import Progress
    from rag.records import Answer, Hit, IngestReport

ABSTAINED, BAD_INPUT, FAULT, INTERRUPTED = 3, 2, 1, 130

# The settings as flags. They are written out so that `--help` need not load them;
# a test holds them against `Settings`. Secrets have none: every user of the machine sees the
# flags of a program that runs.
SETTINGS = {
    "model": "Chat model: embedded, none, openai:NAME, gguf:/path, hf:OWNER/REPO/FILE.gguf, "
    "provider:NAME.",
    "answers": "words: the chat model words answers; quotes: sentences are quoted.",
    "base-url": "OpenAI-compatible server of the chat model.",
    "embeddings": "Embedding model: e5 or openai:NAME.",
    "embeddings-base-url": "OpenAI-compatible server of the embedding model.",
    "chroma-url": "Chroma server; without one Chroma runs in this process.",
    "collection": "Name that the store's collections begin with.",
    "store": "Folder of the store.",
    "corpus": "Folder or file of articles.",
    "host": "Address that the chat page listens on.",
    "port": "Port that the chat page listens on.",
    "public": "on: everyone who reaches the chat page may use it without a login.",
    "uploads": "off: the chat page takes no files.",
    "timeout": "Seconds that one model call may take.",
    "max-tokens": "Tokens that one model reply may have.",
    "context": "Tokens of articles that the model is shown.",
    "verify": "on: the model compares its claims with their quotes in one further call.",
    "price": "US dollars per million tokens: prompt,completion.",
}


def _with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, text in reversed(SETTINGS.items()):
        option = click.option(f"--{name}", f"set_{name.replace('-', '_')}", help=text)
        command = option(command)
    return command


as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
where_option = click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Only articles with lang=he,ar or date>=2024-07-01 or source=a.txt; also as JSON: "
    '{"source": ["a, b.txt"]}. Can be given more than once.',
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="quoted-rag", message="%(version)s")
def app() -> None:
    """Ask articles in any language; every sentence of an answer rests on a quote.

    Each flag of a setting is an environment variable too: --base-url is RAG_BASE_URL.
    """


@app.command()
@click.argument("question")
@click.option("--language", help="Answer in this language, whatever the question's is.")
@click.option("--k", type=int, help="How many passages are read.")
@where_option
@as_json
@_with_settings
def ask(
    question: str, language: str | None, k: int | None, where: tuple[str, ...], as_json: bool,
    **flags: Any,
) -> None:  # fmt: skip
    """Answer QUESTION from the articles, with the quotes that prove it."""
    with _engine(flags) as rag, _status("reading the articles"):
        answer = rag.ask(question, language=language, k=k, where=parse_where(where))
    click.echo(answer.to_json(indent=2) if as_json else answer_text(answer))
    if answer.notice:
        click.echo(f"rag: the model failed: {answer.notice}", err=True)
    if answer.mode == "abstained":
        sys.exit(ABSTAINED)


@app.command()
@click.argument("question")
@click.option("--k", type=int, default=8, show_default=True, help="How many passages are listed.")
@click.option("--explain", is_flag=True, help="Show what each hit's relevance is made of.")
@where_option
@as_json
@_with_settings
def search(
    question: str, k: int, explain: bool, where: tuple[str, ...], as_json: bool, **flags: Any
) -> None:
    """List the passages nearest to QUESTION, in whatever language."""
    with _engine(flags) as rag:
        hits = rag.search(question, k, parse_where(where))
        model = rag.parts.embedder.name
    if explain and hits and not as_json:
        click.echo(explanation(hits, model))
    elif as_json:
        click.echo(json.dumps([hit.to_dict() for hit in hits], ensure_ascii=False, indent=2))
    elif hits:
        click.echo("\n\n".join(_hit_text(i, hit) for i, hit in enumerate(hits, 1)))
    else:
        click.echo("no passage was found", err=True)


@app.command()
@click.argument("path", required=False)
@click.option("--rebuild", is_flag=True, help="Write the store anew even if nothing changed.")
@click.option("--fresh", is_flag=True, help="Forget what was ingested from other folders.")
@as_json
@_with_settings
def ingest(path: str | None, rebuild: bool, fresh: bool, as_json: bool, **flags: Any) -> None:
    """Make the store hold what the folder or file PATH holds now."""
    with _engine(flags) as rag:
        report = rag.ingest(path, rebuild=rebuild, fresh=fresh)
    click.echo(report.to_json(indent=2) if as_json else report_text(report))
    for skipped in report.skipped:
        click.echo(f"skipped {skipped.source}: {skipped.reason}", err=True)
    if report.skipped:
        sys.exit(BAD_INPUT)


@app.command()
@_with_settings
def chat(**flags: Any) -> None:
    """Serve the chat page."""
    with _engine(flags) as rag:
        from rag.page.server.serve import serve

        serve(rag)


class _RunByDefault(click.Group):
    """`rag eval --limit 5` is `rag eval run --limit 5`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Names the command that an option or nothing at all stands for."""
        named = args and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["run", *args])


@app.group(cls=_RunByDefault)
def eval() -> None:
    """Measure the answers, or the passages that are found."""


# The commands are written beside what they measure, in evals/, and parsed there, so
# that `--help` need not load them.
_FORWARDED: dict[str, Any] = {
    "context_settings": {"ignore_unknown_options": True},
    "add_help_option": False,
}


@eval.command("run", **_FORWARDED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@_with_settings
def eval_run(arguments: tuple[str, ...], **flags: Any) -> None:
    """Ask questions: are the answers right?"""
    run = _evals("evals.run")
    with _engine(flags) as rag:
        sys.exit(run.main(list(arguments), engine=rag))


@eval.command("retrieval", **_FORWARDED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def eval_retrieval(arguments: tuple[str, ...]) -> None:
    """Search question sets: are the right passages found?"""
    sys.exit(_evals("evals.retrieval.run").main(list(arguments)))


@eval.command("table", **_FORWARDED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def eval_table(arguments: tuple[str, ...]) -> None:
    """Print the figures of runs side by side."""
    sys.exit(_evals("evals.table").main(list(arguments)))


@eval.command("report", **_FORWARDED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def eval_report(arguments: tuple[str, ...]) -> None:
    """Make a page of a run: each question with its answer, quotes and prompts."""
    sys.exit(_evals("evals.page").main(list(arguments)))


@eval.command("compare", **_FORWARDED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def eval_compare(arguments: tuple[str, ...]) -> None:
    """Compare two runs, question by question."""
    sys.exit(_evals("evals.compare").main(list(arguments)))


@eval.command("gate", **_FORWARDED)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def eval_gate(arguments: tuple[str, ...]) -> None:
    """Exit with 1 where a run is worse than the baseline."""
    sys.exit(_evals("evals.gate").main(list(arguments)))


def _evals(module: str) -> Any:
    from rag.resources import evals_module

    return evals_module(module)


@app.command()
@as_json
@_with_settings
def doctor(as_json: bool, **flags: Any) -> None:
    """Check the store, the models and the settings, and name the mend of each."""
    from rag.doctor import examine
    from rag.settings import Settings

    findings = examine(Settings.read(**_settings(flags)))
    if as_json:
        click.echo(json.dumps([each.to_dict() for each in findings], ensure_ascii=False, indent=2))
    else:
        for each in findings:
            click.echo(f"{'ok  ' if each.ok else 'BAD '} {each.name}: {each.detail}")
            if each.mend:
                click.echo(f"      mend: {each.mend}")
    if not all(each.ok for each in findings):
        sys.exit(FAULT)


def parse_where(conditions: tuple[str, ...]) -> dict[str, Any] | None:
    """The filter that `--where` options stand for, all of them; raises InputError.

    Values of one field, in one option or in several, are alternatives. JSON is for values
    with commas. Fields and dates are checked by the store.

    >>> parse_where(("lang=he,ar", "date>=2024-07-01", '{"source": ["a, b.txt"]}'))
    {'lang': ['he', 'ar'], 'date': {'gte': '2024-07-01'}, 'source': ['a, b.txt']}
    """
    where: dict[str, Any] = {}
    for option in conditions:
        for field, value in _where(option).items():
            before = where.get(field)
            if isinstance(before, list) and isinstance(value, list):
                where[field] = before + value
            elif isinstance(before, dict) and isinstance(value, dict):
                where[field] = before | value
            elif before is None:
                where[field] = value
            else:
                raise InputError(f"--where {option!r} does not go with an earlier --where {field}")
    return where or None


def _where(option: str) -> dict[str, Any]:
    """One option: a JSON object, or a field, a sign and values with commas between."""
    if option.lstrip().startswith("{"):
        try:
            fields = dict(json.loads(option))
        except ValueError as error:
            raise InputError(f"--where {option!r} is not JSON: {error}") from None
        return {
            name: [value] if isinstance(value, str) else value for name, value in fields.items()
        }
    found = re.fullmatch(r"\s*(\w+)\s*(>=|<=|>|<|=)(.*)", option, re.DOTALL)
    values = [each.strip() for each in found[3].split(",") if each.strip()] if found else []
    if not found or not values:
        from rag.store.store import FILTER_FIELDS

        raise InputError(
            f"--where {option!r} is not FIELD=VALUE, such as lang=he; "
            f"the fields are {', '.join(FILTER_FIELDS)}"
        )
    if found[2] == "=":
        return {found[1]: values}
    return {found[1]: {_COMPARISONS[found[2]]: found[3].strip()}}


_COMPARISONS = {">=": "gte", "<=": "lte", ">": "gt", "<": "lt"}


def answer_text(answer: Answer) -> str:
    """The answer as it is printed: the text, each citation with its quote, what it took."""
    lines = [answer.text, ""]
    for citation in answer.citations:
        page = f", page {citation.page}" if citation.page else ""
        lines += [
            f"[{citation.number}] {citation.source} [{citation.start}:{citation.end}]{page}",
            f"    {' '.join(citation.quote.split())}",
        ]
    asked = [answer.model] if answer.usage.calls else []
    lines.append(f"({', '.join([answer.mode, *asked, f'{answer.seconds:.1f} s'])})")
    return "\n".join(lines)


def report_text(report: IngestReport) -> str:
    """What an ingest did, in a line or two."""
    stored = f"{_count(report.documents, 'article')}, {_count(report.passages, 'passage')}"
    if not report.wrote:
        return f"nothing changed, nothing written: {stored}"
    changes = (
        ("added", report.added), ("replaced", report.replaced), ("removed", report.removed)
    )  # fmt: skip
    told = ", ".join(f"{len(sources)} {name}" for name, sources in changes if sources)
    return f"{told}; the store holds {stored} ({report.seconds:.1f} s)"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def explanation(hits: Sequence[Hit], model: str) -> str:
    """Of each hit its signals, their rank among the hits, and what each adds to the log-odds."""
    from rag.retrieval.calibration import shares

    lines = []
    for number, hit in enumerate(hits, 1):
        added = shares(hit.signals, model)
        parts = [
            f"{name} {value:.3f} (no. {sum(h.signals[name] > value for h in hits) + 1}, "
            f"{added[name]:+.2f})"
            for name, value in hit.signals.items()
        ]
        lines.append(f"{_hit_text(number, hit)}\n   {'   '.join(parts)}   {added['bias']:+.2f}")
    legend = "signal, its place among these hits, what it adds to the log-odds; last the bias"
    return "\n\n".join([*lines, legend])


def _hit_text(number: int, hit: Hit) -> str:
    text = " ".join(hit.text.split())
    place = f"{hit.source} [{hit.start}:{hit.end}] {hit.lang}"
    return f"{number}. {hit.score:.3f}  {place}\n   {text}"


def _settings(flags: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("set_"): value for name, value in flags.items()}


@contextmanager
def _engine(flags: dict[str, Any]) -> Iterator[Rag]:
    from rag.engine import Rag
    from rag.settings import Settings

    with _progress() as progress, Rag(Settings.read(**_settings(flags)), progress) as rag:
        yield rag


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar for each stage on standard error, when a person is looking."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:>10}"), BarColumn(), MofNCompleteColumn())
    bars = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
    tasks: dict[str, Any] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            bars.start()
            tasks[stage] = bars.add_task(stage, total=total or None)
        bars.update(tasks[stage], completed=done, total=total or None)
        if bars.finished:
            bars.stop()

    try:
        yield show
    finally:
        bars.stop()


@contextmanager
def _status(text: str) -> Iterator[None]:
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield


def main() -> None:
    """Run the command line; an expected failure is one line and its exit code."""
    try:
        app(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (InputError, SettingsError) as error:
        click.echo(f"rag: {error}", err=True)
        sys.exit(BAD_INPUT)
    except RagError as error:
        click.echo(f"rag: {error}", err=True)
        sys.exit(FAULT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAULT)
