"""Signals become one probability that rises with each of them."""

import json
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pytest

from rag.embedding.e5 import E5_NAME
from rag.errors import InputError
from rag.retrieval.calibration import (
    CALIBRATION_FILE,
    SIGNALS,
    abstention_threshold,
    checked_signals,
    contributions,
    odds,
    relevance,
    sentence_shares,
)

CHOICES = [names for size in range(1, 6) for names in combinations(SIGNALS, size)]
OF_SENTENCES = ("sentence", "tokens", "cross_encoder")


def columns(names: tuple[str, ...], *rows: float) -> Mapping[str, np.ndarray]:
    return {name: np.array(rows, dtype=np.float32) for name in names}


@pytest.mark.parametrize("names", CHOICES, ids="+".join)
def test_every_choice_of_signals_is_fitted(names: tuple[str, ...]) -> None:
    passages = json.loads(CALIBRATION_FILE.read_text(encoding="utf-8"))[E5_NAME]["passage"]
    fitted = passages["+".join(names)]
    assert set(fitted) == {*names, "bias"}
    assert all(fitted[name] > 0 for name in names)
    assert fitted["bias"] < 0


@pytest.mark.parametrize("names", CHOICES, ids="+".join)
def test_more_of_a_signal_is_more_likely(names: tuple[str, ...]) -> None:
    found = relevance(columns(names, -1.0, 0.0, 0.3, 0.6, 1.0), E5_NAME)
    assert found.min() >= 0
    assert found.max() <= 1
    assert list(found) == sorted(found)
    assert found[0] < 0.1


def test_the_probabilities_of_a_passages_sentences_add_up_to_one() -> None:
    found = sentence_shares(
        columns(OF_SENTENCES, 0.1, 0.5, -0.3, 0.2), np.array([0, 0, 1, 1]), E5_NAME
    )
    assert found[:2].sum() == pytest.approx(1)
    assert found[2:].sum() == pytest.approx(1)
    assert found[1] > found[0]
    assert found[3] > found[2]


def test_there_is_a_floor_with_a_reader_and_without_one() -> None:
    assert 0 < abstention_threshold(SIGNALS[:-1], E5_NAME) < 1
    assert 0 < abstention_threshold(SIGNALS, E5_NAME) < 1
    assert abstention_threshold(SIGNALS, "some model") == 0


def test_an_unknown_model_keeps_the_order() -> None:
    found = relevance(columns(SIGNALS, 0.1, 0.2), "some model")
    assert found[0] < found[1]


def test_the_shares_add_up_to_the_log_odds() -> None:
    signals = {
        "dense": 0.4,
        "sentence": 0.5,
        "tokens": 0.6,
        "particulars": -1.0,
        "cross_encoder": 0.3,
    }
    (probability,) = relevance({n: np.array([v]) for n, v in signals.items()}, E5_NAME)
    assert sum(contributions(signals, E5_NAME).values()) == pytest.approx(np.log(odds(probability)))


def test_nothing_is_sure() -> None:
    assert odds(1.0) > 1e6
    assert odds(0.0) == 0


@pytest.mark.parametrize("names", [["words"], [], ["dense", "Tokens"]])
def test_says_which_signals_there_are(names: list[str]) -> None:
    with pytest.raises(InputError, match="use some of dense, sentence, tokens, partic"):
        checked_signals(names)
