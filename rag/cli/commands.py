"""The commands, and `main`, which runs one and gives its exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from rag.cli.options import as_json, parse_where, settings_of, where_option, with_settings
from rag.cli.printing import (
    answer_text,
    explanation,
    hits_text,
    progress_bars,
    report_text,
    status,
)
from rag.errors import InputError, RagError, SettingsError
from rag.resources import evals_module

if TYPE_CHECKING:
    from rag.engine import Rag

ABSTAINED, BAD_INPUT, FAULT, INTERRUPTED = 3, 2, 1, 130


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
@with_settings
def ask(
    question: str, language: str | None, k: int | None, where: tuple[str, ...], as_json: bool,
    **flags: Any,
) -> None:  # fmt: skip
    """Answer QUESTION from the articles, with the quotes that prove it."""
    with _engine(flags) as rag, status("reading the articles"):
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
@with_settings
def search(
    question: str, k: int, explain: bool, where: tuple[str, ...], as_json: bool, **flags: Any
) -> None:
    """List the passages nearest to QUESTION, in whatever language."""
    with _engine(flags) as rag:
        hits = rag.search(question, k, parse_where(where))
        model = rag.parts.embedder.name
    if as_json:
        _print_json([hit.to_dict() for hit in hits])
    elif hits:
        click.echo(explanation(hits, model) if explain else hits_text(hits))
    else:
        click.echo("no passage was found", err=True)


@app.command()
@click.argument("path", required=False)
@click.option("--rebuild", is_flag=True, help="Write the store anew even if nothing changed.")
@click.option("--fresh", is_flag=True, help="Forget what was ingested from other folders.")
@as_json
@with_settings
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
@with_settings
def chat(**flags: Any) -> None:
    """Serve the chat page."""
    with _engine(flags) as rag:
        from rag.page.server.serve import serve

        serve(rag)


@app.command()
@as_json
@with_settings
def doctor(as_json: bool, **flags: Any) -> None:
    """Check the store, the models and the settings, and name the mend of each."""
    from rag.doctor import examine
    from rag.settings import Settings

    findings = examine(Settings.read(**settings_of(flags)))
    if as_json:
        _print_json([each.to_dict() for each in findings])
    else:
        for each in findings:
            click.echo(f"{'ok  ' if each.ok else 'BAD '} {each.name}: {each.detail}")
            if each.mend:
                click.echo(f"      mend: {each.mend}")
    if not all(each.ok for each in findings):
        sys.exit(FAULT)


class _RunByDefault(click.Group):
    """`rag eval --limit 5` is `rag eval run --limit 5`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Names the command that an option or nothing at all stands for."""
        named = args and (not args[0].startswith("-") or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else ["run", *args])


@app.group(cls=_RunByDefault)
def eval() -> None:
    """Measure the answers, or the passages that are found."""


# They are written beside what they measure, in evals/, and parsed there, so that `--help`
# need not load them.
_FORWARDED: dict[str, Any] = {
    "context_settings": {"ignore_unknown_options": True},
    "add_help_option": False,
}
_arguments = click.argument("arguments", nargs=-1, type=click.UNPROCESSED)


@eval.command("run", **_FORWARDED)
@_arguments
@with_settings
def eval_run(arguments: tuple[str, ...], **flags: Any) -> None:
    """Ask questions: are the answers right?"""
    run = evals_module("evals.run")
    with _engine(flags) as rag:
        sys.exit(run.main(list(arguments), engine=rag))


def _forward(name: str, module: str, text: str) -> None:
    @eval.command(name, help=text, **_FORWARDED)
    @_arguments
    def forwarded(arguments: tuple[str, ...]) -> None:
        sys.exit(evals_module(module).main(list(arguments)))


_forward("retrieval", "evals.retrieval.run", "Search question sets: are the right passages found?")
_forward("table", "evals.table", "Print the figures of runs side by side.")
_forward(
    "report",
    "evals.page",
    "Make a page of a run: each question with its answer, quotes and prompts.",
)
_forward("compare", "evals.compare", "Compare two runs, question by question.")
_forward("gate", "evals.gate", "Exit with 1 where a run is worse than the baseline.")


def _print_json(rows: list[dict[str, Any]]) -> None:
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2))


@contextmanager
def _engine(flags: dict[str, Any]) -> Iterator[Rag]:
    from rag.engine import Rag
    from rag.settings import Settings

    with progress_bars() as progress, Rag(Settings.read(**settings_of(flags)), progress) as rag:
        yield rag


def main() -> None:
    """Run the command line; an expected failure is one line and its exit code."""
    try:
        app(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except RagError as error:
        click.echo(f"rag: {error}", err=True)
        sys.exit(BAD_INPUT if isinstance(error, InputError | SettingsError) else FAULT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAULT)
