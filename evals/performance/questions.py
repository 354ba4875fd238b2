"""How fast one question is: its vector, reading, search, and the answer that quotes."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.cases import Case
from evals.performance.page import Row, Table, spread, whole
from evals.performance.timing import Seconds, tell, timed
from rag.embedding.cross_encoder import WEIGHTS_FILE
from rag.engine import Rag


@dataclass(frozen=True, slots=True)
class Times:
    """One kind of work, done once for each of several questions."""

    what: str
    call: str
    seconds: Seconds
    fault: str = ""
    """Why there are no times."""


def question_times(rag: Rag, cases: Sequence[Case], passages: int) -> list[Times]:
    """Times of the steps of a question, and of the answer that quotes."""
    embedder = rag.parts.embedder
    forget = embedder.read_question.cache_clear

    def vector(case: Case) -> None:
        embedder.read_question(case.question, case.lang)

    def search(case: Case) -> None:
        rag.search(case.question)

    def ask(case: Case) -> None:
        rag.ask(case.question, history=case.history)

    tell("making the vectors of questions")
    found = [Times("query vector", "`Embedder.read_question`", timed(vector, cases, forget))]
    tell(f"reading {passages} passages for each question")
    found.append(reading_times(rag, cases, passages))
    tell("searching")
    found.append(Times("question to hits", "`rag.search`", timed(search, cases, forget)))
    tell("answering by quotes")
    times = timed(ask, cases, forget)
    return [*found, Times("quoted answer", '`rag.ask`, `RAG_MODEL="none"`', times)]


def reading_times(rag: Rag, cases: Sequence[Case], passages: int) -> Times:
    """Times in which the cross-encoder reads the best passages; a fault where there is none."""
    what, call = f"{passages} passages read", "`CrossEncoder.read`"
    cross_encoder = rag.parts.cross_encoder
    if cross_encoder is None:
        reason = "cannot run here" if WEIGHTS_FILE.exists() else f"lacks {WEIGHTS_FILE.name}"
        return Times(
            what, call, (), f"not measured, and not done by search: the cross-encoder {reason}"
        )
    texts = {
        case.id: [hit.in_context for hit in rag.search(case.question, k=passages)] for case in cases
    }
    fewest = min(map(len, texts.values()))
    if fewest < passages:
        what = f"{fewest} to {passages} passages read"
    times = timed(lambda case: cross_encoder.read(case.question, texts[case.id]), cases)
    return Times(what, call, times)


def question_table(times: Sequence[Times]) -> Table:
    """Milliseconds by kind of work."""
    rows: list[Row] = [("what", "n", "median ms", "p95 ms", "call")]
    for each in times:
        milliseconds = [1000 * seconds for seconds in each.seconds]
        call = f"{each.call} ({each.fault})" if each.fault else each.call
        rows.append((each.what, whole(len(milliseconds)), *spread(milliseconds), call))
    return Table(
        "One question",
        "Asked one by one of a warm store of the five articles: models, index and vectors of "
        "passages are loaded, but each question is new. The query vector holds the vectors of "
        "the question's tokens too; the passages that are read are the best hits; a quoted "
        "answer is search, choice of sentences and quote, for a follow-up with its history.",
        tuple(rows),
    )
