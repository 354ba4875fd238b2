"""One probability from what several signals say of a passage.

The weights are fitted by `python -m evals.fit_relevance` on public questions with
passages in other languages, and kept by embedding model in `rag/relevance.json`. So a
score of 0.8 means the same whatever the languages of question and passage are.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from rag.encoder import Vectors
from rag.errors import InputError

SIGNALS = ("dense", "sentence", "tokens")
"""The passage's cosine, that of its best sentence, and its tokens' score."""
RELEVANCE_FILE = Path(__file__).with_name("relevance.json")
_UNFITTED = {"dense": 5.0, "sentence": 5.0, "tokens": 5.0, "bias": -5.0}
"""For a model that nothing was fitted for: the order is right, the probability is not."""


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


def shares(signals: Mapping[str, float], model: str) -> dict[str, float]:
    """What each signal adds to the logarithm of the odds, and `bias` what all begin with."""
    weights = _weights(model, tuple(signals))
    return {name: weights[name] * signals.get(name, 1.0) for name in (*signals, "bias")}


def odds(probability: float) -> float:
    """How many times likelier than not.

    >>> odds(0.75)
    3.0
    """
    return probability / max(1 - probability, 1e-9)


def _weights(model: str, signals: tuple[str, ...]) -> Mapping[str, float]:
    return _fitted().get(model, {}).get("+".join(signals), _UNFITTED)


def forget_fitted() -> None:
    """Read the file anew at the next call."""
    _fitted.cache_clear()


@cache
def _fitted() -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """Of each model and each set of signals the weights and the bias."""
    if not RELEVANCE_FILE.exists():
        return {}
    fitted: Mapping[str, Mapping[str, Mapping[str, float]]]
    fitted = json.loads(RELEVANCE_FILE.read_text(encoding="utf-8"))
    return fitted
