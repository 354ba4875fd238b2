"""Chroma: its clients, and the two collections of a generation."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from rag.embedding.encoder import unit
from rag.records import Passage
from rag.store.exact_index import passage_id
from rag.store.filters import Between, Filter, OneOf
from rag.store.rows import (
    Neighbour,
    StoredDocument,
    document_metadata,
    passage_metadata,
    to_document,
    to_passage,
)

if TYPE_CHECKING:
    from chromadb.api.client import Client as Client
    from chromadb.api.models.Collection import Collection

T = TypeVar("T")

METRIC = "cosine"
_SEARCHED = {"ef_search": 400, "ef_construction": 200, "max_neighbors": 32}
"""These find 93% of the 64 nearest among 20,000 random vectors: docs/decisions/store.md."""
_NOT_SEARCHED = {"ef_construction": 8, "max_neighbors": 4}
"""Chroma builds a graph even where the exact index answers; this one is the cheapest to build."""
_BATCH_ROWS = 1000
_BATCH_BYTES = 8_000_000
"""A Chroma server takes 40 MB in a request; a vector takes more there than here."""
_SELF_QUERIES = 5
_SERVER_TIMEOUT = 10.0
_clients = threading.Lock()
"""Chroma counts the clients of a folder without a lock of its own."""


def open_local(path: str) -> "Client":
    """Chroma in this process, on a folder that it may write to."""
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    with _clients:
        return cast("Client", chromadb.PersistentClient(path, settings=settings))


def close_local(client: "Client") -> None:
    """Let go of the folder."""
    with _clients:
        client.close()


def open_server(url: str) -> "Client":
    """A client of a server; raises what httpx does, or ValueError when something else answers."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    # Chroma's client has no timeout, and takes any JSON for an answer.
    beat = httpx.get(f"{url}/api/v2/heartbeat", timeout=_SERVER_TIMEOUT)
    if "nanosecond heartbeat" not in beat.text:
        raise ValueError(f"HTTP {beat.status_code} and no heartbeat: something else answers")
    settings = Settings(anonymized_telemetry=False)
    ssl = url.startswith("https:")
    return cast("Client", chromadb.HttpClient(host=url, ssl=ssl, settings=settings))


def close_server(client: "Client") -> None:
    """Close a client and its connections, which Chroma leaves to the garbage collector."""
    for api in (client, getattr(client, "_admin_client", None)):
        session = getattr(getattr(api, "_server", None), "_session", None)
        if session is not None:
            session.close()
    client.close()


def collection_name(prefix: str, kind: str, generation: str) -> str:
    """What a collection is called: `kind` is "documents" or "passages"."""
    return f"{prefix}-{kind}-{generation}"


@dataclass(frozen=True, slots=True)
class Collections:
    """The documents and the passages of one generation."""

    client: "Client"
    documents: "Collection"
    passages: "Collection"

    @classmethod
    def create(
        cls, client: "Client", prefix: str, name: str, rows: tuple[int, int], searched: bool
    ) -> "Collections":
        """Two that are to be filled once, with so many documents and passages."""
        pair = (
            client.create_collection(
                collection_name(prefix, kind, name),
                embedding_function=None,
                configuration=_index(count, searched and kind == "passages"),
            )
            for kind, count in zip(("documents", "passages"), rows, strict=True)
        )
        return cls(client, *pair)

    @classmethod
    def open(cls, client: "Client", prefix: str, name: str) -> "Collections":
        """Two that were created before."""
        pair = (
            client.get_collection(collection_name(prefix, kind, name), embedding_function=None)
            for kind in ("documents", "passages")
        )
        return cls(client, *pair)

    def write_documents(self, documents: Sequence[StoredDocument]) -> None:
        """Store the articles, each under its source."""
        sizes = (4 * len(stored.document.text) for stored in documents)
        for part in _batches(documents, sizes, self._most_rows()):
            self.documents.add(
                ids=[stored.document.source for stored in part],
                metadatas=[document_metadata(stored) for stored in part],
                # Chroma wants a vector for each row; documents are only ever got by their id.
                embeddings=np.ones((len(part), 1), dtype=np.float32),
            )

    def write_passages(
        self,
        passages: Sequence[Passage],
        vectors: NDArray[np.float32],
        progress: Callable[[int], None],
    ) -> None:
        """Store passages with their vectors (rows, dimension), and tell how many are stored."""
        sizes = (4 * len(passage.text) + 8 * vectors.shape[1] for passage in passages)
        done = 0
        for part in _batches(passages, sizes, self._most_rows()):
            self.passages.add(
                ids=[passage_id(passage.source, passage.start) for passage in part],
                metadatas=[passage_metadata(passage) for passage in part],
                embeddings=vectors[done : done + len(part)],
            )
            done += len(part)
            progress(done)

    def read_documents(self) -> Iterator[StoredDocument]:
        """Every article, in no order."""
        for offset in range(0, self.documents.count(), _BATCH_ROWS):
            rows = self.documents.get(limit=_BATCH_ROWS, offset=offset, include=["metadatas"])
            assert rows["metadatas"] is not None
            yield from map(to_document, rows["metadatas"])

    def read_passages(self, ids: Sequence[str]) -> list[Passage]:
        """The passages of these ids, in their order; raises ValueError if one is not there."""
        found: dict[str, Passage] = {}
        for part in _batches(ids, (0 for _ in ids), _BATCH_ROWS):
            rows = self.passages.get(ids=list(part), include=["metadatas"])
            assert rows["metadatas"] is not None
            found.update(zip(rows["ids"], map(to_passage, rows["metadatas"]), strict=True))
        if len(found) < len(ids):
            lacking = next(each for each in ids if each not in found)
            raise ValueError(f"passage {lacking} is not there")
        return [found[each] for each in ids]

    def nearest(
        self, vector: NDArray[np.float32], k: int, conditions: Filter = ()
    ) -> list[Neighbour]:
        """About the k passages of highest cosine, best first, among those that meet a filter."""
        rows: Any = self.passages.query(
            query_embeddings=vector[np.newaxis],
            n_results=k,
            where=chroma_filter(conditions),
            include=["metadatas", "distances", "embeddings"],
        )
        found = zip(rows["metadatas"][0], rows["distances"][0], rows["embeddings"][0], strict=True)
        return [
            Neighbour(to_passage(metadata), 1.0 - distance, unit(stored))
            for metadata, distance, stored in found
        ]

    def vector(self, passage: str) -> NDArray[np.float32]:
        """The vector (dimension,) of the passage of an id."""
        found = self.passages.get(ids=[passage], include=["embeddings"])
        assert found["embeddings"] is not None
        return np.asarray(found["embeddings"][0], dtype=np.float32)

    def verify(self, documents: int, passages: int, searched: bool) -> None:
        """Raise ValueError unless so many rows are there and a search finds some.

        Where Chroma is searched, a few passages must find themselves.
        """
        counted = (self.documents.count(), self.passages.count())
        if counted != (documents, passages):
            raise ValueError(
                f"{counted[0]} documents and {counted[1]} passages are there, "
                f"{documents} and {passages} were written"
            )
        for offset in range(0, passages, max(1, passages // _SELF_QUERIES)):
            row: Any = self.passages.get(limit=1, offset=offset, include=["embeddings"])
            found: Any = self.passages.query(
                query_embeddings=np.array([row["embeddings"][0]], dtype=np.float32),
                n_results=1,
                include=["distances"],
            )
            # Passages of the same text share a vector, so the distance tells, not the id.
            distances = found["distances"][0]
            if not distances or (searched and distances[0] > 1e-3):
                raise ValueError(f"passage {row['ids'][0]} does not find itself")

    def _most_rows(self) -> int:
        return min(_BATCH_ROWS, self.client.get_max_batch_size())


def _index(rows: int, searched: bool) -> Any:
    """The configuration of a collection that is filled once with so many rows.

    The last row makes Chroma write its index. Rows after that would be put into it by
    each reader anew, who would write files that the other readers read.
    """
    graph = _SEARCHED if searched else _NOT_SEARCHED
    return {"hnsw": {"space": METRIC, **graph, "sync_threshold": max(2, rows)}}


def chroma_filter(conditions: Filter) -> dict[str, Any] | None:
    """A filter in Chroma's own form.

    >>> chroma_filter((OneOf("lang", ("he", "ar")),))
    {'lang': {'$in': ['he', 'ar']}}
    """
    terms = [term for condition in conditions for term in _terms(condition)]
    return {"$and": terms} if len(terms) > 1 else terms[0] if terms else None


def _terms(condition: OneOf | Between) -> Iterator[dict[str, Any]]:
    if isinstance(condition, OneOf):
        yield {condition.column: {"$in": list(condition.values)}}
    else:
        yield {condition.column: {"$gte": condition.first}}
        yield {condition.column: {"$lte": condition.last}}


def _batches(rows: Sequence[T], sizes: Iterable[int], most: int) -> Iterator[Sequence[T]]:
    """Runs of rows of at most `most` rows and about `_BATCH_BYTES` bytes, one row at least."""
    start = total = 0
    for end, size in enumerate(sizes):
        if end > start and (end - start >= most or total + size > _BATCH_BYTES):
            yield rows[start:end]
            start, total = end, 0
        total += size
    if start < len(rows):
        yield rows[start:]
