"""`rag eval report RUN`: a run as one page, every question with its answer, quotes and prompts.

Texts of articles, questions and models are escaped by jinja2, nothing is a link, and a
content security policy lets the page load nothing and run nothing but its own script.
"""

import base64
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.cases import Quote
from evals.metrics import (
    CITED_SHARE,
    Figure,
    Score,
    coverage,
    group_consistency,
    percentile,
    summarise,
)
from evals.run import invoke
from evals.runs import Asked, Run, cut_note, read_run
from evals.summary import claims_refused
from rag.errors import InputError
from rag.records import Hit, Record

_HERE = Path(__file__).resolve().parent
_MARK = re.compile(r"(\[\d+\])")
_BINS = 10
_VERDICTS = {
    "checked": "particulars checked",
    "unchecked": "nothing to check in it",
    "refused": "refused",
}
"""What is told of a model's claim by its status."""


@dataclass(frozen=True, slots=True)
class Bin(Record):
    """First hits of about one score: what they promise and what they hold."""

    promised: float
    """Mean of the scores."""
    held: float
    """Share of those that hold a needed fact's proof."""
    n: int


def page(run: Run) -> str:
    """The whole page as HTML; the same run always gives the same page."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": _number,
        "segments": segments,
        "name": _name,
        "commit": _commit,
    }
    style, script = _asset("page.css"), _asset("page.js")
    langs, measure = article_langs(run), _measure(run.results)
    return environment.get_template("page.html.jinja").render(
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        about=run.about,
        cut=cut_note(run),
        figures=figures(run.results),
        closing=_closing(run.results),
        outcomes=Counter(row.outcome for row in run.results),
        measure=measure,
        by_kind=by(run.results, lambda row: [row.kind], measure),
        by_language=by(run.results, lambda row: [row.lang], measure),
        matrix=matrix(run.results, langs, measure),
        calibration=calibration(run.results) if run.about.system == "rag" else [],
        rows=run.results,
        langs=langs,
        evidence_in=evidence_in,
        verdict=lambda status: _VERDICTS.get(status, status),
        ways=ways,
    )


def figures(rows: Sequence[Asked]) -> dict[str, Figure]:
    """Each measure that judged anything, over all rows."""
    groups = [row.group for row in rows]
    names = dict.fromkeys(name for row in rows for name in row.scores)
    found = {name: summarise([row.scores.get(name) for row in rows], groups) for name in names}
    answerable = [(row.group, row.cited) for row in rows if row.evidence and row.answer]
    agreed: list[Score] = [*group_consistency(answerable).values()]
    found["group_consistency"] = summarise(agreed or [None])
    found["claims_refused"] = claims_refused(
        (each.status, row.group) for row in rows if row.answer for each in row.answer.statements
    )
    return {name: figure for name, figure in found.items() if figure.n}


def ways(row: Asked) -> Iterator[str]:
    """How the answer was made and checked, as the page's filter names it."""
    yield row.mode
    statuses = {each.status for each in row.answer.statements} if row.answer else set()
    if "refused" in statuses or any(call.refused for call in row.calls):
        yield "refused"
    if "unchecked" in statuses:
        yield "unchecked"


def by(
    rows: Iterable[Asked], keys: Callable[[Asked], Sequence[str]], name: str
) -> dict[str, Figure]:
    """One measure for each key, most judged first; a row counts for all of its keys."""
    parts: dict[str, list[Asked]] = defaultdict(list)
    for row in rows:
        if row.scores.get(name) is not None:
            for key in keys(row):
                parts[key].append(row)
    found = {
        key: summarise([row.scores[name] for row in part], [row.group for row in part])
        for key, part in parts.items()
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1].n, item[0])))


def _measure(rows: Sequence[Asked]) -> str:
    """The measure that is shown by parts: the public sets know answers, not facts."""
    judged = any(row.scores.get("facts_right") is not None for row in rows)
    return "facts_right" if judged else "answer_contained"


def matrix(rows: Sequence[Asked], langs: dict[str, str], name: str) -> dict[str, dict[str, Figure]]:
    """One measure by the question's language and then the article's; "" is unknown.

    A question that needs articles in two languages counts for both.
    """
    cells = {
        lang: by(
            [row for row in rows if row.lang == lang],
            lambda row: sorted({langs.get(q.source, "") for qs in row.evidence for q in qs}),
            name,
        )
        for lang in sorted({row.lang for row in rows})
    }
    return {lang: found for lang, found in cells.items() if found}


def calibration(rows: Iterable[Asked]) -> list[Bin]:
    """The first hits by tenths of their score; empty where a score is no probability.

    Where the articles do not say, no passage holds a proof.
    """
    tenths: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for row in rows:
        if not row.hits:
            continue
        first = row.hits[0]
        if not 0 <= first.score <= 1:
            return []
        held = bool(evidence_in(row, first))
        tenths[min(int(first.score * _BINS), _BINS - 1)].append((first.score, held))
    return [
        Bin(sum(s for s, _ in part) / len(part), sum(h for _, h in part) / len(part), len(part))
        for _, part in sorted(tenths.items())
    ]


def evidence_in(row: Asked, hit: Hit) -> list[int]:
    """Positions of the needed facts that can be read in the hit, counted from 1."""
    return [
        position
        for position, quotes in enumerate(row.evidence, 1)
        if any(coverage(quote, [hit]) >= CITED_SHARE for quote in quotes)
    ]


def article_langs(run: Run) -> dict[str, str]:
    """The language of each article that is named; told from a quote where no hit has it."""
    from rag.languages.detect import detect

    known: dict[str, str] = {}
    for row in run.results:
        known |= {hit.source: hit.lang for hit in row.hits if hit.lang}
        for citation in row.answer.citations if row.answer else ():
            known.setdefault(citation.source, citation.lang)
    for quote in _quotes(run.results):
        if quote.source not in known:
            known[quote.source] = detect(quote.text).lang
    return known


def _quotes(rows: Iterable[Asked]) -> Iterable[Quote]:
    for row in rows:
        yield from (quote for quotes in row.evidence for quote in quotes)
        yield from row.distractor.quotes if row.distractor else ()


def segments(text: str, numbers: Sequence[int]) -> list[tuple[str, bool]]:
    """A text in pieces, and of each whether it is the mark of one of these citations.

    >>> segments("It rained [1] in [2024].", [1])
    [('It rained ', False), ('[1]', True), (' in ', False), ('[2024]', False), ('.', False)]
    """
    marks = {f"[{number}]" for number in numbers}
    return [(piece, piece in marks) for piece in _MARK.split(text) if piece]


def _closing(rows: Sequence[Asked]) -> dict[str, str]:
    """What the run took."""
    seconds = [row.seconds for row in rows if not any(call.cached for call in row.calls)]
    usages = [row.answer.usage for row in rows if row.answer]
    costs = [usage.cost for usage in usages]
    known = [cost for cost in costs if cost is not None]
    calls = [call for row in rows for call in row.calls]
    return {
        "seconds": f"median {percentile(seconds, 0.5):.2f}, p95 {percentile(seconds, 0.95):.2f}"
        if seconds
        else "no answer without a kept reply",
        "calls of the model": f"{len(calls)}, {sum(bool(c.refused) for c in calls)} refused, "
        f"{sum(c.cached for c in calls)} cached",
        "calls for each question": _each(sum(u.calls for u in usages), usages),
        "tokens": f"{sum(u.prompt_tokens for u in usages):,} prompt, "
        f"{sum(u.completion_tokens for u in usages):,} completion",
        "prompt tokens for each question": _each(sum(u.prompt_tokens for u in usages), usages, 0),
        "cost": f"${sum(known):.4f}" if len(known) == len(costs) else "unknown",
    }


def _each(total: int, answers: Sequence[object], digits: int = 2) -> str:
    return _number(total / len(answers) if answers else None, digits)


def _commit(commit: str) -> str:
    """A commit as short as it can be, and still dirty if it is."""
    name, dash, dirty = commit.partition("-")
    return f"{name[:12]}{dash}{dirty}"


def _asset(name: str) -> str:
    return f"\n{(_HERE / name).read_text(encoding='utf-8')}"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _name(name: str) -> str:
    return name.replace("_", " ")


def _number(value: Any, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


@click.command("report")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The file; unset: RUN/report.html.")
def _command(folder: Path, out: Path | None) -> int:
    """Make a page of the run folder RUN that any browser opens, without a server."""
    run = read_run(folder)
    if note := cut_note(run):
        click.echo(note, err=True)
    path = out or folder / "report.html"
    try:
        path.write_text(page(run), encoding="utf-8", errors="replace", newline="\n")
    except OSError as fault:
        raise InputError(f"{path} cannot be written: {fault.strerror}") from None
    click.echo(path)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run `rag eval report` with these arguments and return its exit status: 0, or 2.

    Raises InputError for a folder that is no run and a file that cannot be written.
    """
    return invoke(_command, argv, "rag eval report")
