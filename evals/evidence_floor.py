"""What `rag.embed.E5_EVIDENCE_FLOOR` refuses, of answerable questions and of others.

    python -m evals.evidence_floor --data FOLDER

Scores each question of three reading sets against the passage that answers it and
against a passage drawn at random, as `rag.retrieve` scores its best sentence.
"""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import click
import numpy as np

from rag.embed import E5_EVIDENCE_FLOOR, E5_NAME, E5Embeddings, LanguageMeans
from rag.sentences import split_sentences

SETS = (("xquad", "xquad_cross"), ("heq", "heq"), ("poquad", "poquad"))
FLOORS = (0.10, 0.12, 0.15, 0.18, 0.20, 0.24)


def _rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Scorer:
    """Scores one question against one passage, without a store."""

    def __init__(self) -> None:
        self._embeddings, self._means = E5Embeddings(), LanguageMeans.of(E5_NAME)

    def score(self, question: str, question_lang: str, passage: str, lang: str) -> float:
        """The score of the passage's best sentence, as the reader's evidence has it."""
        texts = [passage, *(passage[a:b] for a, b in split_sentences(passage, lang))]
        raw = self._embeddings.vectors(texts, "passage")
        asked = self._embeddings.vectors([question], "query")
        cosines = (
            self._means.centre(raw, [lang] * len(texts), "passage")
            @ self._means.centre(asked, [question_lang], "query")[0]
        )
        best = cosines[1:].max()
        return float((best + (cosines[0] + best) / 2) / 2)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--sample", default=100, show_default=True, help="questions of each set")
def main(data: Path, sample: int) -> None:
    """Print the share below each floor."""
    scorer = Scorer()
    for passages, questions in SETS:
        texts = {row["id"]: row for row in _rows(data / f"{passages}.passages.jsonl.gz")}
        rows = [row for row in _rows(data / f"{questions}.questions.jsonl.gz") if row["answers"]]
        draw = random.Random(0)
        scores: dict[str, list[float]] = {"answerable": [], "other": []}
        for row in draw.sample(rows, sample):
            for kind, text in (
                ("answerable", texts[row["passage_id"]]),
                ("other", draw.choice(list(texts.values()))),
            ):
                score = scorer.score(
                    row["question"], row["lang_question"], text["text"][:1200], text["lang"]
                )
                scores[kind].append(score)
        for kind, found in scores.items():
            shares = "  ".join(
                f"{floor}: {np.mean(np.array(found) < floor):.3f}" for floor in FLOORS
            )
            click.echo(f"{questions:12} {kind:10} n={len(found)}  refused at {shares}")
    click.echo(f"the floor in use is {E5_EVIDENCE_FLOOR}")


if __name__ == "__main__":
    main()
