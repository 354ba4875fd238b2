"""Find: question -> Hits -> the sentences that the reader is shown.

The vectors choose candidates. Each is then looked at by three signals, of which
`rag.relevance` makes one probability: docs/decisions/retrieval.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rag.embed import Embedder, without_centre
from rag.encoder import Vectors
from rag.late_interaction import token_scores
from rag.parts import Parts
from rag.records import Hit, Passage, Record, Sentence
from rag.relevance import SIGNALS, odds, relevance

DEFAULT_K = 8
_CANDIDATES = 64
"""Passages that all signals look at, before the best k are kept."""
_TWINS = 0.97
"""Cosine from which two passages, or two sentences, say the same in about the same words."""
_WORTH = 0.02
"""A sentence is shown to the reader if it has this share of the odds of the best one."""


@dataclass(frozen=True, slots=True)
class Query(Record):
    """A question as it was asked, and as it is searched."""

    question: str
    text: str
    """What is searched: the question, led by the one before it in a follow-up."""
    question_lang: str
    answer_lang: str
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """A sentence that the reader is shown under a number."""

    number: int
    sentence: Sentence
    hit: Hit
    score: float


def retrieve(
    query: Query,
    parts: Parts,
    k: int | None = None,
    where: Mapping[str, Any] | None = None,
    signals: Sequence[str] = SIGNALS,
) -> list[Hit]:
    """The k best passages, best first, with their relevance as score.

    A passage that says what a better one says is put behind all others. `signals` are
    those that count, for measuring what each is good for. Raises StoreError,
    ModelError, InputError for a filter that cannot be.
    """
    k = k or DEFAULT_K
    embedder = parts.embedder
    centre = parts.store.check(embedder.space).centre
    question = embedder.read_question(query.text, query.question_lang)
    vector = without_centre(question.vector, centre)
    near = parts.store.nearest(vector, max(_CANDIDATES, 2 * k), where)
    if not near:
        return []
    passages = [each.passage for each in near]
    found = {"dense": np.array([each.cosine for each in near], dtype=np.float32)}
    if "sentence" in signals:
        found["sentence"] = _best_sentences(passages, vector, centre, embedder)
    if "tokens" in signals and question.tokens is not None:
        tokens = embedder.tokens([p.in_context for p in passages], [p.lang for p in passages])
        if tokens is not None:
            found["tokens"] = token_scores(question.tokens, tokens)
    kept = {name: found[name] for name in found if name in signals}
    scores = relevance(kept, embedder.name)
    hits = [
        _hit(passage, float(scores[i]), {name: float(kept[name][i]) for name in kept})
        for i, passage in enumerate(passages)
    ]
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    return [hits[i] for i in _twins_last(order, passages, parts)[:k]]


def choose_evidence(
    query: Query, hits: Sequence[Hit], parts: Parts, budget: int = 256
) -> list[Evidence]:
    """The sentences that most likely answer, within a budget of embedder tokens.

    A sentence is judged as its passage is, with its own likeness to the question in
    place of that of the passage's best one, and its own tokens counting half. Numbered
    from 1 in the order of that; the first is always among them, further ones while they
    are worth reading. None where even the first is too unlikely to be about the question.
    """
    pairs = [(hit, sentence) for hit in hits for sentence in hit.sentences]
    if not pairs:
        return []
    embedder = parts.embedder
    centre = parts.store.check(embedder.space).centre
    vectors = _sentence_vectors(hits, centre, embedder)
    question = embedder.read_question(query.text, query.question_lang)
    signals = {
        name: np.array([hit.signals[name] for hit, _ in pairs], dtype=np.float32)
        for name in hits[0].signals
    }
    signals["sentence"] = vectors @ without_centre(question.vector, centre)
    if "tokens" in signals and question.tokens is not None:
        texts, langs = [s.text for _, s in pairs], [hit.lang for hit, _ in pairs]
        own = token_scores(question.tokens, embedder.tokens(texts, langs) or [])
        signals["tokens"] = np.mean([signals["tokens"], own], axis=0, dtype=np.float32)
    scores = relevance(signals, embedder.name)
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    if scores[order[0]] < embedder.evidence_floor:
        return []
    chosen: list[int] = []
    for i in order:
        if odds(scores[i]) < _WORTH * odds(scores[order[0]]):
            break
        if any(vectors[i] @ vectors[j] > _TWINS for j in chosen):
            continue
        budget -= embedder.count_tokens(pairs[i][1].text)
        if budget < 0 and chosen:
            break
        chosen.append(i)
    return [
        Evidence(number, pairs[i][1], pairs[i][0], float(scores[i]))
        for number, i in enumerate(chosen, 1)
    ]


def _best_sentences(
    passages: Sequence[Passage], vector: Vectors, centre: Sequence[float], embedder: Embedder
) -> Vectors:
    """Of each passage the cosine of its nearest sentence."""
    cosines = iter(_sentence_vectors(passages, centre, embedder) @ vector)
    best = [max((next(cosines) for _ in p.sentences), default=-1.0) for p in passages]
    return np.array(best, dtype=np.float32)


def _sentence_vectors(
    passages: Sequence[Passage | Hit], centre: Sequence[float], embedder: Embedder
) -> Vectors:
    """One row for each sentence of each passage."""
    texts = [sentence.text for passage in passages for sentence in passage.sentences]
    langs = [passage.lang for passage in passages for _ in passage.sentences]
    return without_centre(embedder.sentences(texts, langs), centre)


def _twins_last(order: Sequence[int], passages: Sequence[Passage], parts: Parts) -> list[int]:
    """The same order, with those at the end that repeat one before them."""
    vectors = parts.embedder.passages([p.in_context for p in passages], [p.lang for p in passages])
    alike = vectors @ vectors.T > _TWINS
    first: list[int] = []
    twins: list[int] = []
    for i in order:
        (twins if any(alike[i, j] for j in first) else first).append(i)
    return first + twins


def _hit(passage: Passage, score: float, signals: dict[str, float]) -> Hit:
    return Hit(
        source=passage.source,
        start=passage.start,
        end=passage.end,
        text=passage.text,
        score=score,
        lang=passage.lang,
        sentences=passage.sentences,
        title=passage.title,
        date=passage.date,
        publisher=passage.publisher,
        page=passage.page,
        signals=signals,
    )
