"""What a corpus shares can be taken from vectors and given back."""

import numpy as np
import pytest

from rag.embedding.corpus_mean import MEAN_SHRINK, corpus_mean, with_mean, without_mean
from rag.embedding.encoder import unit


def test_what_is_taken_away_is_given_back() -> None:
    rows = unit(np.random.default_rng(0).normal(0.1, 1, (500, 384)).astype(np.float32))
    mean = corpus_mean(rows)
    taken = without_mean(rows, mean)
    assert np.linalg.norm(taken, axis=1) == pytest.approx(np.ones(500), abs=1e-5)
    assert with_mean(taken, mean) == pytest.approx(rows, abs=1e-5)


def test_few_passages_give_up_little_of_their_mean() -> None:
    one = np.array([[1.0, 0.0]], dtype=np.float32)
    assert corpus_mean(one) == pytest.approx((1 / (1 + MEAN_SHRINK), 0), abs=1e-5)
    assert corpus_mean(np.repeat(one, MEAN_SHRINK, axis=0)) == (0.5, 0)
