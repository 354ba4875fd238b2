"""One probability from what several signals say of a passage, or of its sentences.

The weights are fitted by `python -m training.fit_calibration` on public questions with
passages in other languages, and kept by embedding model in `rag/retrieval/calibration.json`. So a
score of 0.8 means the same whatever the languages of question and passage are.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.encoder import Vectors
from rag.errors import InputError

SIGNALS = ("dense", "sentence", "tokens", "particulars", "cross_encoder")
"""The passage's cosine, that of its best sentence, and its tokens' score; of the best
passages also how many of the question's figures and countries they lack, as a negative
number, and the log-odds that the cross-encoder gives."""
SUBJECT = "subject"
"""A signal of follow-ups alone: how far the log-odds rise or fall because the article is, or is
not, on the subject of the question before. It is added without a weight."""
_NEW_QUESTION = 0.6
"""The weight of the new question in a signal of a follow-up; both questions joined have the
rest."""
CALIBRATION_FILE = Path(__file__).with_name("calibration.json")
_UNFITTED = {"dense": 5.0, "sentence": 5.0, "tokens": 5.0, "particulars": 1.0, "cross_encoder": 1.0,
            "bias": -5.0}  # fmt: skip
"""For a model without fitted weights: these rank well, but give no true probabilities."""


def checked_signals(names: Sequence[str] | None) -> tuple[str, ...]:
    """The signals that count, in their own order; raises InputError for an unknown one.

    >>> checked_signals(["tokens", "dense"])
    ('dense', 'tokens')
    """
    if names is None:
        return SIGNALS
    unknown = [name for name in names if name not in SIGNALS]
    if unknown or not names:
        raise InputError(f"signals={list(names)!r} cannot be; use some of {', '.join(SIGNALS)}")
    return tuple(name for name in SIGNALS if name in names)


def relevance(signals: Mapping[str, Vectors], model: str) -> Vectors:
    """The probability that each passage answers, shape (passages,).

    >>> relevance({"dense": np.array([0.0, 1.0])}, "unknown").round(2).tolist()
    [0.01, 0.5]
    """
    weights = _weights(model, list(signals))
    logits = sum(
        (weights[name] * np.asarray(values) for name, values in signals.items()),
        start=np.asarray(weights["bias"]),
    )
    return _probabilities(logits)


def blended(alone: Vectors, joined: Vectors) -> Vectors:
    """A signal of a follow-up: what it is of the new question, and of both questions joined.

    >>> blended(np.array([1.0]), np.array([0.0])).tolist()
    [0.6]
    """
    return np.asarray(_NEW_QUESTION * alone + (1 - _NEW_QUESTION) * joined)


def contributions(signals: Mapping[str, float], model: str) -> dict[str, float]:
    """What each signal adds to the logarithm of the odds, and `bias` what all begin with."""
    weights = _weights(model, list(signals))
    return {name: weights[name] * signals.get(name, 1.0) for name in (*signals, "bias")}


def sentence_shares(
    signals: Mapping[str, Vectors], passages: NDArray[np.int64], model: str
) -> Vectors:
    """The probability that an answer of a passage stands in each of its sentences.

    `passages` says of each sentence which passage it is of; those of one add up to 1.

    >>> cosines = {"sentence": np.array([0.3, 0.3, 0.9])}
    >>> sentence_shares(cosines, np.array([0, 0, 1]), "unknown").tolist()
    [0.5, 0.5, 1.0]
    """
    weights = _weights(model, list(signals), "sentence")
    logits = sum(weights[name] * np.asarray(values) for name, values in signals.items())
    raised = np.exp(logits - np.max(logits))
    return np.asarray(raised / np.bincount(passages, raised)[passages])


def reread_relevance(likely: Vectors, alone: Vectors, model: str) -> Vectors:
    """The probability that sentences answer, once each was read by itself as well.

    `likely` is the probability that they had before, `alone` the log-odds that the
    cross-encoder gives; both of shape (sentences,).
    """
    weights = _fitted(model, "reread") or {"likely": 1.0, "alone": 0.0, "bias": 0.0}
    logits = weights["likely"] * log_odds(likely) + weights["alone"] * alone + weights["bias"]
    return _probabilities(logits)


def abstention_threshold(signals: Sequence[str], model: str) -> float:
    """Probability of the best sentence below which the articles do not answer; maybe 0."""
    return float(_fitted(model, "abstention_threshold").get(_joined(signals), 0))


def log_odds(probabilities: Vectors) -> Vectors:
    """The logarithm of the odds; probabilities of 0 and 1 count as nearly 0 and 1.

    >>> log_odds(np.array([0.5, 0.0])).round(1).tolist()
    [0.0, -20.7]
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p) - np.log(1 - p))


def odds(probability: float) -> float:
    """The odds: the probability over that of the opposite.

    >>> odds(0.75)
    3.0
    """
    return probability / max(1 - probability, 1e-9)


def _probabilities(logits: Vectors) -> Vectors:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _weights(model: str, signals: Sequence[str], of: str = "passage") -> Mapping[str, float]:
    return {**_fitted(model, of).get(_joined(signals), _UNFITTED), SUBJECT: 1.0}


def _joined(signals: Sequence[str]) -> str:
    """The name under which the file has what was fitted for some signals."""
    return "+".join(name for name in signals if name != SUBJECT)


def _fitted(model: str, of: str) -> Mapping[str, Any]:
    return fitted_weights().get(model, {}).get(of, {})


@cache
def fitted_weights() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """By model and by what they are for: passages, sentences, rereading and abstention."""
    if not CALIBRATION_FILE.exists():
        return {}
    fitted: Mapping[str, Mapping[str, Mapping[str, Any]]]
    fitted = json.loads(CALIBRATION_FILE.read_text(encoding="utf-8"))
    return fitted
