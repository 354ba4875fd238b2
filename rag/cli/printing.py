"""How results and progress look in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.ingestion.ingest import Progress
    from rag.records import Answer, Hit, IngestReport


def answer_text(answer: Answer) -> str:
    """The text of the answer, each citation with its quote, what it took."""
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
    changes = {"added": report.added, "replaced": report.replaced, "removed": report.removed}
    told = ", ".join(f"{len(sources)} {name}" for name, sources in changes.items() if sources)
    return f"{told}; the store holds {stored} ({report.seconds:.1f} s)"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def hits_text(hits: Sequence[Hit]) -> str:
    """Of each hit its score, place and text."""
    return "\n\n".join(_hit_text(number, hit) for number, hit in enumerate(hits, 1))


def explanation(hits: Sequence[Hit], model: str) -> str:
    """Of each hit its signals, their rank among the hits, and what each adds to the log-odds."""
    from rag.retrieval.calibration import contributions

    lines = []
    for number, hit in enumerate(hits, 1):
        added = contributions(hit.signals, model)
        parts = [
            f"{name} {value:.3f} (no. {sum(h.signals[name] > value for h in hits) + 1}, "
            f"{added[name]:+.2f})"
            for name, value in hit.signals.items()
        ]
        lines.append(f"{_hit_text(number, hit)}\n   {'   '.join(parts)}   {added['bias']:+.2f}")
    legend = "signal, its place among these hits, what it adds to the log-odds; last the bias"
    return "\n\n".join([*lines, legend])


def _hit_text(number: int, hit: Hit) -> str:
    place = f"{hit.source} [{hit.start}:{hit.end}] {hit.lang}"
    return f"{number}. {hit.score:.3f}  {place}\n   {' '.join(hit.text.split())}"


@contextmanager
def progress_bars() -> Iterator[Progress]:
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
def status(text: str) -> Iterator[None]:
    """A line that says what goes on, when a person is looking."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield
