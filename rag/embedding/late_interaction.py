"""Late interaction: a question and a passage compared token by token.

One vector for a whole passage says what it is about, and in a corpus on one subject
all passages are about the same. Here each token of the question looks for its nearest
token of the passage. The tokens' language is taken out of them first, and a small
trained projection makes them short enough to be kept (docs/decisions/late-interaction.md).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.embedding.encoder import Kind, Vectors, unit

PROJECTION_FILE = Path(__file__).with_name("token_projection.npz")
_SCALE = 127.0
_COMMON = 0.8
"""The quantile of the candidates' cosines that a token must exceed to count once more."""
_CROWD = 64
"""Candidates of which that quantile is taken; fewer are filled up with the lowest cosine."""

Tokens = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class QuestionTokens:
    """A question's tokens, and how much each of them counts."""

    vectors: Vectors
    """Unit vectors, shape (tokens, 96)."""
    weights: Vectors
    """Positive and of sum 1, shape (tokens,)."""


class TokenProjection:
    """States of 384 numbers to unit vectors of 96, free of their language.

    Made by `python -m training.token_projection`. A language without a mean gives up the
    mean of all languages.
    """

    def __init__(self, file: Path = PROJECTION_FILE) -> None:
        self._file = file

    @cached_property
    def _arrays(self) -> dict[str, Vectors]:
        with np.load(self._file) as file:
            return {name: file[name].astype(np.float32) for name in file.files}

    @cached_property
    def version(self) -> str:
        """Changes with the file; vectors of two versions cannot be compared."""
        return hashlib.sha256(self._file.read_bytes()).hexdigest()[:8]

    def question(self, states: Vectors, lang: str) -> QuestionTokens:
        """The tokens of a question from its states, shape (tokens, 384)."""
        centred = self._centred(states, lang, "query")
        importance = centred @ self._arrays["importance"] + self._arrays["bias"]
        weights = np.logaddexp(0, importance)
        return QuestionTokens(unit(centred @ self._arrays["projection"]), weights / weights.sum())

    def passage(self, states: Vectors, lang: str) -> Tokens:
        """The tokens of a passage from its states, shape (tokens, 96), each number in a byte."""
        vectors = unit(self._centred(states, lang, "passage") @ self._arrays["projection"])
        return np.asarray(np.rint(vectors * _SCALE), dtype=np.int8)

    def _centred(self, states: Vectors, lang: str, kind: Kind) -> Vectors:
        mean = self._arrays.get(f"{kind}/{lang}", self._arrays[f"{kind}/"])
        return unit(states - mean)


def token_scores(question: QuestionTokens, passages: Sequence[Tokens]) -> Vectors:
    """How well each of the passages answers to the question's tokens, shape (passages,).

    The weighted mean over the question's tokens of the cosine with the nearest token of
    the passage, and once more of what this cosine is above what a fifth of the other
    passages reach: a name that all of them hold tells none of them apart.
    """
    if not passages:
        return np.zeros(0, dtype=np.float32)
    # A passage without tokens gets one whose cosine with every other is 0.
    blank = np.zeros((1, question.vectors.shape[1]), dtype=np.int8)
    filled = [tokens if len(tokens) else blank for tokens in passages]
    starts = np.cumsum([0, *(len(tokens) for tokens in filled[:-1])])
    every = np.concatenate(filled).astype(np.float32) / _SCALE
    nearest = np.maximum.reduceat(question.vectors @ every.T, starts, axis=1)
    crowd = np.pad(nearest, ((0, 0), (0, max(0, _CROWD - len(filled)))), mode="minimum")
    common = np.quantile(crowd, _COMMON, axis=1, keepdims=True)
    scores = question.weights @ (nearest + np.maximum(nearest - common, 0))
    return np.asarray(scores, dtype=np.float32)
