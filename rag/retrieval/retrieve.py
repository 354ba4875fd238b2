"""Find: question -> Hits, best first.

The vectors choose candidates. Each is then looked at by three signals, of which
`calibration.py` makes one probability: docs/decisions/retrieval.md. `rerank.py` takes a closer
look at the best.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rag.embedding.corpus_mean import with_mean, without_mean
from rag.embedding.embedder import Question
from rag.embedding.encoder import Vectors
from rag.embedding.late_interaction import token_scores
from rag.languages.detect import detect
from rag.parts import Parts
from rag.records import Query
from rag.retrieval.calibration import SIGNALS, SUBJECT, blended, log_odds, relevance
from rag.retrieval.found import Candidate, Found, Place, candidates
from rag.retrieval.rerank import ranked_below, rerank

DEFAULT_K = 8
_CANDIDATES = 64
"""Passages that all signals look at, before the best k are kept."""
_ARTICLES = 8
"""Articles on a follow-up's subject of which passages are looked at, however far they are."""
SUBJECT_KNOWN = 1.5
"""How much the log-odds rise in the likeliest article, since a follow-up leaves out what would make
it nearer: `python -m evals.follow_ups` shows what is refused and what is wrongly answered."""
DUPLICATE_COSINE = 0.97
"""From it on two passages, or two sentences, say the same in about the same words."""

Signals = dict[str, Vectors]


def retrieve(
    query: Query,
    parts: Parts,
    k: int | None = None,
    where: Mapping[str, Any] | None = None,
    signals: Sequence[str] = SIGNALS,
) -> Found:
    """The k best passages, best first, with their relevance as score.

    For a follow-up the other signals are those of the new question and of both questions
    joined, and `subject` says which articles count more. A passage that says what a better
    one says is put behind all others. `signals` are those that count, for measuring what each
    is good for. Raises StoreError, ModelError, InputError for a filter that cannot be.
    """
    k = k or DEFAULT_K
    search = _Search(parts, where, max(_CANDIDATES, 2 * k), signals)
    near, found, support = search.whole(query)
    if not near:
        return Found([], {})
    kept = {name: found[name] for name in found if name in signals}
    # Signals of the closer look alone say nothing yet.
    scores = relevance((kept or found) | support, parts.embedder.name)
    kept |= support
    hits = [
        each.passage.hit(float(scores[i]), {name: float(kept[name][i]) for name in kept})
        for i, each in enumerate(near)
    ]
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    first, repeated = search.without_duplicates(order, near)
    ranked = rerank(query, [hits[i] for i in first], parts, signals)
    ranked += ranked_below([hits[i] for i in repeated], ranked)
    return Found(ranked[:k], search.sentence_vectors())


class _Search:
    """Looks for a question's passages in the vectors, and tells what they say of each."""

    def __init__(
        self, parts: Parts, where: Mapping[str, Any] | None, count: int, signals: Sequence[str]
    ) -> None:
        self._parts, self._where, self._count = parts, where, count
        self._signals = {"dense", *signals}
        self._mean = parts.store.check(parts.embedder.space).corpus_mean
        self._known: dict[Place, Candidate] = {}

    def whole(self, query: Query) -> tuple[list[Candidate], Signals, Signals]:
        """Passages near to what is asked, their signals, and the support that a follow-up gives.

        To the nearest of all come the nearest of the articles that a follow-up may mean.
        """
        asked = self._read(query.asked, query.question_lang)
        near = self._near(asked)
        if not near:
            return [], {}, {}
        if query.asked == query.text:
            return near, self._looked(asked, near), {}
        joined = self._read(query.text, query.question_lang)
        articles = self._articles(query)
        # A filter is met by whole articles, so those that were found meet it.
        likely = sorted(articles, key=lambda source: -articles[source])[:_ARTICLES]
        near = _merged(near, self._near(asked, {"source": likely}), self._near(joined))
        alone, whole = self._looked(asked, near), self._looked(joined, near)
        found = {name: blended(alone[name], whole[name]) for name in alone}
        least = min(articles.values())
        support = [articles.get(each.passage.source, least) for each in near]
        return near, found, {SUBJECT: np.array(support, dtype=np.float32)}

    def _articles(self, query: Query) -> dict[str, float]:
        """What the earlier question adds to the log-odds of each article's passages.

        An article is as near to the subject as the nearest of its passages.
        """
        lead = self._read(query.lead, detect(query.lead).lang or query.question_lang)
        near = self._near(lead)
        scores = log_odds(relevance(self._looked(lead, near), self._parts.embedder.name))
        best: dict[str, float] = {}
        for each, score in zip(near, scores.tolist(), strict=True):
            source = each.passage.source
            best[source] = max(score, best.get(source, score))
        most = max(best.values())
        return {source: SUBJECT_KNOWN + score - most for source, score in best.items()}

    def _read(self, text: str, lang: str) -> Question:
        question = self._parts.embedder.read_question(text, lang)
        return replace(question, vector=without_mean(question.vector, self._mean))

    def _near(self, question: Question, where: Mapping[str, Any] | None = None) -> list[Candidate]:
        near = self._parts.store.nearest(question.vector, self._count, where or self._where)
        by_place = {(each.passage.source, each.passage.start): each for each in near}
        new = [each for place, each in by_place.items() if place not in self._known]
        if new:
            made = candidates(new, self._parts.embedder)
            self._known |= {each.place: each for each in made}
        return [self._known[place] for place in by_place]

    def _looked(self, question: Question, near: Sequence[Candidate]) -> Signals:
        """The cosine of each passage, and those of the other signals that are wanted."""
        vectors = np.stack([each.vector for each in near])
        found = {"dense": vectors @ question.vector}
        found["sentence"] = self._best_sentences(question.vector, near)
        tokens = [each.tokens for each in near if each.tokens is not None]
        if question.tokens is not None and tokens:
            found["tokens"] = token_scores(question.tokens, tokens)
        return {name: found[name] for name in found if name in self._signals}

    def _best_sentences(self, vector: Vectors, near: Sequence[Candidate]) -> Vectors:
        """Of each passage the cosine of its nearest sentence."""
        every = np.concatenate([each.sentences for each in near])
        cosines = iter(without_mean(every, self._mean) @ vector)
        best = [max((next(cosines) for _ in each.sentences), default=-1.0) for each in near]
        return np.array(best, dtype=np.float32)

    def without_duplicates(
        self, order: Sequence[int], near: Sequence[Candidate]
    ) -> tuple[list[int], list[int]]:
        """Those that say something new, in their order, and those that repeat one before them."""
        vectors = with_mean(np.stack([each.vector for each in near]), self._mean)
        alike = vectors @ vectors.T > DUPLICATE_COSINE
        first: list[int] = []
        repeated: list[int] = []
        for i in order:
            (repeated if alike[i, first].any() else first).append(i)
        return first, repeated

    def sentence_vectors(self) -> dict[Place, Vectors]:
        """The vectors of the sentences of all passages that were looked at, by their place."""
        return {
            (each.passage.source, sentence.start): vector
            for each in self._known.values()
            for sentence, vector in zip(each.passage.sentences, each.sentences, strict=True)
        }


def _merged(*found: Sequence[Candidate]) -> list[Candidate]:
    """All of the candidates, each once."""
    return list({each.place: each for near in found for each in near}.values())
