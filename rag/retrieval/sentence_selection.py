"""Choose: hits -> the few sentences that are quoted.

How likely a sentence answers is how likely its passage does, times how likely the answer
stands in this sentence of it. The best are then read by themselves, without the passage
that can make them look like an answer. Where even the best is unlikely, nothing is quoted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.embedding.embedder import without_centre
from rag.embedding.encoder import Vectors
from rag.embedding.late_interaction import token_scores
from rag.languages.countries import territories
from rag.languages.figures import figures
from rag.parts import Parts
from rag.records import Hit, Query, Record, Sentence, led_by_title
from rag.retrieval.calibration import checked, floor, odds, within
from rag.retrieval.particulars import of_another
from rag.retrieval.retrieve import TWINS, sentence_vectors

_WORTH = 0.05
"""A sentence may be quoted if it has this share of the odds of the best one."""
CHECKED = 6
"""Sentences that are read by themselves."""
QUOTED = 3
"""Sentences that are quoted where nothing is written."""
ALSO = 0.33
"""Share of the best sentence's probability from which another is quoted too."""
TOLD = 0.37
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
    ranked = rank_sentences(query, hits, parts)
    if not ranked or ranked[0].score < floor(tuple(hits[0].signals), parts.embedder.name):
        return []
    worth = [e for e in ranked if odds(e.score) >= _WORTH * odds(ranked[0].score)]
    texts, langs = [e.sentence.text for e in worth], [e.hit.lang for e in worth]
    vectors = parts.embedder.sentences(texts, langs)
    alike = vectors @ vectors.T > TWINS
    fitting = [e for i, e in enumerate(worth) if not alike[i, :i].any() and _fits(e, query, hits)]
    if not fitting or fitting[0].score < ALSO * ranked[0].score:
        return []
    return [replace(each, number=number) for number, each in enumerate(fitting, 1)]


def to_quote(evidence: Sequence[Evidence]) -> list[Evidence]:
    """What is quoted where nothing is written: the first, and those nearly as likely."""
    return [e for e in evidence[:QUOTED] if e.score >= ALSO * evidence[0].score]


def _fits(evidence: Evidence, query: Query, hits: Sequence[Hit]) -> bool:
    """Whether a sentence is about the years and countries that the question names."""
    hit = evidence.hit
    article = "\n".join(each.in_context for each in hits if each.source == hit.source)
    question, sentence = (_whose(query), query.question_lang), (evidence.sentence.text, hit.lang)
    return not of_another(question, sentence, hit.in_context, article)


def _whose(query: Query) -> str:
    """What names years and countries: the new question, or the whole text where it names none."""
    asked, lang = query.asked, query.question_lang
    return asked if figures(asked, lang) or territories(asked, lang) else query.text


def rank_sentences(query: Query, hits: Sequence[Hit], parts: Parts) -> list[Evidence]:
    """All sentences of the hits with the probability that each answers, best first."""
    found = likely_sentences(query, hits, parts)
    best, rest = found[:CHECKED], found[CHECKED:]
    if best and "reader" in hits[0].signals:
        scores = checked(
            np.array([each.score for each in best]),
            np.array(read_alone(query, best, parts)),
            parts.embedder.name,
        )
        best = [
            replace(e, score=_less_if_told(e, float(score), query))
            for e, score in zip(best, scores, strict=True)
        ]
        best.sort(key=lambda each: -each.score)
        rest = [replace(e, score=min(e.score, best[-1].score)) for e in rest]
    return [replace(each, number=number) for number, each in enumerate([*best, *rest], 1)]


def _less_if_told(evidence: Evidence, score: float, query: Query) -> float:
    """The probability, less for a follow-up if the answer before quoted the sentence already."""
    if query.asked == query.text or evidence.sentence.text not in query.history[-1][1]:
        return score
    changed = odds(score) * TOLD
    return changed / (1 + changed)


def likely_sentences(query: Query, hits: Sequence[Hit], parts: Parts) -> list[Evidence]:
    """The same before any sentence is read by itself."""
    pairs = [(i, hit, sentence) for i, hit in enumerate(hits) for sentence in hit.sentences]
    if not pairs:
        return []
    passages = np.array([i for i, _, _ in pairs])
    there = within(sentence_signals(query, hits, parts), passages, parts.embedder.name)
    scores = np.array([hits[i].score for i in passages]) * there
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    return [
        Evidence(number, pairs[i][2], pairs[i][1], float(scores[i]))
        for number, i in enumerate(order, 1)
    ]


def read_alone(query: Query, sentences: Sequence[Evidence], parts: Parts) -> list[float]:
    """The log-odds that each sentence answers, by the reader; led by the article's title."""
    assert parts.cross_encoder is not None
    texts = [led_by_title(e.sentence.text, e.hit.title) for e in sentences]
    return [reading.answers for reading in parts.cross_encoder.read(query.asked, texts)]


def sentence_signals(query: Query, hits: Sequence[Hit], parts: Parts) -> dict[str, Vectors]:
    """What is known of each sentence of the hits: its cosine, its tokens, the reader's share."""
    embedder = parts.embedder
    centre = parts.store.check(embedder.space).centre
    question = embedder.read_question(query.asked, query.question_lang)
    vector = without_centre(question.vector, centre)
    signals = {"sentence": sentence_vectors(hits, centre, embedder) @ vector}
    if question.tokens is not None:
        texts = [sentence.text for hit in hits for sentence in hit.sentences]
        langs = [hit.lang for hit in hits for _ in hit.sentences]
        signals["tokens"] = token_scores(question.tokens, embedder.tokens(texts, langs) or [])
    if any(hit.shares for hit in hits):
        shares = [
            hit.shares[i] if hit.shares else 1 / len(hit.sentences)
            for hit in hits
            for i in range(len(hit.sentences))
        ]
        signals["reader"] = np.log(np.array(shares, dtype=np.float32) + _SHARE_AT_LEAST)
    return signals
