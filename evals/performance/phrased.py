"""How fast the chat model answers, and what comes of it."""

import gc
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import click

from evals.cases import Case
from evals.measure import Engine, Result, run
from evals.performance.page import LEAST, Table, fine, mean, spread, whole
from evals.performance.timing import tell
from rag.engine import Rag
from rag.errors import ModelError
from rag.models.weights import EMBEDDED, embedded_model
from rag.records import Mode
from rag.settings import cache_folder


@dataclass(frozen=True, slots=True)
class Phrased:
    """Answers of the chat model; the first one apart, because the model is loaded for it."""

    first: Result
    later: tuple[Result, ...]


def model_tables(rag: Rag, cases: Sequence[Case], articles: Mapping[str, str]) -> list[Table]:
    """Times of phrased answers and what came of them, or why there are none."""
    try:
        tell("joining the chat model's file, where it is not there")
        embedded_model(cache_folder())
        return phrased_tables(phrase(rag, cases, articles))
    except ModelError as error:
        click.echo(str(error), err=True)
        return [Table("Phrased answer", "Not measured: the chat model cannot be used here.", ())]


def phrase(engine: Engine, cases: Sequence[Case], articles: Mapping[str, str]) -> Phrased:
    """Ask the chat model each question, the first one apart."""

    def show(result: Result) -> None:
        mode = result.answer["mode"] if result.answer else result.error
        click.echo(f"{result.case.id}: {result.seconds:.1f} s, {mode}", err=True)

    tell(f"asking the chat model 1 question and {len(cases) - 1} more")
    gc.collect()
    (first,) = run(engine, cases[:1], articles, show)
    if first.error:
        raise ModelError(first.error)
    return Phrased(first, tuple(run(engine, cases[1:], articles, show)))


def phrased_tables(phrased: Phrased) -> list[Table]:
    """Seconds of the answers; how they ended and what they took."""
    call = '`rag.ask`, `RAG_MODEL="embedded"`, `RAG_ANSWERS="words"`'
    answers = [result.answer for result in phrased.later if result.answer]
    seconds = [result.seconds for result in phrased.later if result.answer]
    times = [
        ("what", "n", "median s", "p95 s", "call"),
        ("first answer, the model is loaded", "1", *spread([phrased.first.seconds]), call),
        ("later answers", whole(len(seconds)), *spread(seconds), call),
    ]
    modes = Counter(answer["mode"] for answer in answers)
    shares = [
        (mode, f"{modes[mode] / len(answers):.3f}" if len(answers) >= LEAST else "–")
        for mode in get_args(Mode)
    ]
    taken = [
        (label, fine(mean([answer["usage"][name] for answer in answers])))
        for label, name in (
            ("calls", "calls"),
            ("prompt tokens", "prompt_tokens"),
            ("of them cached", "cached_tokens"),
            ("completion tokens", "completion_tokens"),
        )
    ]
    failed = len(phrased.later) - len(answers)
    outcome = [("n", whole(len(answers))), ("errors", whole(failed)), *shares, *taken]
    return [
        Table(
            "Phrased answer",
            f"From question to checked answer by the embedded {EMBEDDED.title}, whose file was "
            "joined before. The questions are spread over kinds and languages. Claims that "
            "the checks refuse are asked for once more; where none passes, sentences are quoted.",
            tuple(times),
        ),
        Table(
            "What came of the later answers",
            "Shares of them by how they ended, and the mean of what one question took. Errors, "
            "such as a model that was not done in time, count in no other figure.",
            (tuple(label for label, _ in outcome), tuple(value for _, value in outcome)),
        ),
    ]
