"""Make `rag/relevance.json`: what each signal of a passage says of it, as a probability.

    python -m evals.token_projection … --leave-out xquad --out FILE
    python -m evals.fit_relevance FOLDER --projection FILE

FOLDER holds question sets as `evals/README.md` describes. Questions are asked of the
product, over mixed-language and one-language pools; a conditional logit on the hits'
signals puts the right passage before the others, and a logistic regression on the sum
makes a probability of it, with every set counting the same.
The tokens' projection is one that was not trained on these sets, or the weight of tokens
would be that of tokens that know the answers. Prints the weights, how well the
probabilities hold on questions that were left out of the fit, and what each evidence
floor would refuse: of questions that the pool answers, and of questions on other
subjects (mkqa).
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from evals.retrieval.sets import Pool, load_pool, read_rows
from evals.retrieval.systems import kept_embeddings, opened, passage_id
from rag.asking import understand
from rag.embed import E5_EVIDENCE_FLOOR, E5_NAME
from rag.engine import Rag
from rag.late_interaction import PROJECTION_FILE, TokenProjection
from rag.records import Hit
from rag.relevance import RELEVANCE_FILE, SIGNALS, forget_fitted
from rag.retrieve import choose_evidence

SETS = ("xquad", "heq", "arcd")
OTHER_SUBJECTS = "mkqa"
Array = NDArray[Any]
_SHARE = {"xquad": 3}
"""More questions of the one set that is asked and stored in several languages."""
HITS = 64
"""Hits of a question that are learned from: all that the signals look at, since among the
few that are best by their sum each signal would seem to speak against the others."""
PENALTY = 1e-6
_LONGEST_STEP = 5.0
FLOORS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class Example:
    """A hit of a question, and whether it is the right passage."""

    dataset: str
    group: str
    question: str
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
@click.option(
    "--projection",
    type=click.Path(exists=True, path_type=Path),
    default=PROJECTION_FILE,
    help="projection to fit with; the floors are always judged with the one that ships",
)
@click.option("--limit", default=300, show_default=True, help="questions of each set")
@click.option("--out", type=click.Path(path_type=Path), default=RELEVANCE_FILE)
def main(folder: Path, vectors: Path | None, projection: Path, limit: int, out: Path) -> None:
    """Ask, fit, write, and print how far the fit can be trusted."""
    examples: list[Example] = []
    best: list[Best] = []
    others = _others(folder, limit // 2)
    with kept_embeddings(vectors) as embeddings:
        pools = [
            load_pool(folder, name, seed=1, limit=limit * _SHARE.get(name, 1)) for name in SETS
        ]
        for pool in pools:
            with opened(pool, embeddings) as (rag, ids):
                rag.parts.embedder.projection = TokenProjection(projection)
                examples += _examples(pool, rag, ids)
            click.echo(
                f"{pool.name}: {len(pool.questions)} questions, {len(pool.passages)} passages"
            )
        held = {e.group for e in examples if sum(e.group.encode()) % 4 == 0}
        fitted = {
            "+".join(names): fit([e for e in examples if e.group not in held], names)
            for size in range(1, len(SIGNALS) + 1)
            for names in combinations(SIGNALS, size)
        }
        out.write_text(json.dumps({E5_NAME: fitted}, indent=1) + "\n", encoding="utf-8")
        click.echo("\n".join(f"{names}: {weights}" for names, weights in fitted.items()))
        _print_calibration([e for e in examples if e.group in held], fitted["+".join(SIGNALS)])
        if out != RELEVANCE_FILE:
            return
        forget_fitted()
        for pool in pools:
            with opened(pool, embeddings) as (rag, _):
                best += _best(pool, rag, others)
    _print_floors(best)


def _examples(pool: Pool, rag: Rag, ids: dict[str, str]) -> Iterator[Example]:
    for question in pool.questions:
        for hit in rag.search(question.question, HITS):
            yield Example(
                pool.name,
                question.group,
                f"{pool.name} {question.question}",
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
    """Weights that put the right hit of a question first, scaled to be log-odds, and the bias."""
    columns = [SIGNALS.index(name) for name in names]
    x = np.array([[e.signals[c] for c in columns] for e in examples])
    right = np.array([e.right for e in examples])
    shares = _equal_shares(examples)
    _, asked = np.unique([e.question for e in examples], return_inverse=True)
    known = np.zeros(asked.max() + 1, dtype=bool)
    known[asked[right]] = True  # questions whose right passage was among the hits
    direction = _rank(
        x[known[asked]], right[known[asked]], asked[known[asked]], shares[known[asked]]
    )
    scale, bias = _calibrate(x @ direction, right, shares)
    weights = [round(float(w), 4) for w in (*(scale * direction), bias)]
    return dict(zip([*names, "bias"], weights, strict=True))


def _equal_shares(examples: Sequence[Example]) -> Array:
    """How much each example counts, so that every set counts the same."""
    sizes = Counter(e.dataset for e in examples)
    return np.array([1 / sizes[e.dataset] / len(sizes) for e in examples])


def _rank(x: Array, right: Array, asked: Array, shares: Array) -> Array:
    """A conditional logit over the hits of each question, by Newton's method."""
    weights = np.ones(x.shape[1])
    for _ in range(50):
        scores = x @ weights
        highest = np.full(asked.max() + 1, -np.inf)
        np.maximum.at(highest, asked, scores)
        scores = np.exp(scores - highest[asked])
        p = scores / np.bincount(asked, scores)[asked]
        means = np.stack([np.bincount(asked, p * column)[asked] for column in x.T], axis=1)
        within = (shares * p)[:, None] * (x - means)
        gradient = (shares * right) @ (x - means) - PENALTY * weights
        step = np.linalg.solve(within.T @ (x - means) + PENALTY * np.eye(len(weights)), gradient)
        weights += step * min(1.0, _LONGEST_STEP / np.abs(step).max())
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _calibrate(scores: Array, right: Array, shares: Array) -> Array:
    """Scale and bias that make log-odds of the scores."""
    x = np.stack([scores, np.ones_like(scores)], axis=1)
    weights = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        hessian = (x * (shares * p * (1 - p))[:, None]).T @ x + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, x.T @ (shares * (right - p)))
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights


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


if __name__ == "__main__":
    main()
