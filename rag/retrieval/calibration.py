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

SIGNALS = ("dense", "sentence", "tokens", "particulars", "reader")
"""The passage's cosine, that of its best sentence, and its tokens' score; of the best
passages also how many of the question's figures and countries they lack, as a negative
number, and the log-odds that the reader gives."""
SUBJECT = "subject"
"""A signal of follow-ups alone: by how much the log-odds rise or fall since the article is, or is
not, on the subject of the question before. It is added as it is."""
_ALONE = 0.6
"""What the new question counts for in a signal of a follow-up, and the joined one for the rest."""
RELEVANCE_FILE = Path(__file__).with_name("calibration.json")
_UNFITTED = {"dense": 5.0, "sentence": 5.0, "tokens": 5.0, "particulars": 1.0, "reader": 1.0,
            "bias": -5.0}  # fmt: skip
"""For a model that nothing was fitted for: the order is right, the probability is not."""

Weights = Mapping[str, float]


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
    weights = _weights(model, tuple(signals))
    logits = sum(
        (weights[name] * np.asarray(values) for name, values in signals.items()),
        start=np.asarray(weights["bias"]),
    )
    return np.asarray(1 / (1 + np.exp(-logits)))


def of_both(alone: Vectors, joined: Vectors) -> Vectors:
    """A signal of a follow-up: what it is of the new question, and of both questions joined.

    >>> of_both(np.array([1.0]), np.array([0.0])).tolist()
    [0.6]
    """
    return np.asarray(_ALONE * alone + (1 - _ALONE) * joined)


def shares(signals: Mapping[str, float], model: str) -> dict[str, float]:
    """What each signal adds to the logarithm of the odds, and `bias` what all begin with."""
    weights = _weights(model, tuple(signals))
    return {name: weights[name] * signals.get(name, 1.0) for name in (*signals, "bias")}


def within(signals: Mapping[str, Vectors], passages: NDArray[np.int64], model: str) -> Vectors:
    """The probability that an answer of a passage stands in each of its sentences.

    `passages` says of each sentence which passage it is of; those of one add up to 1.

    >>> within({"sentence": np.array([0.3, 0.3, 0.9])}, np.array([0, 0, 1]), "unknown").tolist()
    [0.5, 0.5, 1.0]
    """
    weights = _weights(model, tuple(signals), "sentence")
    logits = sum(weights[name] * np.asarray(values) for name, values in signals.items())
    raised = np.exp(logits - np.max(logits))
    return np.asarray(raised / np.bincount(passages, raised)[passages])


def checked(likely: Vectors, alone: Vectors, model: str) -> Vectors:
    """The probability that sentences answer, once each was read by itself as well.

    `likely` is the probability that they had before, `alone` the log-odds that the reader
    gives; both of shape (sentences,).
    """
    weights = _fitted().get(model, {}).get("checked", {"likely": 1.0, "alone": 0.0, "bias": 0.0})
    logits = weights["likely"] * log_odds(likely) + weights["alone"] * alone + weights["bias"]
    return np.asarray(1 / (1 + np.exp(-logits)))


def floor(signals: Sequence[str], model: str) -> float:
    """Probability of the best sentence below which the articles do not answer; maybe 0."""
    floors = _fitted().get(model, {}).get("floor", {})
    found: float = floors.get(_fitted_for(signals), 0.0)
    return found


def log_odds(probabilities: Vectors) -> Vectors:
    """The logarithm of the odds, of which no probability is quite 0 or 1.

    >>> log_odds(np.array([0.5, 0.0])).round(1).tolist()
    [0.0, -20.7]
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p) - np.log(1 - p))


def odds(probability: float) -> float:
    """How many times likelier than not.

    >>> odds(0.75)
    3.0
    """
    return probability / max(1 - probability, 1e-9)


def _weights(model: str, signals: tuple[str, ...], of: str = "passage") -> Weights:
    fitted: Weights = _fitted().get(model, {}).get(of, {}).get(_fitted_for(signals), _UNFITTED)
    return {**fitted, SUBJECT: 1.0}


def _fitted_for(signals: Sequence[str]) -> str:
    """The name under which the file has what was fitted for some signals."""
    return "+".join(name for name in signals if name != SUBJECT)


def forget_fitted() -> None:
    """Read the file anew at the next call."""
    _fitted.cache_clear()


@cache
def _fitted() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Of each model weights for passages and for sentences, and floors, by the signals."""
    if not RELEVANCE_FILE.exists():
        return {}
    fitted: Mapping[str, Mapping[str, Mapping[str, Any]]]
    fitted = json.loads(RELEVANCE_FILE.read_text(encoding="utf-8"))
    return fitted
