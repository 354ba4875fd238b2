"""Make `rag/embedding/language_means.npz`: the mean vector of each language, from public text.

    python -m training.language_means --data FOLDER --train FOLDER

The folders hold `<set>.questions.jsonl.gz`, `<set>.passages.jsonl.gz` and reading
sets as `evals/README.md` describes. A mean is the average of two: that of text which
says the same thing in every language (xquad), so that no topic is in it, and that of
a mixture of sets; or the one of the two that there is. A language of which there are
sentences but no questions gets, as the mean of its questions, that of its sentences
moved by how far the two lie apart in other languages. Means are written as 16-bit
floats under `query/<lang>`, `passage/<lang>` and `sentence/<lang>`, each of 384 numbers.
"""

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from evals.rows import rows
from rag.embedding.encoder import Encoder, Vectors
from rag.embedding.language_means import MEANS_FILE, Text

QUESTIONS = ("xquad", "mkqa", "heq", "arcd")
PASSAGES = ("ntrex", "xquad", "heq", "arcd")
READING = (
    "kazqad_kk", "pquad_fa", "jaquad_ja", "faquad_pt", "squad_es_dist", "squad_en_part",
    "swequad_sv", "norquad_no", "iapp_th", "amqa_am", "omosqa",
)  # fmt: skip
SENTENCES = ("parallel_pud", "parallel_tico19")
PARALLEL = "xquad"
MIXED = 150
"""Texts of a language and kind that are drawn from the mixture."""

Kinds = tuple[Text, str]
"""What the text is, and its language."""


def collect_mixture(data: Path, train: Path) -> dict[Kinds, list[str]]:
    """Texts of many sets; they overlap in subject, so that no topic rules a mean."""
    texts: dict[Kinds, list[str]] = defaultdict(list)
    for name in QUESTIONS:
        for row in rows(data / f"{name}.questions.jsonl.gz"):
            texts["query", row["lang_question"]].append(row["question"])
    for name in PASSAGES:
        for row in rows(data / f"{name}.passages.jsonl.gz"):
            texts["passage", row["lang"]].append(row["text"][:400])
    for row in rows(data / "ntrex.questions.jsonl.gz"):
        texts["sentence", row["lang_question"]].append(row["question"])
    for name in READING:
        for row in rows(train / f"{name}.jsonl.gz"):
            texts["query", row["lang"]].append(row["question"])
            texts["passage", row["lang"]].append(row["context"][:400])
    for name in SENTENCES:
        for row in rows(train / f"{name}.jsonl.gz"):
            texts["passage", row["lang_b"]].append(row["text_b"])
            texts["sentence", row["lang_b"]].append(row["text_b"])
            texts["sentence", "en"].append(row["text_a"])
    return texts


def collect_parallel(data: Path) -> dict[Kinds, list[str]]:
    """The same questions, passages and sentences in each of their languages."""
    texts: dict[Kinds, list[str]] = defaultdict(list)
    for row in rows(data / f"{PARALLEL}.questions.jsonl.gz"):
        texts["query", row["lang_question"]].append(row["question"])
    for row in rows(data / f"{PARALLEL}.passages.jsonl.gz"):
        texts["passage", row["lang"]].append(row["text"])
        spans = row.get("sentences", [])
        texts["sentence", row["lang"]] += [row["text"][start:end] for start, end in spans]
    return texts


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--train", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), default=MEANS_FILE)
def main(data: Path, train: Path, out: Path) -> None:
    """Embed the texts of each language and write their means."""
    encoder = Encoder()
    mixture, parallel = collect_mixture(data, train), collect_parallel(data)
    found: dict[Kinds, list[Vectors]] = defaultdict(list)
    for key, texts in sorted(mixture.items()):
        unique = sorted(set(texts))
        if len(unique) >= MIXED // 2:
            chosen = random.Random(0).sample(unique, min(MIXED, len(unique)))
            found[key].append(_mean(encoder, chosen, key[0]))
    for key, texts in sorted(parallel.items()):
        if texts:
            found[key].append(_mean(encoder, texts, key[0]))
    means = {key: np.mean(each, axis=0) for key, each in found.items()}
    both = [lang for kind, lang in means if kind == "query" and ("sentence", lang) in means]
    apart = np.mean([means["query", lang] - means["sentence", lang] for lang in both], axis=0)
    for lang in [lang for kind, lang in means if kind == "sentence" and lang not in both]:
        means["query", lang] = means["sentence", lang] + apart
    arrays: dict[str, Any] = {f"{kind}/{lang}": m.astype("f2") for (kind, lang), m in means.items()}
    click.echo(" ".join(sorted(arrays)))
    np.savez_compressed(out, **arrays)


def _mean(encoder: Encoder, texts: list[str], text: Text) -> Vectors:
    vectors = encoder.vectors(texts, "query" if text == "query" else "passage")
    return np.asarray(vectors.mean(axis=0))


if __name__ == "__main__":
    main()
