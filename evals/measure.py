"""Ask the questions one by one and score what comes back."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from evals.cases import Case, Distractor, Evidence, Quote
from evals.metrics import Detector, Scores, cited, evidence_found, failed, score
from evals.recording import Recording
from rag.errors import InputError, RagError
from rag.records import Answer, AnswerEvent, CallEvent, Document, Event, Hit, HitsEvent, Record
from rag.settings import Settings


class Engine(Protocol):
    """What is measured: `rag.open()` gives one."""

    @property
    def settings(self) -> Settings:
        """What it was opened with."""

    def stream(self, question: str, history: Sequence[tuple[str, str]] = ...) -> Iterator[Event]:
        """What happens on the way to the answer, and the answer last."""

    def search(self, question: str, k: int = ...) -> Sequence[Hit]:
        """The passages that are found for a question."""

    def documents(self) -> Mapping[str, Document]:
        """The stored articles by name."""


@dataclass(frozen=True, slots=True)
class Result(Record):
    """One question's outcome: an answer, hits alone, or an error."""

    case: Case
    answer: dict[str, Any] | None
    """As `Answer.to_dict()` without hits; None after an error and when only searching."""
    hits: tuple[dict[str, Any], ...]
    calls: tuple[dict[str, Any], ...]
    """As `CallEvent.to_dict()` without its kind."""
    error: str
    """The message of the RagError that took the answer's place, or ""."""
    scores: Scores
    cited: tuple[int, ...]
    """Positions in `case.evidence` of the facts that the answer cites."""
    seconds: float

    @property
    def cached(self) -> bool:
        """Whether a reply of the chat model was kept from before, so that time tells little."""
        return any(call["cached"] for call in self.calls)

    def line(self) -> str:
        """The result as one line of JSON."""
        row = self.to_dict()
        case = row.pop("case")
        case["evidence"] = [item["quotes"] for item in case["evidence"]]
        return json.dumps(case | row, ensure_ascii=False)

    @classmethod
    def read(cls, line: str | bytes) -> Self:
        """A result from its line; raises ValueError for what is none."""
        try:
            return cls._of(json.loads(line))
        except (KeyError, TypeError, AttributeError) as fault:
            raise ValueError(f"this is no result: {fault!r}") from fault

    @classmethod
    def _of(cls, row: dict[str, Any]) -> Self:
        trap = row["distractor"]
        case = Case(
            id=row["id"],
            lang=row["lang"],
            kind=row["kind"],
            group=row["group"],
            question=row["question"],
            history=tuple((asked, answered) for asked, answered in row["history"]),
            evidence=tuple(Evidence(_quotes(item)) for item in row["evidence"]),
            must=tuple(tuple(group) for group in row["must"]),
            must_not=tuple(row["must_not"]),
            distractor=Distractor(_quotes(trap["quotes"]), trap["type"]) if trap else None,
        )
        return cls(
            case=case,
            answer=row["answer"],
            hits=tuple(row["hits"]),
            calls=tuple(row["calls"]),
            error=row["error"],
            scores=Scores(**row["scores"]),
            cited=tuple(row["cited"]),
            seconds=float(row["seconds"]),
        )


Progressed = Callable[[Result], None]

Further = Callable[[Case, Answer | None, Scores], Scores]
"""The scores with more of them; the answer is None after an error."""


@dataclass(slots=True)
class _Outcome:
    """What came of one question so far."""

    answer: Answer | None = None
    hits: tuple[Hit, ...] = ()
    calls: list[CallEvent] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0


def run(
    engine: Engine,
    cases: Sequence[Case],
    articles: Mapping[str, str],
    progress: Progressed = lambda result: None,
    detect: Detector | None = None,
    further: Sequence[Further] = (),
    recording: Recording | None = None,
) -> list[Result]:
    """Ask every question in turn; `progress` gets each result as soon as it is there.

    A RagError counts against its own question only; any other exception ends the run. A
    question that waits for a reply of the recording has no result.
    """
    judge = detect or _detect

    def measure(case: Case) -> Result | None:
        if recording:
            recording.begin(case.id)
        outcome = _ask(engine, case)
        if recording and recording.waits:
            return None
        answer, hits = outcome.answer, outcome.hits
        scores = score(case, answer, articles, judge) if answer else failed(case, hits)
        for more in further:
            scores = more(case, answer, scores)
        return Result(
            case=case,
            answer=_without(answer, "hits") if answer else None,
            hits=tuple(hit.to_dict() for hit in hits),
            calls=tuple(_call(call, recording is not None) for call in outcome.calls),
            error=outcome.error,
            scores=scores,
            cited=cited(case, answer.citations) if answer else (),
            seconds=outcome.seconds,
        )

    return _each(cases, measure, progress)


def run_search(
    engine: Engine, cases: Sequence[Case], progress: Progressed = lambda result: None, k: int = 8
) -> list[Result]:
    """Search for every question in turn and score the passages alone.

    Pass `searchable` cases: follow-ups mean little without their history.
    """

    def measure(case: Case) -> Result:
        start, error = time.perf_counter(), ""
        hits: Sequence[Hit] = ()
        try:
            hits = engine.search(case.question, k=k)
        except RagError as fault:
            error = _told(fault)
        seconds = time.perf_counter() - start
        found, scores = tuple(hit.to_dict() for hit in hits), evidence_found(case, hits)
        return Result(case, None, found, (), error, Scores(evidence_found=scores), (), seconds)

    return _each(cases, measure, progress)


def _ask(engine: Engine, case: Case) -> _Outcome:
    outcome = _Outcome()
    start = time.perf_counter()
    try:
        for event in engine.stream(case.question, history=list(case.history)):
            if isinstance(event, HitsEvent):
                outcome.hits = event.hits
            elif isinstance(event, CallEvent):
                outcome.calls.append(event)
            elif isinstance(event, AnswerEvent):
                outcome.answer = event.answer
        outcome.error = "" if outcome.answer else "the stream ended without an answer"
    except RagError as fault:
        outcome.answer, outcome.error = None, _told(fault)
    outcome.seconds = time.perf_counter() - start
    return outcome


def _each(
    cases: Sequence[Case], measure: Callable[[Case], Result | None], progress: Progressed
) -> list[Result]:
    if not cases:
        raise InputError("nothing was measured: there are no questions")
    results = []
    for case in cases:
        result = measure(case)
        if result is not None:
            results.append(result)
            progress(result)
    return results


def _call(call: CallEvent, recorded: bool) -> dict[str, Any]:
    """The call as a result holds it; a recorded reply is one that was kept."""
    return _without(call, "kind") | ({"cached": True} if recorded else {})


def _told(fault: RagError) -> str:
    return str(fault) or type(fault).__name__


def _without(record: Record, name: str) -> dict[str, Any]:
    return {key: value for key, value in record.to_dict().items() if key != name}


def _quotes(rows: Sequence[Mapping[str, Any]]) -> tuple[Quote, ...]:
    return tuple(Quote(**row) for row in rows)


def _detect(text: str) -> str:
    from rag.languages.detect import detect

    return detect(text).lang
