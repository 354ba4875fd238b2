"""Find: question -> Hits, best first.

The vectors choose candidates. Each is then looked at by three signals, of which
`rag.relevance` makes one probability: docs/decisions/retrieval.md. `rag.rerank` takes a
closer look at the best.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rag.embed import Embedder, without_centre
from rag.encoder import Vectors
from rag.late_interaction import token_scores
from rag.parts import Parts
from rag.records import Hit, Passage, Query
from rag.relevance import SIGNALS, relevance
from rag.rerank import behind, rerank

DEFAULT_K = 8
_CANDIDATES = 64
"""Passages that all signals look at, before the best k are kept."""
TWINS = 0.97
"""Cosine from which two passages, or two sentences, say the same in about the same words."""


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
    # What is left for a closer look says nothing yet.
    scores = relevance(kept or found, embedder.name)
    first, twins = _twins([int(i) for i in np.argsort(-scores, kind="stable")], passages, parts)
    hits = {
        i: _hit(passages[i], float(scores[i]), {name: float(kept[name][i]) for name in kept})
        for i in (*first, *twins)
    }
    ranked = rerank(query, [hits[i] for i in first], parts, signals)
    return [*ranked, *behind([hits[i] for i in twins], ranked)][:k]


def sentence_vectors(
    passages: Sequence[Passage | Hit], centre: Sequence[float], embedder: Embedder
) -> Vectors:
    """The vectors of the passages' sentences, without what the corpus shares."""
    texts = [sentence.text for passage in passages for sentence in passage.sentences]
    langs = [passage.lang for passage in passages for _ in passage.sentences]
    return without_centre(embedder.sentences(texts, langs), centre)


def _best_sentences(
    passages: Sequence[Passage], vector: Vectors, centre: Sequence[float], embedder: Embedder
) -> Vectors:
    """Of each passage the cosine of its nearest sentence."""
    cosines = iter(sentence_vectors(passages, centre, embedder) @ vector)
    best = [max((next(cosines) for _ in p.sentences), default=-1.0) for p in passages]
    return np.array(best, dtype=np.float32)


def _twins(
    order: Sequence[int], passages: Sequence[Passage], parts: Parts
) -> tuple[list[int], list[int]]:
    """Those that say something new, and those that repeat one before them."""
    vectors = parts.embedder.passages([p.in_context for p in passages], [p.lang for p in passages])
    alike = vectors @ vectors.T > TWINS
    first: list[int] = []
    twins: list[int] = []
    for i in order:
        (twins if any(alike[i, j] for j in first) else first).append(i)
    return first, twins


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
