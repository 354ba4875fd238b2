"""`rag eval report RUN`: a run as one page, every question with its answer, quotes and prompts."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from evals.cases import Quote
from evals.metrics import Figure, Score, group_consistency, percentile, summarise
from evals.pages.case import evidence_in
from evals.pages.render import number, render, write_page
from evals.run import invoke
from evals.run_folder import runs_folder
from evals.run_list import holds_runs, runs_page
from evals.runs import Asked, Run, cut_note, read_run
from evals.summary import claims_refused
from rag.records import Record

_BINS = 10
MEANINGS = {
    "right_in_language": "right, and said in the asker's language",
    "facts_right": "says all that it must, nothing that it must not",
    "evidence_cited": "share of the needed evidence that is quoted",
    "citations_apt": "share of quotes that are evidence",
    "pointers_exact": "share of quotes that stand exactly where they point",
    "wrongly_answered": "answered though the articles do not say",
    "wrongly_abstained": "not answered though the articles say",
    "unsupported": "states what its quotes do not hold",
    "answer_language": "is in the language of the question",
    "evidence_found": "all evidence lies in the passages found",
    "group_consistency": "same evidence, in whatever language it is asked",
    "answer_contained": "holds a known answer",
    "quote_contained": "quotes a known answer",
    "judge": "right as a chat model judges it",
}
"""What each measure is of an answer."""


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
    langs, measure = article_langs(run), _measure(run.results)
    cells = matrix(run.results, langs, measure)
    return render(
        "report.html.jinja",
        script="report.js",
        about=run.about,
        cut=cut_note(run),
        figures=figures(run.results),
        meanings=MEANINGS,
        closing=_closing(run.results),
        outcomes=Counter(row.outcome for row in run.results),
        measure=measure,
        by_kind=by(run.results, lambda row: [row.kind], measure),
        by_language=by(run.results, lambda row: [row.lang], measure),
        matrix=cells,
        worst=worst(cells),
        calibration=calibration(run.results) if run.about.system == "rag" else [],
        rows=run.results,
        langs=langs,
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


def worst(cells: Mapping[str, Mapping[str, Figure]]) -> tuple[str, str] | None:
    """Languages of the lowest cell of a matrix; of several that with most questions."""
    found = [(each.mean, -each.n, pair) for pair, each in _cells(cells) if each.mean is not None]
    return min(found)[2] if found else None


def _cells(cells: Mapping[str, Mapping[str, Figure]]) -> Iterator[tuple[tuple[str, str], Figure]]:
    for asked, row in cells.items():
        yield from (((asked, article), figure) for article, figure in row.items())


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
    return number(total / len(answers) if answers else None, digits)


@click.command("report")
@click.argument("folder", metavar="[RUN]", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The file; unset: RUN/report.html.")
def _command(folder: Path | None, out: Path | None) -> int:
    """Make a page of the run folder RUN that any browser opens, without a server.

    Of a folder that holds runs, or without RUN of that in which `rag eval run` keeps them, it is
    a list of them with their figures.
    """
    folder = folder or runs_folder()
    path = out or folder / "report.html"
    if holds_runs(folder):
        write_page(runs_page(folder), path)
    else:
        run = read_run(folder)
        if note := cut_note(run):
            click.echo(note, err=True)
        write_page(page(run), path)
    click.echo(path)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run `rag eval report` with these arguments and return its exit status: 0, or 2.

    Raises InputError for a folder that is no run and a file that cannot be written.
    """
    return invoke(_command, argv, "rag eval report")
