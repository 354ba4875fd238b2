"""Tokens find their like across languages, and what all passages share tells nothing."""

import numpy as np
import pytest

from rag.embedding.encoder import Encoder
from rag.embedding.late_interaction import QuestionTokens, TokenProjection, Tokens, token_scores

PASSAGES = {
    "pl": "Ceny chleba wzrosły w marcu o siedem procent.",
    "tr": "Köprü 1987 yılında açıldı ve yapımı dokuz yıl sürdü.",
    "he": "הקבוצה הפסידה במשחק הגמר והמאמן התפטר.",
    "ar": "افتتح المتحف أبوابه للزوار في الربيع.",
}
QUESTIONS = {
    "When was the bridge opened?": "tr",
    "Why did the coach resign?": "he",
    "How much did the price of bread rise?": "pl",
    "When did the museum open its doors?": "ar",
}


@pytest.fixture(scope="module")
def projection() -> TokenProjection:
    return TokenProjection()


def tokens(encoder: Encoder, projection: TokenProjection) -> list[Tokens]:
    states = encoder.states(list(PASSAGES.values()), "passage")[1]
    return [projection.passage(s, lang) for s, lang in zip(states, PASSAGES, strict=True)]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_passage_that_answers_scores_highest(
    encoder: Encoder, projection: TokenProjection, question: str
) -> None:
    asked = projection.question(encoder.states([question], "query")[1][0], "en")
    scores = token_scores(asked, tokens(encoder, projection))
    assert list(PASSAGES)[int(scores.argmax())] == QUESTIONS[question]


def test_tokens_are_unit_vectors_kept_in_bytes(
    encoder: Encoder, projection: TokenProjection
) -> None:
    for each in tokens(encoder, projection):
        assert each.dtype == np.int8
        assert each.shape[1] == 96
        lengths = np.linalg.norm(each.astype(np.float32) / 127, axis=1)
        assert lengths == pytest.approx(np.ones(len(each)), abs=0.05)


def test_weights_are_positive_and_sum_to_one(encoder: Encoder, projection: TokenProjection) -> None:
    asked = projection.question(encoder.states(["When was it?"], "query")[1][0], "en")
    assert asked.weights.min() > 0
    assert asked.weights.sum() == pytest.approx(1, abs=1e-5)
    assert len(asked.weights) == len(asked.vectors)


def test_an_unknown_language_gives_up_the_general_mean(
    encoder: Encoder, projection: TokenProjection
) -> None:
    states = encoder.states(["Rain fell."], "passage")[1][0]
    unknown, none = projection.passage(states, "xx"), projection.passage(states, "")
    assert np.array_equal(unknown, none)
    assert not np.array_equal(unknown, projection.passage(states, "en"))


def question(*rows: list[float]) -> QuestionTokens:
    vectors = np.array(rows, dtype=np.float32)
    return QuestionTokens(vectors, np.full(len(rows), 1 / len(rows), dtype=np.float32))


def passage(*rows: list[float]) -> Tokens:
    return np.array(rows).astype(np.int8)


def test_a_score_is_the_mean_of_the_nearest_cosines_and_their_excess() -> None:
    asked = question([1, 0, 0], [0, 1, 0])
    both, first, none = (
        passage([127, 0, 0], [0, 127, 0]),
        passage([127, 0, 0], [127, 0, 0]),
        passage([0, 0, 127]),
    )
    # Three are no crowd, so what counts once more is all that exceeds the farthest.
    assert token_scores(asked, [both, first, none]) == pytest.approx([2.0, 1.0, 0.0], abs=1e-6)


def test_what_a_fifth_of_the_candidates_have_counts_once_only() -> None:
    asked = question([1, 0, 0], [0, 1, 0])
    common, rare, none = passage([127, 0, 0]), passage([0, 127, 0]), passage([0, 0, 127])
    scores = token_scores(asked, [rare, *[common] * 30, *[none] * 69])
    assert scores[0] == pytest.approx(1.0, abs=1e-6)
    assert scores[1:31] == pytest.approx(np.full(30, 0.5), abs=1e-6)


def test_a_passage_without_tokens_and_no_passages() -> None:
    asked = question([1, 0, 0])
    assert token_scores(asked, []).shape == (0,)
    empty = np.zeros((0, 3), dtype=np.int8)
    scores = token_scores(asked, [passage([127, 0, 0]), empty])
    assert scores[0] > scores[1]
