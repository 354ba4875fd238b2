"""The fit puts the signal that tells first, and its probabilities hold."""

import numpy as np
import pytest

from rag.retrieval.calibration import SIGNALS
from training.fit_calibration import Example, fit

RETRIEVAL = SIGNALS[:3]


def examples(seed: int, questions: int = 300, hits: int = 20) -> list[Example]:
    """Hits whose dense signal tells a little, tokens a lot, and sentence nothing."""
    chance = np.random.default_rng(seed)
    found = []
    for question in range(questions):
        right = chance.integers(hits)
        for hit in range(hits):
            noise = chance.normal(0, 0.1, 3)
            gain = np.array([0.05, 0.0, 0.25]) * (hit == right)
            signals = dict(zip(RETRIEVAL, (0.3 + noise + gain).tolist(), strict=True))
            found.append(
                Example("one", f"g{question}", f"q{question}", ("en", "tr"), signals, hit == right)
            )
    return found


def test_the_signal_that_tells_weighs_most() -> None:
    fitted = fit(examples(0), RETRIEVAL)
    assert fitted["tokens"] > 3 * abs(fitted["dense"]) > 3 * abs(fitted["sentence"])
    assert fitted["bias"] < 0


def test_probabilities_hold_for_questions_that_were_not_seen() -> None:
    fitted = fit(examples(0), RETRIEVAL)
    fresh = examples(1)
    x = np.array([list(each.signals.values()) for each in fresh])
    logits = x @ [fitted[name] for name in RETRIEVAL] + fitted["bias"]
    p, right = 1 / (1 + np.exp(-logits)), np.array([each.right for each in fresh])
    assert p.mean() == pytest.approx(right.mean(), abs=0.005)
    likely = p > 0.5
    assert right[likely].mean() == pytest.approx(p[likely].mean(), abs=0.12)


def test_a_choice_of_signals_has_no_other_weights() -> None:
    assert list(fit(examples(2, questions=50), ("dense", "tokens"))) == ["dense", "tokens", "bias"]
