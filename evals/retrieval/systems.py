"""The rows of the table: systems that index the passages of a pool and find them again.

All use the product's embedding model. Vectors of passages are kept, so that no row embeds
one again; a question is always embedded, for its time is part of what is measured.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from evals.retrieval.articles import ARTICLES
from evals.retrieval.sets import Passage, Pool
from rag.embed import E5_NAME, E5Embeddings
from rag.encoder import Kind, Vectors
from rag.engine import Rag
from rag.errors import InputError
from rag.records import Hit
from rag.resources import seeds_folder
from rag.settings import Settings
from rag.vectors import VectorCache

T = TypeVar("T")

Search = Callable[[str, int], list[str]]
"""A question and k to the ids of at most k passages, best first."""

_BATCH = 32


class System(Protocol):
    """A row of the table."""

    @property
    def name(self) -> str:
        """What the row is called."""

    def index(self, pool: Pool) -> AbstractContextManager[Search]:
        """Store the pool's passages and nothing else; searchable until the block ends."""


def all_systems(embeddings: E5Embeddings) -> list[System]:
    """Every row, in the order of the table.

    A variant of the product (a signal left out, or alone) is one more line here, and what
    follows its name goes to `Rag.search`:
    `Product(embeddings, "rag, names left out", signals=("dense", "words"))`.
    """
    return [PlainDense(embeddings), LangChainChroma(embeddings), Product(embeddings)]


class KeptE5(E5Embeddings):
    """The product's embedding model, with a cache for the vectors of passages."""

    def __init__(self, cache: VectorCache) -> None:
        super().__init__()
        self._cache = cache

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        if kind == "query":
            return super().vectors(texts, kind)
        keys = [VectorCache.key(E5_NAME, text) for text in texts]
        found = self._cache.get(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        for part in _batches(list(missing)):
            new = super().vectors([missing[key] for key in part], kind)
            self._cache.put(dict(zip(part, new, strict=True)))
            found.update(zip(part, new, strict=True))
        return np.stack([found[key] for key in keys])


class PlainDense:
    """Exact search by the cosine of raw vectors."""

    name = "plain dense"

    def __init__(self, embeddings: E5Embeddings) -> None:
        self._embeddings = embeddings

    @contextmanager
    def index(self, pool: Pool) -> Iterator[Search]:
        """Hold one vector of each passage in memory."""
        vectors = self._embeddings.vectors([each.text for each in pool.passages], "passage")

        def search(question: str, k: int) -> list[str]:
            cosines = vectors @ self._embeddings.vectors([question], "query")[0]
            return [pool.passages[i].id for i in np.argsort(-cosines, kind="stable")[:k]]

        yield search


class LangChainChroma:
    """`Chroma.similarity_search` of langchain-chroma, by cosine."""

    name = "langchain Chroma"

    def __init__(self, embeddings: E5Embeddings) -> None:
        self._embeddings = embeddings

    @contextmanager
    def index(self, pool: Pool) -> Iterator[Search]:
        """Add the passages to a new collection; raises InputError without langchain-chroma."""
        try:
            from langchain_chroma import Chroma
        except ImportError as error:
            raise InputError(
                f"{self.name}: pip install langchain-chroma, or choose other rows by --systems"
            ) from error
        import chromadb  # noqa: TID251 - a client of langchain-chroma's own is never closed
        from chromadb.config import Settings as ChromaSettings  # noqa: TID251

        quiet = ChromaSettings(anonymized_telemetry=False)
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            client: Any = chromadb.PersistentClient(folder, quiet)
            stack.callback(client.close)
            store = Chroma(
                client=client,
                embedding_function=self._embeddings,
                collection_configuration={"hnsw": {"space": "cosine"}},
            )
            for part in _batches(pool.passages):
                store.add_texts([each.text for each in part], ids=[each.id for each in part])
            yield lambda question, k: [str(e.id) for e in store.similarity_search(question, k)]


class Product:
    """Quoted RAG end to end: files are ingested, and `Rag.search` finds their passages.

    Languages are detected, not told. A text that was split stands where the best of its
    parts does, so k hits can be fewer than k texts.
    """

    def __init__(self, embeddings: E5Embeddings, name: str = "rag", **options: Any) -> None:
        self.name = name
        self._embeddings = embeddings
        self._options = options

    @contextmanager
    def index(self, pool: Pool) -> Iterator[Search]:
        """Ingest each passage as a file of its own, but the articles as they are."""
        with opened(pool, self._embeddings) as (rag, ids):

            def search(question: str, k: int) -> list[str]:
                hits = rag.search(question, k, **self._options)
                return list(dict.fromkeys(passage_id(hit, ids) for hit in hits))

            yield search


@contextmanager
def opened(pool: Pool, embeddings: E5Embeddings) -> Iterator[tuple[Rag, dict[str, str]]]:
    """The product with a pool in its store, and the passages' ids by their files' names."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        ids = {} if pool.name == ARTICLES else _write_files(folder / "corpus", pool.passages)
        # Built without validation, which is what reads the environment and .env.
        settings = Settings.model_construct(
            corpus=folder / "corpus" if ids else seeds_folder(), store=folder / "store"
        )
        with Rag(settings) as rag:
            rag.parts.embedder.embeddings = embeddings
            rag.parts.embedder.count_tokens = embeddings.count_tokens
            rag.ingest()
            yield rag, ids


def passage_id(hit: Hit, ids: Mapping[str, str]) -> str:
    """The id of the pool's passage that was found."""
    return ids.get(hit.source, f"{hit.source}:{hit.start}")


def _write_files(folder: Path, passages: Sequence[Passage]) -> dict[str, str]:
    """The id of each passage by the name of its file."""
    folder.mkdir()
    ids = {f"{number:06}.txt": passage.id for number, passage in enumerate(passages)}
    for name, passage in zip(ids, passages, strict=True):
        (folder / name).write_bytes(passage.text.encode())
    return ids


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[i : i + _BATCH] for i in range(0, len(items), _BATCH))
