"""Make `rag/language_means.npz`: the mean vector of each language, from public text.

    python -m evals.language_means --data FOLDER --train FOLDER

The folders hold `<set>.questions.jsonl.gz`, `<set>.passages.jsonl.gz` and reading
sets as `evals/README.md` describes. Means are written as 16-bit floats under
`query/<lang>` and `passage/<lang>`, each of 384 numbers.
"""

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from rag.embed import MEANS_FILE, E5Embeddings, Kind

QUESTIONS = ("xquad", "mkqa", "heq", "poquad", "arcd")
PASSAGES = ("ntrex", "xquad", "heq", "poquad", "arcd")
READING = (
    "kazqad_kk", "pquad_fa", "jaquad_ja", "faquad_pt", "squad_es_dist", "squad_en_part",
    "swequad_sv", "norquad_no", "iapp_th", "amqa_am", "omosqa",
)  # fmt: skip
SENTENCES = ("parallel_pud", "parallel_tico19")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def collect(data: Path, train: Path) -> dict[tuple[Kind, str], list[str]]:
    """Texts by kind and language; the sets overlap in subject, so no topic rules a mean."""
    texts: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    for name in QUESTIONS:
        for row in _rows(data / f"{name}.questions.jsonl.gz"):
            texts["query", row["lang_question"]].append(row["question"])
    for name in PASSAGES:
        for row in _rows(data / f"{name}.passages.jsonl.gz"):
            texts["passage", row["lang"]].append(row["text"][:400])
    for name in READING:
        for row in _rows(train / f"{name}.jsonl.gz"):
            texts["query", row["lang"]].append(row["question"])
            texts["passage", row["lang"]].append(row["context"][:400])
    for name in SENTENCES:
        for row in _rows(train / f"{name}.jsonl.gz"):
            texts["passage", row["lang_b"]].append(row["text_b"])
    return texts


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--train", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--sample", default=150, show_default=True, help="texts for each mean")
@click.option("--out", type=click.Path(path_type=Path), default=MEANS_FILE)
def main(data: Path, train: Path, sample: int, out: Path) -> None:
    """Embed a sample of each language and write its mean."""
    embeddings, means = E5Embeddings(), {}
    for (kind, lang), texts in sorted(collect(data, train).items()):
        unique = sorted(set(texts))
        if len(unique) < sample // 2:
            continue
        chosen = random.Random(0).sample(unique, min(sample, len(unique)))
        means[f"{kind}/{lang}"] = embeddings.vectors(chosen, kind).mean(0).astype("f2")
        click.echo(f"{kind:8}{lang:4}{len(chosen):5}")
    np.savez_compressed(out, **means)


if __name__ == "__main__":
    main()
