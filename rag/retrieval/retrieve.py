"""Find: question -> Hits, best first.

The vectors choose candidates. Each is then looked at by three signals, of which
`calibration.py` makes one probability: docs/decisions/retrieval.md. `rerank.py` takes a closer
look at the best.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rag.embedding.embedder import Embedder, Question, without_centre
from rag.embedding.encoder import Vectors
from rag.embedding.late_interaction import token_scores
from rag.languages.detect import detect
from rag.parts import Parts
from rag.records import Hit, Passage, Query
from rag.retrieval.calibration import SIGNALS, SUBJECT, log_odds, of_both, relevance
from rag.retrieval.rerank import behind, rerank
from rag.store.chroma import Neighbour

DEFAULT_K = 8
_CANDIDATES = 64
"""Passages that all signals look at, before the best k are kept."""
_ARTICLES = 8
"""Articles on a follow-up's subject of which passages are looked at, however far they are."""
SUBJECT_KNOWN = 1.5
"""How much the log-odds rise in the likeliest article, since a follow-up leaves out what would make
it nearer: `python -m evals.follow_ups` shows what is refused and what is wrongly answered."""
TWINS = 0.97
"""Cosine from which two passages, or two sentences, say the same in about the same words."""

Signals = dict[str, Vectors]


def retrieve(
    query: Query,
    parts: Parts,
    k: int | None = None,
    where: Mapping[str, Any] | None = None,
    signals: Sequence[str] = SIGNALS,
) -> list[Hit]:
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
        return []
    passages = [each.passage for each in near]
    kept = {name: found[name] for name in found if name in signals}
    # What is left for a closer look says nothing yet.
    scores = relevance((kept or found) | support, parts.embedder.name)
    kept |= support
    first, twins = _twins([int(i) for i in np.argsort(-scores, kind="stable")], passages, parts)
    hits = {
        i: passages[i].hit(float(scores[i]), {name: float(kept[name][i]) for name in kept})
        for i in (*first, *twins)
    }
    ranked = rerank(query, [hits[i] for i in first], parts, signals)
    return [*ranked, *behind([hits[i] for i in twins], ranked)][:k]


class _Search:
    """Looks for a question's passages in the vectors, and tells what they say of each."""

    def __init__(
        self, parts: Parts, where: Mapping[str, Any] | None, count: int, signals: Sequence[str]
    ) -> None:
        self._parts, self._where, self._count, self._signals = parts, where, count, signals
        self._centre = parts.store.check(parts.embedder.space).centre

    def whole(self, query: Query) -> tuple[list[Neighbour], Signals, Signals]:
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
        found = {name: of_both(alone[name], whole[name]) for name in alone}
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
        return replace(question, vector=without_centre(question.vector, self._centre))

    def _near(self, question: Question, where: Mapping[str, Any] | None = None) -> list[Neighbour]:
        return self._parts.store.nearest(question.vector, self._count, where or self._where)

    def _looked(self, question: Question, near: Sequence[Neighbour]) -> Signals:
        """The cosine of each passage, and those of the other signals that are wanted."""
        embedder = self._parts.embedder
        passages = [each.passage for each in near]
        texts, langs = [p.in_context for p in passages], [p.lang for p in passages]
        vectors = without_centre(embedder.passages(texts, langs), self._centre)
        found = {"dense": vectors @ question.vector}
        if "sentence" in self._signals:
            found["sentence"] = _best_sentences(passages, question.vector, self._centre, embedder)
        if "tokens" in self._signals and question.tokens is not None:
            tokens = embedder.tokens(texts, langs)
            if tokens is not None:
                found["tokens"] = token_scores(question.tokens, tokens)
        return found


def _merged(*found: Sequence[Neighbour]) -> list[Neighbour]:
    """All of the neighbours, each once."""
    by_place = {(each.passage.source, each.passage.start): each for near in found for each in near}
    return list(by_place.values())


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
