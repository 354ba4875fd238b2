"""Ask the questions one by one and score what comes back."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from evals.cases import Case
from evals.metrics import Detector, Scores, cited, evidence_found, score
from rag.errors import InputError, RagError
from rag.records import Answer, Document, Hit, Record

T = TypeVar("T")


class Engine(Protocol):
    """What is measured: `rag.open()` gives one."""

    def ask(self, question: str, *, history: list[tuple[str, str]] = ...) -> Answer:
        """The answer to a question."""

    def search(self, question: str, k: int = ...) -> Sequence[Hit]:
        """The passages that are found for a question."""

    def documents(self) -> Mapping[str, Document]:
        """The stored articles by name."""


@dataclass(frozen=True, slots=True)
class Result(Record):
    """One question's outcome: an answer, hits alone, or an error."""

    case: Case
    answer: dict[str, Any] | None
    """As `Answer.to_dict()`; None after an error and when only searching."""
    hits: tuple[dict[str, Any], ...]
    error: str
    """The message of the RagError that took the answer's place, or ""."""
    scores: Scores
    cited: tuple[int, ...]
    """Positions in `case.evidence` of the facts that the answer cites."""
    seconds: float

    def line(self) -> str:
        """The result as one line of JSON."""
        case = self.case
        head = {"id": case.id, "lang": case.lang, "kind": case.kind, "group": case.group}
        rest = {name: value for name, value in self.to_dict().items() if name != "case"}
        return json.dumps(head | {"question": case.question} | rest, ensure_ascii=False)


Progressed = Callable[[Result], None]


def run(
    engine: Engine,
    cases: Sequence[Case],
    articles: Mapping[str, str],
    progress: Progressed = lambda result: None,
    detect: Detector | None = None,
) -> list[Result]:
    """Ask every question in turn; `progress` gets each result as soon as it is there.

    A RagError counts against its own question only; any other exception ends the run.
    """
    judge = detect or _detect

    def measure(case: Case) -> Result:
        history = list(case.history)
        answer, error, seconds = _timed(lambda: engine.ask(case.question, history=history))
        if answer is None:
            return Result(case, None, (), error, Scores(), (), seconds)
        scores = score(case, answer, articles, judge)
        answered = answer.to_dict()
        hits = tuple(answered.pop("hits"))
        return Result(case, answered, hits, "", scores, cited(case, answer.citations), seconds)

    return _each(cases, measure, progress)


def run_search(
    engine: Engine, cases: Sequence[Case], progress: Progressed = lambda result: None, k: int = 8
) -> list[Result]:
    """Search for every question in turn and score the passages alone.

    Pass `searchable` cases: follow-ups mean little without their history.
    """

    def measure(case: Case) -> Result:
        hits, error, seconds = _timed(lambda: engine.search(case.question, k=k))
        scores = Scores() if hits is None else Scores(evidence_found=evidence_found(case, hits))
        found = tuple(hit.to_dict() for hit in hits or ())
        return Result(case, None, found, error, scores, (), seconds)

    return _each(cases, measure, progress)


def _each(
    cases: Sequence[Case], measure: Callable[[Case], Result], progress: Progressed
) -> list[Result]:
    if not cases:
        raise InputError("nothing was measured: there are no questions")
    results = []
    for case in cases:
        results.append(measure(case))
        progress(results[-1])
    return results


def _timed(call: Callable[[], T]) -> tuple[T | None, str, float]:
    start = time.perf_counter()
    try:
        value, error = call(), ""
    except RagError as fault:
        value, error = None, str(fault) or type(fault).__name__
    return value, error, time.perf_counter() - start


def _detect(text: str) -> str:
    from rag.language import detect

    return detect(text).lang
