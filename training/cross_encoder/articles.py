"""What reading is worth on the project's own articles, which it was not trained on.

    python -m training.cross_encoder.articles

Each question of `evals/questions.jsonl` is searched and its sentences are ranked, as for an
answer. Prints how often the first passage, and the first sentence, holds evidence, and how
well the best sentence's probability tells questions that the articles answer from those that
they do not; with reading and without.
"""

import tempfile
from pathlib import Path

import click
import numpy as np

from evals.cases import Case, load_cases
from evals.markdown import markdown_table
from rag.engine import Rag
from rag.resources import evals_folder, seeds_folder
from rag.retrieval.calibration import SIGNALS
from rag.retrieval.retrieve import retrieve
from rag.retrieval.sentence_selection import rank_sentences
from rag.settings import Settings
from rag.understanding.follow_up import resolve
from rag.understanding.question import to_query
from training.cross_encoder.measure import auroc

SHOWN = 8
_HEADINGS = ("signals", "n", "first passage", "first sentence", "AUROC answered or not")


@click.command()
def main() -> None:
    """Search, rank and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        # Built without validation, which is what reads the environment and .env.
        settings = Settings.model_construct(corpus=seeds_folder(), store=Path(folder), model="none")
        with Rag(settings) as rag:
            rag.ingest()
            texts = {name: document.text for name, document in rag.documents().items()}
            cases = load_cases(evals_folder() / "questions.jsonl", texts)
            choices = (SIGNALS[:3], SIGNALS[:-1], SIGNALS)
            rows = [_row(rag, cases, signals) for signals in choices]
    click.echo(markdown_table(_HEADINGS, rows))


def _row(rag: Rag, cases: tuple[Case, ...], signals: tuple[str, ...]) -> list[object]:
    first: dict[str, list[bool]] = {"passage": [], "sentence": []}
    best: dict[bool, list[float]] = {True: [], False: []}
    for case in cases:
        query = resolve(to_query(case.question, case.history), rag.parts.embedder)
        hits = retrieve(query, rag.parts, SHOWN, signals=signals)
        ranked = rank_sentences(query, hits, rag.parts)
        best[case.answerable].append(ranked[0].score)
        if case.answerable:
            sentence, source = ranked[0].sentence, ranked[0].hit.source
            first["passage"].append(_holds(case, hits[0].source, hits[0].start, hits[0].end))
            first["sentence"].append(_holds(case, source, sentence.start, sentence.end))
    told = [f"{np.mean(found):.3f}" for found in first.values()]
    area = f"{auroc(best[True], best[False]):.3f} ({len(best[False])} not)"
    return [" + ".join(signals), len(best[True]), *told, area]


def _holds(case: Case, source: str, start: int, end: int) -> bool:
    """Whether any of the evidence overlaps with a place."""
    return any(
        quote.source == source and quote.start < end and quote.end > start
        for evidence in case.evidence
        for quote in evidence.quotes
    )


if __name__ == "__main__":
    main()
