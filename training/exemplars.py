"""What the makers of exemplars share: embedded questions, floors, and the project's own texts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from evals.rows import rows
from rag.embedding.e5 import E5_NAME, E5Embeddings
from rag.embedding.encoder import Vectors
from rag.embedding.language_means import LanguageMeans
from rag.resources import evals_folder
from rag.understanding.exemplars import Recogniser

K = TypeVar("K", bound=str)


class Questions:
    """Embeds questions as the product does, each text once; nothing is kept on disk."""

    def __init__(self) -> None:
        self._embeddings, self._means = E5Embeddings(), LanguageMeans.of(E5_NAME)
        self._raw: dict[str, Vectors] = {}

    @property
    def space(self) -> str:
        """As `rag.embedding.embedder.Embedder` names it."""
        return f"{E5_NAME} means={self._means.version}"

    def read(self, texts: Sequence[str]) -> None:
        """Embed many at once, those of about a length together."""
        new = sorted(set(texts) - self._raw.keys(), key=len)
        for start in range(0, len(new), 32):
            batch = new[start : start + 32]
            vectors = self._embeddings.vectors(batch, "query")
            self._raw.update(zip(batch, vectors, strict=True))

    def question(self, text: str, lang: str) -> Vectors:
        """The centred unit vector of one."""
        if text not in self._raw:
            self.read([text])
        vector: Vectors = self._means.subtract(self._raw[text][None], [lang], "query")[0]
        return vector


def fit_floors(
    bare: Recogniser[K], kinds: Sequence[K], questions: Vectors, accepted: float
) -> dict[K, float]:
    """The lowest floors that take at most that share of the questions for any of the kinds."""
    nearest = [bare.nearest(vector) for vector in questions]
    spared = int(accepted / len(kinds) * len(questions))
    floors: dict[K, float] = {}
    for kind in kinds:
        cosines = sorted((c for found, c in nearest if found == kind), reverse=True)
        highest = cosines[spared] if len(cosines) > spared else 0.0
        floors[kind] = float(np.nextafter(np.float32(highest), np.float32(2.0)))
    return floors


def save(made: Recogniser[K], kinds: Sequence[K], space: str, path: Path) -> None:
    """Write a recogniser, its vectors in 8 bits; the kinds that have floors come first."""
    scale = float(np.abs(made.vectors).max()) / 127
    np.savez_compressed(
        path,
        space=np.array(space),
        scale=np.array(scale),
        vectors=np.round(made.vectors / scale).astype(np.int8),
        kinds=np.array([kinds.index(kind) for kind in made.kinds], dtype=np.uint8),
        floors=np.array([made.floors[kind] for kind in kinds if kind in made.floors]),
        low=np.array([made.low[kind] for kind in kinds if kind in made.low]),
    )


def own_rows(name: str) -> Iterator[dict[str, Any]]:
    """The rows of a file of the project's own, of this folder or of evals/."""
    here = Path(__file__).with_name(f"{name}.jsonl")
    path = here if here.exists() else evals_folder() / here.name
    return rows(path)
