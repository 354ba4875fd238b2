"""Make `rag/retrieval/calibration.json`: the probability that each signal makes.

    python -m training.token_projection … --leave-out xquad --out FILE
    python -m training.fit_calibration FOLDER --projection FILE

FOLDER holds question sets as `evals/README.md` describes. Questions are asked of the
product, over mixed-language and one-language pools, on articles that the cross-encoder was not
trained on. A conditional logit on the hits' signals puts the right passage before the
others, and a logistic regression on the sum makes a probability of it, with every set
counting the same; another conditional logit tells the sentences of the right passage apart.
The tokens' projection is one that was not trained on these sets, or the weight of tokens
would be that of tokens that know the answers.

The floor is the probability of the best sentence below which a question is not answered:
the highest that refuses at most ACCEPTED of the questions that the pool answers. Prints the
weights, how well the probabilities hold on questions that were left out of the fit, and what
each floor would refuse: of questions that the pool answers; of the same with their passage
taken away, so that near ones are left; of heq's that its passages do not answer; and of
questions on other subjects (mkqa).
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

from evals.retrieval.sets import Pool, Question, load_pool
from evals.retrieval.systems import kept_embeddings, opened, passage_id
from evals.rows import read_rows
from rag.embedding.e5 import E5_NAME
from rag.embedding.late_interaction import PROJECTION_FILE, TokenProjection
from rag.engine import Rag
from rag.records import Hit
from rag.retrieval.calibration import CALIBRATION_FILE, SIGNALS, fitted_weights, reread_relevance
from rag.retrieval.sentence_selection import REREAD, likely_sentences, read_alone, sentence_signals
from rag.understanding.question import to_query
from training.cross_encoder.examples import is_held_out

SETS = ("xquad", "heq", "arcd")
OTHER_SUBJECTS = "mkqa"
Array = NDArray[Any]
_SHARE = {"xquad": 3}
"""More questions of the one set that is asked and stored in several languages."""
HITS = 64
"""Hits of a question that are learned from: all that the signals look at, since among the
few that are best by their sum each signal would seem to speak against the others."""
SHOWN = 8
"""Hits of which sentences are chosen, as the product does."""
OF_SENTENCES = ("sentence", "tokens", "cross_encoder")
_JUDGED = (SIGNALS[:-1], SIGNALS)
"""Without the cross-encoder, and with it."""
ACCEPTED = 0.03
"""Share of the questions with an answer that may be refused."""
PENALTY = 1e-6
_LONGEST_STEP = 5.0
FLOORS = (0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Example:
    """A hit of a question, or a sentence of its right passage, and whether it is the right one."""

    dataset: str
    group: str
    question: str
    langs: tuple[str, str]
    signals: dict[str, float]
    right: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The sentences that a question has found."""

    dataset: str
    kind: str
    """"answered", "taken away", "not answered" or "other subject"."""
    signals: str
    likely: Array
    """The probability of each of the best few, before it was read by itself."""
    alone: Array
    """The log-odds that the cross-encoder gives it by itself; empty without one."""
    right: Array
    """Whether the answer begins in it."""

    @property
    def probability(self) -> float:
        """Of the best one, as the product sees it."""
        scores = (
            reread_relevance(self.likely, self.alone, E5_NAME) if len(self.alone) else self.likely
        )
        return float(scores.max(initial=0.0))


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--vectors", type=click.Path(path_type=Path), help="file to keep vectors in")
@click.option(
    "--projection",
    type=click.Path(exists=True, path_type=Path),
    default=PROJECTION_FILE,
    help="projection to fit with; the floors are always judged with the one that ships",
)
@click.option("--limit", default=150, show_default=True, help="questions of each set")
@click.option("--out", type=click.Path(path_type=Path), default=CALIBRATION_FILE)
def main(folder: Path, vectors: Path | None, projection: Path, limit: int, out: Path) -> None:
    """Ask, fit, write, and print how far the fit can be trusted."""
    passages: list[Example] = []
    sentences: list[Example] = []
    with kept_embeddings(vectors) as embeddings:
        pools = [
            load_pool(folder, name, 1, limit * _SHARE.get(name, 1), is_held_out) for name in SETS
        ]
        for pool in pools:
            with opened(pool, embeddings) as (rag, ids):
                rag.parts.embedder.projection = TokenProjection(projection)
                for question in pool.questions:
                    hits = rag.search(question.question, HITS)
                    passages += _passages(pool, question, hits, ids)
                    sentences += _sentences(pool, question, hits, ids, rag)
            click.echo(
                f"{pool.name}: {len(pool.questions)} questions, {len(pool.passages)} passages"
            )
        held = {e.group for e in passages if sum(e.group.encode()) % 4 == 0}
        learned = [e for e in passages if e.group not in held]
        fitted: dict[str, Any] = {
            "passage": {"+".join(n): fit(_with(learned, n), n) for n in _choices(SIGNALS)},
            "sentence": {
                "+".join(n): _fit_sentences(_with(sentences, n), n) for n in _choices(OF_SENTENCES)
            },
        }
        _write(out, fitted)
        for part in fitted.values():
            click.echo("\n".join(f"{names}: {weights}" for names, weights in part.items()))
        _print_calibration([e for e in passages if e.group in held], fitted["passage"])
        if out != CALIBRATION_FILE:
            return
        fitted_weights.cache_clear()
        found: list[Found] = []
        others = _others(folder, limit)
        for pool in pools:
            missing = _not_answered(folder, pool.name, limit)
            with opened(pool, embeddings) as (rag, ids):
                found += _found(pool, rag, ids, others, missing)
    fitted["reread"] = _fit_reread([f for f in found if len(f.alone)])
    click.echo(f"reread: {fitted['reread']}")
    _write(out, fitted)
    fitted_weights.cache_clear()
    fitted["abstention_threshold"] = {
        names: _floor(found, names) for names in sorted({f.signals for f in found})
    }
    _write(out, fitted)
    _print_floors(found, fitted["abstention_threshold"])


def _write(out: Path, fitted: dict[str, Any]) -> None:
    out.write_text(json.dumps({E5_NAME: fitted}, indent=1) + "\n", encoding="utf-8")


def _choices(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(1, len(names) + 1):
        yield from combinations(names, size)


def _with(examples: Sequence[Example], names: Sequence[str]) -> list[Example]:
    """Those of which all these signals are known."""
    return [e for e in examples if all(name in e.signals for name in names)]


def _passages(
    pool: Pool, question: Question, hits: Sequence[Hit], ids: dict[str, str]
) -> Iterator[Example]:
    for hit in hits:
        yield Example(
            pool.name,
            question.group,
            f"{pool.name} {question.question}",
            (question.lang, hit.lang),
            dict(hit.signals),
            passage_id(hit, ids) == question.passage,
        )


def _sentences(
    pool: Pool, question: Question, hits: Sequence[Hit], ids: dict[str, str], rag: Rag
) -> Iterator[Example]:
    """Of the right passage, where it is among the first; right is where the answer begins."""
    shown = hits[:SHOWN]
    at = 0
    signals = sentence_signals(to_query(question.question), shown, rag.parts)
    for hit in shown:
        if passage_id(hit, ids) == question.passage and question.answer and hit.shares:
            start = question.answer[0]
            for i, sentence in enumerate(hit.sentences, at):
                yield Example(
                    pool.name,
                    question.group,
                    f"{pool.name} {question.question} {hit.start}",
                    (question.lang, hit.lang),
                    {name: float(values[i]) for name, values in signals.items()},
                    sentence.start <= start < sentence.end,
                )
        at += len(hit.sentences)


def _found(
    pool: Pool, rag: Rag, ids: dict[str, str], others: Sequence[str], missing: Sequence[str]
) -> Iterator[Found]:
    """Of each question the best sentences, with reading and without."""
    for signals in _JUDGED:
        for question in pool.questions:
            hits = rag.search(question.question, SHOWN + 1, signals=signals)
            near = [hit for hit in hits if passage_id(hit, ids) != question.passage]
            for kind, kept in (("answered", hits[:SHOWN]), ("taken away", near[:SHOWN])):
                yield _sentences_of(pool, kind, question.question, kept, rag, ids, question)
        for kind, texts in (("not answered", missing), ("other subject", others)):
            for text in texts:
                hits = rag.search(text, SHOWN, signals=signals)
                yield _sentences_of(pool, kind, text, hits, rag, ids)


def _sentences_of(
    pool: Pool, kind: str, text: str, hits: Sequence[Hit], rag: Rag, ids: dict[str, str],
    asked: Question | None = None,
) -> Found:  # fmt: skip
    query = to_query(text)
    best = likely_sentences(query, hits, rag.parts)[:REREAD]
    read = bool(best) and "cross_encoder" in hits[0].signals
    start = asked.answer[0] if asked and asked.answer else -1
    right = [
        asked is not None
        and passage_id(each.hit, ids) == asked.passage
        and each.sentence.start <= start < each.sentence.end
        for each in best
    ]
    names = "+".join(hits[0].signals) if hits else ""
    alone = read_alone(query, best, rag.parts) if read else []
    likely = np.array([each.score for each in best])
    return Found(pool.name, kind, names, likely, np.array(alone), np.array(right, dtype=bool))


def _fit_reread(found: Sequence[Found]) -> dict[str, float]:
    """A logistic regression over sentences; those of each set and kind count the same."""
    likely = np.concatenate([f.likely for f in found])
    before = np.log(np.maximum(likely, 1e-9) / np.maximum(1 - likely, 1e-9))
    alone = np.concatenate([f.alone for f in found])
    right = np.concatenate([f.right for f in found])
    names = [(f.dataset, f.kind) for f in found for _ in f.likely]
    counts = Counter(names)
    shares = np.array([1 / counts[name] for name in names]) / len(counts)
    weights = _logistic(np.stack([before, alone, np.ones_like(alone)], axis=1), right, shares)
    told = [round(float(w), 4) for w in weights]
    return dict(zip(("likely", "alone", "bias"), told, strict=True))


def _others(folder: Path, limit: int) -> list[str]:
    texts = [str(row["question"]) for _, row in read_rows(folder, OTHER_SUBJECTS, "questions")]
    return random.Random(0).sample(texts, min(limit, len(texts)))


def _not_answered(folder: Path, name: str, limit: int) -> list[str]:
    """Questions that the set itself calls unanswered, on articles kept from the cross-encoder."""
    titles = {str(row["id"]): str(row["title"]) for _, row in read_rows(folder, name, "passages")}
    texts = [
        str(row["question"])
        for _, row in read_rows(folder, name, "questions")
        if row["task"] == "abstain" and is_held_out(titles[str(row["passage_id"])])
    ]
    return random.Random(0).sample(texts, min(limit, len(texts)))


def fit(examples: Sequence[Example], names: Sequence[str]) -> dict[str, float]:
    """Weights that put the right hit of a question first, scaled to be log-odds, and the bias."""
    x, right, shares = _arrays(examples, names)
    direction = _direction(examples, names)
    scale, bias = _calibrate(x @ direction, right, shares)
    weights = [round(float(w), 4) for w in (*(scale * direction), bias)]
    return dict(zip([*names, "bias"], weights, strict=True))


def _fit_sentences(examples: Sequence[Example], names: Sequence[str]) -> dict[str, float]:
    """Weights that put the right sentence of a passage first; probabilities of a softmax."""
    weights = [round(float(w), 4) for w in _direction(examples, names)]
    return dict(zip(names, weights, strict=True))


def _arrays(examples: Sequence[Example], names: Sequence[str]) -> tuple[Array, Array, Array]:
    x = np.array([[e.signals[name] for name in names] for e in examples])
    return x, np.array([e.right for e in examples]), _equal_shares(examples)


def _direction(examples: Sequence[Example], names: Sequence[str]) -> Array:
    """The weights of a conditional logit, over questions whose right one is there."""
    x, right, shares = _arrays(examples, names)
    _, asked = np.unique([e.question for e in examples], return_inverse=True)
    known = np.zeros(asked.max() + 1, dtype=bool)
    known[asked[right]] = True
    kept = known[asked]
    return _rank(x[kept], right[kept], asked[kept], shares[kept])


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
    return _logistic(np.stack([scores, np.ones_like(scores)], axis=1), right, shares)


def _logistic(x: Array, right: Array, shares: Array) -> Array:
    """Weights of a logistic regression, by Newton's method."""
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        hessian = (x * (shares * p * (1 - p))[:, None]).T @ x + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(hessian, x.T @ (shares * (right - p)))
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _print_calibration(examples: Sequence[Example], fitted: dict[str, Any]) -> None:
    """Expected against observed, on questions that the fit did not see."""
    for names in _JUDGED:
        known = _with(examples, names)
        weights = fitted["+".join(names)]
        x, right, _ = _arrays(known, names)
        p = 1 / (1 + np.exp(-(x @ [weights[name] for name in names] + weights["bias"])))
        click.echo(f"held back, {'+'.join(names)}: probability, share that is right, hits")
        for low, high in ((0, 0.02), (0.02, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.01)):
            inside = (p >= low) & (p < high)
            if inside.any():
                click.echo(f"  {p[inside].mean():.3f} {right[inside].mean():.3f} {inside.sum()}")
        same = np.array([e.langs[0] == e.langs[1] for e in known])
        for name, mask in (("one language", same), ("across languages", ~same)):
            if mask.any():
                click.echo(
                    f"  {name}: expected {p[mask].mean():.3f}, right {right[mask].mean():.3f}"
                )


def _floor(best: Sequence[Found], names: str) -> float:
    """The highest that refuses no more than ACCEPTED, each set counting the same."""
    found = [b for b in best if b.signals == names and b.kind == "answered"]
    sets = sorted({b.dataset for b in found})
    by_set = [np.array([b.probability for b in found if b.dataset == name]) for name in sets]
    tried = np.arange(0.001, 0.5, 0.001)
    allowed = [t for t in tried if np.mean([(p < t).mean() for p in by_set]) <= ACCEPTED]
    return round(float(max(allowed, default=0.0)), 3)


def _print_floors(best: Sequence[Found], floors: dict[str, float]) -> None:
    for names, chosen in floors.items():
        tried = sorted({*FLOORS, chosen})
        click.echo(f"{names}: share refused at " + " ".join(f"{floor:>6}" for floor in tried))
        for dataset, kind in sorted({(b.dataset, b.kind) for b in best}):
            found = [
                b.probability
                for b in best
                if (b.dataset, b.kind, b.signals) == (dataset, kind, names)
            ]
            shares = " ".join(f"{np.mean(np.array(found) < floor):6.3f}" for floor in tried)
            click.echo(f"{dataset:6} {kind:14} {shares}")
        click.echo(f"the floor is {chosen}")


if __name__ == "__main__":
    main()
