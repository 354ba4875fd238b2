"""Make `rag/relevance.json`: what each signal of a passage says of it, as a probability.

    python -m evals.fit_relevance FOLDER

FOLDER holds question sets as `evals/README.md` describes. Questions are asked of the
product, over mixed-language and one-language pools, and a logistic regression on the
hits' signals tells the right passage from the others, with every set counting the same.
Prints the weights, how well the probabilities hold for each pair of languages on
questions that were left out of the fit, and what each evidence floor would refuse: of
questions that the pool answers, and of questions on other subjects (mkqa).
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import click
import numpy as np

from evals.retrieval.sets import Pool, load_pool, read_rows
from evals.retrieval.systems import kept_embeddings, opened, passage_id
from rag.asking import understand
from rag.embed import E5_EVIDENCE_FLOOR, E5_NAME
from rag.engine import Rag
from rag.records import Hit
from rag.relevance import RELEVANCE_FILE, SIGNALS
from rag.retrieve import choose_evidence

SETS = ("xquad", "heq", "arcd")
OTHER_SUBJECTS = "mkqa"
HITS = 16
"""Hits of a question that are learned from: further ones are all wrong, and far away."""
PENALTY = 1e-5
FLOORS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class Example:
    """A hit of a question, and whether it is the right passage."""

    dataset: str
    group: str
    langs: tuple[str, str]
    signals: tuple[float, ...]
    right: bool


@dataclass(frozen=True, slots=True)
class Best:
    """The probability of the best sentence that was found for a question."""

    dataset: str
    answerable: bool
    probability: float


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--vectors", type=click.Path(path_type=Path), help="file to keep vectors in")
@click.option("--limit", default=300, show_default=True, help="questions of each set")
@click.option("--out", type=click.Path(path_type=Path), default=RELEVANCE_FILE)
def main(folder: Path, vectors: Path | None, limit: int, out: Path) -> None:
    """Ask, fit, write, and print how far the fit can be trusted."""
    examples: list[Example] = []
    best: list[Best] = []
    others = _others(folder, limit // 2)
    with kept_embeddings(vectors) as embeddings:
        for name in SETS:
            pool = load_pool(folder, name, seed=1, limit=limit * (3 if name == "xquad" else 1))
            with opened(pool, embeddings) as (rag, ids):
                examples += _examples(pool, rag, ids)
                best += _best(pool, rag, others)
            click.echo(f"{name}: {len(pool.questions)} questions, {len(pool.passages)} passages")
    held = {group for group in {e.group for e in examples} if _hash(group) % 4 == 0}
    fitted = {}
    for size in range(1, len(SIGNALS) + 1):
        for names in combinations(SIGNALS, size):
            fitted["+".join(names)] = fit([e for e in examples if e.group not in held], names)
    out.write_text(json.dumps({E5_NAME: fitted}, indent=1) + "\n", encoding="utf-8")
    click.echo(json.dumps(fitted["+".join(SIGNALS)]))
    _print_calibration([e for e in examples if e.group in held], fitted["+".join(SIGNALS)])
    _print_floors(best)


def _examples(pool: Pool, rag: Rag, ids: dict[str, str]) -> Iterator[Example]:
    for question in pool.questions:
        for hit in rag.search(question.question, HITS):
            yield Example(
                pool.name,
                question.group,
                (question.lang, hit.lang),
                tuple(hit.signals[name] for name in SIGNALS),
                passage_id(hit, ids) == question.passage,
            )


def _best(pool: Pool, rag: Rag, others: Sequence[str]) -> Iterator[Best]:
    asked = random.Random(0).sample(list(pool.questions), min(len(others), len(pool.questions)))
    for text, answerable in [(q.question, True) for q in asked] + [(t, False) for t in others]:
        hits = rag.search(text, 8)
        yield Best(pool.name, answerable, _probability(text, hits, rag))


def _probability(text: str, hits: Sequence[Hit], rag: Rag) -> float:
    """Of the best sentence, as `rag.retrieve.choose_evidence` sees it, floor or not."""
    floor, rag.parts.embedder.evidence_floor = rag.parts.embedder.evidence_floor, 0.0
    try:
        return choose_evidence(understand(text), hits, rag.parts)[0].score
    finally:
        rag.parts.embedder.evidence_floor = floor


def _others(folder: Path, limit: int) -> list[str]:
    texts = [str(row["question"]) for _, row in read_rows(folder, OTHER_SUBJECTS, "questions")]
    return random.Random(0).sample(texts, min(limit, len(texts)))


def fit(examples: Sequence[Example], names: Sequence[str]) -> dict[str, float]:
    """Weights and bias of a logistic regression, by Newton's method."""
    columns = [SIGNALS.index(name) for name in names]
    x = np.array([[e.signals[c] for c in columns] + [1.0] for e in examples])
    y = np.array([e.right for e in examples], dtype=float)
    sizes = Counter(e.dataset for e in examples)
    share = np.array([1 / sizes[e.dataset] for e in examples]) / len(sizes)
    weights = np.zeros(x.shape[1])
    penalty = PENALTY * np.diag([1.0] * len(columns) + [0.0])  # not on the bias
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (share * (y - p)) - penalty @ weights
        hessian = (x * (share * p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, gradient)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return {name: round(float(w), 4) for name, w in zip([*names, "bias"], weights, strict=True)}


def _print_calibration(examples: Sequence[Example], fitted: dict[str, float]) -> None:
    """Expected against observed, on questions that the fit did not see."""
    x = np.array([e.signals for e in examples])
    logits = x @ [fitted[name] for name in SIGNALS] + fitted["bias"]
    p = 1 / (1 + np.exp(-logits))
    right = np.array([e.right for e in examples])
    click.echo("held back: probability, share that is right, hits")
    for low, high in ((0, 0.02), (0.02, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.01)):
        inside = (p >= low) & (p < high)
        if inside.any():
            click.echo(f"  {p[inside].mean():.3f} {right[inside].mean():.3f} {inside.sum()}")
    same = np.array([e.langs[0] == e.langs[1] for e in examples])
    for name, mask in (("one language", same), ("across languages", ~same)):
        click.echo(f"  {name}: expected {p[mask].mean():.3f}, right {right[mask].mean():.3f}")


def _print_floors(best: Sequence[Best]) -> None:
    click.echo("share refused at each floor: " + " ".join(f"{floor:>6}" for floor in FLOORS))
    for name in SETS:
        for answerable in (True, False):
            found = [b.probability for b in best if (b.dataset, b.answerable) == (name, answerable)]
            shares = " ".join(f"{np.mean(np.array(found) < floor):6.3f}" for floor in FLOORS)
            click.echo(f"{name:8} {'answerable' if answerable else 'other':12} {shares}")
    click.echo(f"the floor in use is {E5_EVIDENCE_FLOOR}")


def _hash(text: str) -> int:
    return sum(text.encode())


if __name__ == "__main__":
    main()
