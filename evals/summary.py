"""The results of a run as one record of figures."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from evals.judge import Agreement, agreement
from evals.measure import Result
from evals.metrics import Figure, Scores, group_consistency, percentile, summarise
from rag.records import Record

FORMAT = 1

Figures = dict[str, Figure]
"""By the names of `Scores`."""


@dataclass(frozen=True, slots=True)
class Seconds(Record):
    """How long the answers took for which no kept reply was used."""

    median: float | None
    p95: float | None
    n: int


NO_SECONDS = Seconds(None, None, 0)
"""Of a run in which no time was measured that tells anything."""


@dataclass(frozen=True, slots=True)
class Tokens(Record):
    """What the chat model read and wrote; kept replies count as at the first time."""

    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class PerQuestion(Record):
    """What the chat model was asked for one question, over those that were answered."""

    calls: Figure
    prompt_tokens: Figure


@dataclass(frozen=True, slots=True)
class Summary(Record):
    """All figures of a run; an error counts as a failure in them, see `evals.metrics.failed`."""

    planned: int
    asked: int
    """Less than `planned` when the run was interrupted."""
    errors: int
    figures: Figures
    """Of all questions; those that were judged for none have n = 0."""
    by_kind: dict[str, Figures]
    by_language: dict[str, Figures]
    by_pair: dict[str, Figures]
    """By languages of question and evidence, such as "en>he" or "en>he+tr"."""
    seconds: Seconds
    tokens: Tokens
    cost: float | None
    """US dollars; None when the price of an answer is not known."""
    judge: Agreement | None
    """How far the judge agrees with `facts_right`; None without a judge."""
    per_question: PerQuestion
    waiting: int = 0
    """Questions that wait for a recorded reply; they are planned and not asked."""
    format: int = FORMAT


def summary(
    results: Sequence[Result],
    planned: int,
    langs: Mapping[str, str] | None = None,
    waiting: int = 0,
) -> Summary:
    """The figures of a run; raises InputError when nothing was asked.

    `langs` maps articles to their languages, for the figures by pair.
    """
    usages = [result.answer["usage"] for result in results if result.answer]
    costs = [usage["cost"] for usage in usages]
    return Summary(
        planned=planned,
        asked=len(results),
        errors=sum(bool(result.error) for result in results),
        figures=_figures(results)
        | {
            "group_consistency": _consistency(results),
            "claims_refused": claims_refused(_statements(results)),
        },
        by_kind=_by(results, lambda result: result.case.kind),
        by_language=_by(results, lambda result: result.case.lang),
        by_pair=_by(results, lambda result: pair(result, langs or {})),
        seconds=_seconds(results),
        tokens=Tokens(
            prompt=sum(usage["prompt_tokens"] for usage in usages),
            completion=sum(usage["completion_tokens"] for usage in usages),
        ),
        cost=None if None in costs else sum(costs),
        judge=agreement(
            [
                (each.scores.facts_right, each.scores.judge)
                for each in results
                if each.answer and not each.answer["abstained"]
            ]
        ),
        per_question=_per_question(results),
        waiting=waiting,
    )


def pair(result: Result, langs: Mapping[str, str]) -> str:
    """The languages of a question and of the articles that answer it; "" where none is known."""
    sources = [item.quotes[0].source for item in result.case.evidence]
    known = sorted({langs[source] for source in sources if langs.get(source)})
    return f"{result.case.lang}>{'+'.join(known)}" if known else ""


def _figures(results: Sequence[Result]) -> Figures:
    groups = [result.case.group for result in results]
    return {
        field.name: summarise([getattr(result.scores, field.name) for result in results], groups)
        for field in fields(Scores)
    }


def _by(results: Sequence[Result], key: Callable[[Result], str]) -> dict[str, Figures]:
    """The figures of each part that has a name, less those that nothing was judged for."""
    found = {}
    for name in sorted({key(result) for result in results} - {""}):
        part = [result for result in results if key(result) == name]
        found[name] = {name: figure for name, figure in _figures(part).items() if figure.n}
    return found


def _consistency(results: Sequence[Result]) -> Figure:
    """Over the groups that can be judged: answerable, and asked more than once."""
    members = [
        (result.case.group, result.cited)
        for result in results
        if result.scores.facts_right is not None
    ]
    return summarise([*group_consistency(members).values()] or [None])


def claims_refused(statements: Iterable[tuple[str, str]]) -> Figure:
    """Share of a model's claims that are not shown, of (status, group) of each statement.

    >>> claims_refused([("checked", "a"), ("refused", "a"), ("quoted", "b")]).mean
    0.5
    """
    claims = [(status, group) for status, group in statements if status != "quoted"]
    refused = [float(status == "refused") for status, _ in claims]
    return summarise(refused or [None], [group for _, group in claims] or None)


def _statements(results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    for result in results:
        for each in result.answer["statements"] if result.answer else ():
            yield each["status"], result.case.group


def _per_question(results: Sequence[Result]) -> PerQuestion:
    usages = [(result.answer["usage"], result.case.group) for result in results if result.answer]
    groups = [group for _, group in usages] or None
    calls, tokens = (
        summarise([float(usage[name]) for usage, _ in usages] or [None], groups)
        for name in ("calls", "prompt_tokens")
    )
    return PerQuestion(calls, tokens)


def _seconds(results: Sequence[Result]) -> Seconds:
    taken = [result.seconds for result in results if not result.cached]
    if not taken:
        return NO_SECONDS
    return Seconds(percentile(taken, 0.5), percentile(taken, 0.95), len(taken))
