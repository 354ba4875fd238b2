"""Vectors without what all passages of a corpus share.

In a corpus on one subject each passage is near to each question on it, and only what is
left without the subject tells them apart.
"""

from collections.abc import Sequence

import numpy as np

from rag.embedding.encoder import Vectors, unit

MEAN_SHRINK = 100
"""Passages at which half of a corpus's mean is taken from its vectors."""


def corpus_mean(vectors: Vectors) -> tuple[float, ...]:
    """The mean of the passages' vectors, in full only when they are many.

    Of few passages the mean is in part chance.
    """
    mean = vectors.sum(axis=0) / (len(vectors) + MEAN_SHRINK)
    return tuple(round(float(number), 5) for number in mean)


def without_mean(vectors: Vectors, mean: Sequence[float]) -> Vectors:
    """Unit vectors, or one, with what the corpus shares taken away."""
    return unit(vectors - np.array(mean, dtype=np.float32))


def with_mean(vectors: Vectors, mean: Sequence[float]) -> Vectors:
    """The unit vectors, shape (rows, dimension), of which `without_mean` made these.

    >>> rows, mean = np.eye(2, dtype=np.float32), [0.1, 0.2]
    >>> with_mean(without_mean(rows, mean), mean).round(3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    shared = np.array(mean, dtype=np.float32)
    along = vectors @ shared
    # The length x of which |x * vector + mean| is 1.
    lengths = np.sqrt(along**2 + 1 - shared @ shared) - along
    return np.asarray(lengths[:, None] * vectors + shared, dtype=np.float32)
