"""Find: question -> Hits -> the sentences that the reader is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rag.parts import Parts
from rag.records import Hit, Passage, Record, Sentence

DEFAULT_K = 8
_CANDIDATES = 32
"""Passages that are read again by their sentences, before the best k are kept."""


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
    query: Query, parts: Parts, k: int | None = None, where: Mapping[str, Any] | None = None
) -> list[Hit]:
    """The k best passages, best first.

    A passage's score is the mean of its own cosine with the question and that of
    its best sentence: between -1 and 1, all vectors freed of their language's mean.
    """
    from rag.store import chroma_filter

    k = k or DEFAULT_K
    parts.store.check(parts.embedder.space)
    vector = parts.embedder.question(query.text, query.question_lang)
    near = parts.store.nearest(vector, max(_CANDIDATES, 2 * k), chroma_filter(where))
    best = _best_sentences([each.passage for each in near], vector, parts)
    hits = [
        _hit(each.passage, (each.cosine + sentence) / 2)
        for each, sentence in zip(near, best, strict=True)
    ]
    return sorted(hits, key=lambda hit: -hit.score)[:k]


def choose_evidence(
    query: Query, hits: Sequence[Hit], parts: Parts, budget: int = 256
) -> list[Evidence]:
    """The sentences nearest to the question within a budget of embedder tokens.

    Numbered from 1 in the order of their score; the first is always among them. None
    where even that is too far from the question to be about it.
    """
    vector = parts.embedder.question(query.text, query.question_lang)
    pairs = [(hit, sentence) for hit in hits for sentence in hit.sentences]
    if not pairs:
        return []
    texts = [sentence.text for _, sentence in pairs]
    cosines = parts.embedder.passages(texts, [hit.lang for hit, _ in pairs]) @ vector
    scores = [(float(c) + hit.score) / 2 for c, (hit, _) in zip(cosines, pairs, strict=True)]
    if max(scores) < parts.embedder.evidence_floor:
        return []
    chosen: list[Evidence] = []
    for i in np.argsort(scores)[::-1]:
        hit, sentence = pairs[i]
        budget -= parts.embedder.count_tokens(sentence.text)
        if budget < 0 and chosen:
            break
        chosen.append(Evidence(len(chosen) + 1, sentence, hit, scores[i]))
    return chosen


def _best_sentences(
    passages: Sequence[Passage], vector: np.ndarray[Any, Any], parts: Parts
) -> list[float]:
    texts = [sentence.text for passage in passages for sentence in passage.sentences]
    langs = [passage.lang for passage in passages for _ in passage.sentences]
    if not texts:
        return []
    cosines = iter((parts.embedder.passages(texts, langs) @ vector).tolist())
    return [max(next(cosines) for _ in passage.sentences) for passage in passages]


def _hit(passage: Passage, score: float) -> Hit:
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
    )
