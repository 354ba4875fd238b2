"""Sentences are as likely as their passage and their place in it; the best are read again."""

from dataclasses import replace

import numpy as np
import pytest

from rag.embedding.e5 import E5_NAME
from rag.engine import Rag
from rag.retrieval.calibration import reread_relevance
from rag.retrieval.retrieve import retrieve
from rag.retrieval.sentence_selection import (
    LEAST_SHARE_OF_BEST,
    MOST_QUOTES,
    REREAD,
    likely_sentences,
    rank_sentences,
    read_alone,
    to_quote,
)
from rag.understanding.question import to_query


def test_the_probabilities_of_sentences_add_up_to_their_passages(engine: Rag) -> None:
    query = to_query("When was the bridge opened?")
    hits = retrieve(query, engine.parts)
    likely = likely_sentences(query, hits, engine.parts)
    for hit in hits:
        assert sum(e.score for e in likely if e.hit is hit) == pytest.approx(hit.score, abs=1e-5)


def test_the_best_sentences_are_read_by_themselves(engine: Rag) -> None:
    query = to_query("How many workers built the bridge?")
    hits = retrieve(query, engine.parts)
    likely = likely_sentences(query, hits, engine.parts)
    ranked = rank_sentences(query, hits, engine.parts)
    assert {e.sentence for e in ranked[:REREAD]} == {e.sentence for e in likely[:REREAD]}
    best = likely[:REREAD]
    told_alone = zip(best, read_alone(query, best, engine.parts), strict=True)
    for before, said in told_alone:
        (after,) = [e for e in ranked if (e.sentence, e.hit) == (before.sentence, before.hit)]
        told = reread_relevance(np.array([before.score]), np.array([said]), E5_NAME)
        assert after.score == pytest.approx(float(told[0]), abs=1e-5)
    assert [e.number for e in ranked] == list(range(1, len(ranked) + 1))
    assert [e.score for e in ranked] == sorted((e.score for e in ranked), reverse=True)


def test_quotes_what_is_nearly_as_likely_as_the_first(engine: Rag) -> None:
    query = to_query("How many workers built the bridge?")
    ranked = rank_sentences(query, retrieve(query, engine.parts), engine.parts)
    likely = [replace(each, score=0.8) for each in ranked[: MOST_QUOTES + 1]]
    assert to_quote(likely) == likely[:MOST_QUOTES]
    assert to_quote([likely[0], replace(likely[1], score=0.8 * LEAST_SHARE_OF_BEST)]) == [
        likely[0],
        replace(likely[1], score=0.8 * LEAST_SHARE_OF_BEST),
    ]
    assert (
        to_quote([likely[0], replace(likely[1], score=0.8 * LEAST_SHARE_OF_BEST - 0.01)])
        == likely[:1]
    )
