"""Choose: hits -> the few sentences that are quoted.

How likely a sentence answers is how likely its passage does, times how likely the answer
stands in this sentence of it. The best are then read by themselves, without the passage
that can make them look like an answer. Where even the best is unlikely, nothing is quoted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.embedding.corpus_mean import without_mean
from rag.embedding.encoder import Vectors
from rag.embedding.late_interaction import token_scores
from rag.languages.facts import facts_of
from rag.parts import Parts
from rag.records import Hit, Query, Record, Sentence, led_by_title
from rag.retrieval.calibration import abstention_threshold, odds, reread_relevance, sentence_shares
from rag.retrieval.found import with_vectors
from rag.retrieval.particulars import has_other_particulars
from rag.retrieval.retrieve import DUPLICATE_COSINE

_LEAST_ODDS = 0.05
"""A sentence may be quoted if it has this share of the odds of the best one."""
REREAD = 6
"""Sentences that are read by themselves."""
MOST_QUOTES = 3
"""Sentences that are quoted where nothing is written."""
LEAST_SHARE_OF_BEST = 0.33
"""Share of the best sentence's probability from which another is quoted too."""
REPEATED_ODDS = 0.37
"""What the odds of a sentence are multiplied by for a follow-up to the answer that quoted it."""
_SHARE_AT_LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """A sentence under a number, shown to a model or quoted."""

    number: int
    sentence: Sentence
    hit: Hit
    score: float
    """The probability that it answers."""


def choose_evidence(query: Query, hits: Sequence[Hit], parts: Parts) -> list[Evidence]:
    """The sentences that may answer, each said once, numbered from 1, best first.

    None where even the best is too unlikely, or where what is about the years and countries
    of the question is far less likely than what is not.
    """
    found = with_vectors(hits, parts.embedder)
    ranked = rank_sentences(query, found, parts)
    threshold = abstention_threshold(tuple(found[0].signals), parts.embedder.name) if found else 0
    if not ranked or ranked[0].score < threshold:
        return []
    likely = [e for e in ranked if odds(e.score) >= _LEAST_ODDS * odds(ranked[0].score)]
    vectors = np.stack([found.vectors[e.hit.source, e.sentence.start] for e in likely])
    alike = vectors @ vectors.T > DUPLICATE_COSINE
    fitting = [e for i, e in enumerate(likely) if not alike[i, :i].any() and _fits(e, query, hits)]
    if not fitting or fitting[0].score < LEAST_SHARE_OF_BEST * ranked[0].score:
        return []
    return _numbered(fitting)


def to_quote(evidence: Sequence[Evidence]) -> list[Evidence]:
    """What is quoted where nothing is written: the first, and those nearly as likely."""
    return [e for e in evidence[:MOST_QUOTES] if e.score >= LEAST_SHARE_OF_BEST * evidence[0].score]


def _fits(evidence: Evidence, query: Query, hits: Sequence[Hit]) -> bool:
    """Whether a sentence is about the years and countries that the question names."""
    hit = evidence.hit
    article = [each.in_context for each in hits if each.source == hit.source]
    question, sentence = (_naming(query), query.question_lang), (evidence.sentence.text, hit.lang)
    return not has_other_particulars(question, sentence, hit.in_context, article)


def _naming(query: Query) -> str:
    """The new question where it names figures or countries, else the whole text."""
    asked = facts_of(query.asked, query.question_lang)
    return query.asked if asked.numerals or asked.countries else query.text


def rank_sentences(query: Query, hits: Sequence[Hit], parts: Parts) -> list[Evidence]:
    """All sentences of the hits with the probability that each answers, best first."""
    likely = likely_sentences(query, hits, parts)
    best, rest = likely[:REREAD], likely[REREAD:]
    if not best or "cross_encoder" not in hits[0].signals:
        return likely
    before, alone = np.array([e.score for e in best]), np.array(read_alone(query, best, parts))
    scores = reread_relevance(before, alone, parts.embedder.name).tolist()
    best = [
        replace(each, score=_less_if_told(each, score, query))
        for each, score in zip(best, scores, strict=True)
    ]
    best.sort(key=lambda each: -each.score)
    rest = [replace(each, score=min(each.score, best[-1].score)) for each in rest]
    return _numbered([*best, *rest])


def _numbered(evidence: Sequence[Evidence]) -> list[Evidence]:
    return [replace(each, number=number) for number, each in enumerate(evidence, 1)]


def _less_if_told(evidence: Evidence, score: float, query: Query) -> float:
    """The probability, less for a follow-up if the answer before quoted the sentence already."""
    if query.asked == query.text or evidence.sentence.text not in query.history[-1][1]:
        return score
    changed = odds(score) * REPEATED_ODDS
    return changed / (1 + changed)


def likely_sentences(query: Query, hits: Sequence[Hit], parts: Parts) -> list[Evidence]:
    """The same before any sentence is read by itself."""
    pairs = [(i, hit, sentence) for i, hit in enumerate(hits) for sentence in hit.sentences]
    if not pairs:
        return []
    passages = np.array([i for i, _, _ in pairs])
    shares = sentence_shares(sentence_signals(query, hits, parts), passages, parts.embedder.name)
    scores = np.array([hit.score for _, hit, _ in pairs]) * shares
    order = np.argsort(-scores, kind="stable")
    return _numbered([Evidence(0, pairs[i][2], pairs[i][1], float(scores[i])) for i in order])


def read_alone(query: Query, sentences: Sequence[Evidence], parts: Parts) -> list[float]:
    """The log-odds that each sentence, led by its article's title, answers by itself."""
    assert parts.cross_encoder is not None
    texts = [led_by_title(e.sentence.text, e.hit.title) for e in sentences]
    return [reading.answers for reading in parts.cross_encoder.read(query.asked, texts)]


def sentence_signals(query: Query, hits: Sequence[Hit], parts: Parts) -> dict[str, Vectors]:
    """Of each sentence of the hits its cosine, its tokens' score and the cross-encoder's share."""
    embedder = parts.embedder
    mean = parts.store.check(embedder.space).corpus_mean
    question = embedder.read_question(query.asked, query.question_lang)
    vectors = without_mean(with_vectors(hits, embedder).sentence_vectors(), mean)
    signals = {"sentence": vectors @ without_mean(question.vector, mean)}
    if question.tokens is not None:
        texts = [sentence.text for hit in hits for sentence in hit.sentences]
        langs = [hit.lang for hit in hits for _ in hit.sentences]
        signals["tokens"] = token_scores(question.tokens, embedder.tokens(texts, langs) or [])
    if any(hit.shares for hit in hits):
        shares = [
            share
            for hit in hits
            for share in hit.shares or [1 / max(1, len(hit.sentences))] * len(hit.sentences)
        ]
        signals["cross_encoder"] = np.log(np.array(shares, dtype=np.float32) + _SHARE_AT_LEAST)
    return signals
