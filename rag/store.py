"""Keep passages and find the nearest: Chroma, in this process or on a server.

The store is written as generations. A generation is built aside, verified and
only then made the current one, so that a writer killed at any moment leaves the
one before it. In this process a generation is a folder of its own, because a
Chroma folder whose writer was killed can crash whoever opens it; on a server it
is a pair of collections.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import InputError, RagError, StoreError
from rag.records import Document, Passage, Record, Sentence

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

FORMAT = 1
"""Changes when a store of an older version can no longer be read."""
METRIC = "cosine"
_SELF_QUERIES = 5


@dataclass(frozen=True, slots=True)
class Manifest(Record):
    """What a generation was made of and with."""

    space: str
    """The vector space: embedding model and language means."""
    dimension: int
    documents: int
    passages: int
    budget: int
    """Tokens that a passage may have."""
    metric: str = METRIC
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class StoredDocument(Record):
    """A document with where it came from and what it was when it was stored."""

    document: Document
    root: str
    """The folder or file that was ingested."""
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Neighbour(Record):
    """A stored passage and its cosine with the question."""

    passage: Passage
    cosine: float


FILTER_FIELDS = ("lang", "date", "source", "publisher", "title")
_COMPARISONS = {"gte": "$gte", "gt": "$gt", "lte": "$lte", "lt": "$lt"}


def chroma_filter(where: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A filter in Chroma's own form; raises InputError for a field that is not stored.

    >>> chroma_filter({"lang": "he", "date": {"gte": "2024-07-01"}})
    {'$and': [{'lang': {'$in': ['he']}}, {'day': {'$gte': 20240701}}]}
    """
    conditions = [
        each for name, value in (where or {}).items() for each in _conditions(name, value)
    ]
    return {"$and": conditions} if len(conditions) > 1 else conditions[0] if conditions else None


def _conditions(name: str, value: Any) -> Iterator[dict[str, Any]]:
    if name not in FILTER_FIELDS:
        raise InputError(f"cannot filter by {name!r}; use one of {', '.join(FILTER_FIELDS)}")
    if isinstance(value, str):
        yield {name: {"$in": [value]}}
    elif isinstance(value, list | tuple) and value and all(isinstance(v, str) for v in value):
        yield {name: {"$in": list(value)}}
    elif name == "date" and isinstance(value, Mapping) and value:
        for comparison, day in value.items():
            yield {"day": {_comparison(comparison): _day(day)}}
        # An article without a date is neither before nor after one.
        if not {"gte", "gt"} & value.keys():
            yield {"day": {"$gt": 0}}
    else:
        raise InputError(
            f"cannot filter {name} by {value!r}; give a text, a list of texts"
            + (', or {"gte": "2024-01-31"}' if name == "date" else "")
        )


def _comparison(name: str) -> str:
    if name not in _COMPARISONS:
        raise InputError(f"cannot compare dates by {name!r}; use {', '.join(_COMPARISONS)}")
    return _COMPARISONS[name]


def _day(value: Any) -> int:
    try:
        return int(date.fromisoformat(value).strftime("%Y%m%d"))
    except (TypeError, ValueError):
        raise InputError(f"{value!r} is not a date; write it as 2024-01-31") from None


class Store:
    """One corpus in Chroma. Reading needs no lock; write inside `rag.lock.writing`."""

    def __init__(self, folder: Path, prefix: str = "rag", url: str = "") -> None:
        self.folder = folder
        self._home: _Home = _Server(url, prefix) if url else _Folders(folder, prefix)
        self._lock = threading.Lock()
        self._opened: tuple[str, _Generation] | None = None

    def manifest(self) -> Manifest | None:
        """The current generation's manifest; None when nothing was stored yet."""
        current = self._home.current()
        return None if current is None else current[1]

    def check(self, space: str) -> Manifest:
        """The manifest, if this program and its embedding model can use the store.

        Raises StoreError that names the difference and the command that mends it.
        """
        manifest = self.manifest()
        if manifest is None:
            raise StoreError(f"the store {self.folder} is empty; fill it: rag ingest PATH")
        for name, stored, ours in (
            ("format", manifest.format, FORMAT),
            ("metric", manifest.metric, METRIC),
            ("embedding model", manifest.space, space),
        ):
            if stored != ours:
                raise StoreError(
                    f"the store {self.folder} has {name} {stored!r}, this program uses {ours!r}; "
                    "make it anew from its articles: rag ingest --rebuild"
                )
        return manifest

    def nearest(
        self, vector: NDArray[np.float32], k: int, where: Mapping[str, Any] | None = None
    ) -> list[Neighbour]:
        """The k passages of highest cosine, best first; fewer when the store is smaller."""
        with _chroma_errors(self.folder):
            rows = self._generation().passages.query(
                query_embeddings=vector[np.newaxis],
                n_results=k,
                where=dict(where) if where else None,
                include=["documents", "metadatas", "distances"],
            )
        assert rows["documents"] is not None
        assert rows["metadatas"] is not None
        assert rows["distances"] is not None
        return [
            Neighbour(_to_passage(text, metadata), 1.0 - distance)
            for text, metadata, distance in zip(
                rows["documents"][0], rows["metadatas"][0], rows["distances"][0], strict=True
            )
        ]

    def documents(self) -> dict[str, StoredDocument]:
        """Every stored document by its source."""
        if self.manifest() is None:
            return {}
        with _chroma_errors(self.folder):
            return {
                stored.document.source: stored for stored in _read_documents(self._generation())
            }

    def replace(
        self,
        manifest: Manifest,
        documents: Sequence[StoredDocument],
        passages: Sequence[Passage],
        vectors: NDArray[np.float32],
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Build a new generation, verify it, make it current, drop what is older.

        The generation before stays on disk until the next call, for readers that
        are in the middle of it. Raises StoreError and changes nothing on failure.
        """
        name = uuid.uuid4().hex[:12]
        with _chroma_errors(self.folder):
            self._home.clear(keep_previous=False)
            try:
                generation = self._home.create(name)
                _write_documents(generation, documents)
                _write_passages(generation, passages, vectors, progress)
                generation.close()
                self._home.verify(name, manifest)
                self._home.switch(name, manifest)
            except BaseException:
                self._home.drop(name)
                raise
        self._home.clear(keep_previous=True)

    def verify(self) -> None:
        """Read the current generation as a stranger would; raises StoreError if it is broken."""
        current = self._home.current()
        if current is not None:
            self._home.verify(*current)

    def close(self) -> None:
        """Let go of Chroma; the next call opens it again."""
        with self._lock:
            if self._opened:
                self._opened[1].close()
            self._opened = None

    def _generation(self) -> "_Generation":
        current = self._home.current()
        if current is None:
            raise StoreError(f"the store {self.folder} is empty; fill it: rag ingest PATH")
        with self._lock:
            if self._opened is None or self._opened[0] != current[0]:
                if self._opened:
                    self._opened[1].close()
                self._opened = (current[0], self._home.open(current[0]))
            return self._opened[1]


@dataclass(frozen=True)
class _Generation:
    client: "Client"
    documents: "Collection"
    passages: "Collection"
    shared: bool
    """True for a server's client, which outlives the generation."""

    def close(self) -> None:
        if not self.shared:
            self.client.close()


class _Home:
    """Where generations live; the two kinds differ in how one becomes current."""

    def current(self) -> tuple[str, Manifest] | None:
        """Name and manifest of the generation that readers use."""
        raise NotImplementedError

    def create(self, name: str) -> _Generation:
        raise NotImplementedError

    def open(self, name: str) -> _Generation:
        raise NotImplementedError

    def verify(self, name: str, manifest: Manifest) -> None:
        raise NotImplementedError

    def switch(self, name: str, manifest: Manifest) -> None:
        raise NotImplementedError

    def drop(self, name: str) -> None:
        raise NotImplementedError

    def clear(self, keep_previous: bool) -> None:
        """Drop generations that are neither current nor, if asked, the one before."""
        raise NotImplementedError


class _Folders(_Home):
    """A folder for each generation, and `current.json` that names one."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        self._generations = folder / "generations"
        self._pointer = folder / "current.json"

    def current(self) -> tuple[str, Manifest] | None:
        pointer = self._read_pointer()
        return None if pointer is None else (pointer["generation"], Manifest(**pointer["manifest"]))

    def _read_pointer(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._pointer.read_text(encoding="utf-8"))
            Manifest(**found["manifest"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{self._pointer} cannot be read ({error}); "
                "make the store anew from its articles: rag ingest PATH --fresh"
            ) from error
        return found

    def _pointer_or_nothing(self) -> dict[str, Any]:
        try:
            return self._read_pointer() or {}
        except StoreError:
            return {}

    def create(self, name: str) -> _Generation:
        path = self._generations / name
        path.mkdir(parents=True)
        client = _local_client(path)
        return _Generation(client, *_create_pair(client, self._prefix, name), shared=False)

    def open(self, name: str) -> _Generation:
        path = self._generations / name
        if not path.is_dir():
            raise StoreError(
                f"the store's folder {path} is gone; make it anew: rag ingest PATH --fresh"
            )
        client = _local_client(path)
        return _Generation(client, *_open_pair(client, self._prefix, name), shared=False)

    def verify(self, name: str, manifest: Manifest) -> None:
        # In a child process: a broken Chroma folder can end the process that opens it.
        command = [sys.executable, "-m", "rag.store", str(self._folder), self._prefix, name]
        child = subprocess.run(
            [*command, manifest.to_json()], capture_output=True, text=True, check=False
        )
        if child.returncode:
            said = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
            raise StoreError(
                f"the store in {self._generations / name} does not read back what was written "
                f"({said}); make it anew: rag ingest PATH --fresh"
            )

    def switch(self, name: str, manifest: Manifest) -> None:
        before = self._pointer_or_nothing()
        text = json.dumps(
            {
                "generation": name,
                "previous": before.get("generation"),
                "manifest": asdict(manifest),
            },
            indent=1,
        )
        aside = self._pointer.with_suffix(".new")
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._pointer)

    def drop(self, name: str) -> None:
        shutil.rmtree(self._generations / name, ignore_errors=True)

    def clear(self, keep_previous: bool) -> None:
        pointer = self._pointer_or_nothing()
        kept = {pointer.get("generation"), pointer.get("previous") if keep_previous else None}
        if self._generations.is_dir():
            for path in self._generations.iterdir():
                if path.name not in kept:
                    self.drop(path.name)


class _Server(_Home):
    """Two collections for each generation; the newest one marked ready is current."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._prefix = prefix

    def current(self) -> tuple[str, Manifest] | None:
        ready = self._ready()
        return ready[-1][1:] if ready else None

    def create(self, name: str) -> _Generation:
        client = self._client()
        return _Generation(client, *_create_pair(client, self._prefix, name), shared=True)

    def open(self, name: str) -> _Generation:
        client = self._client()
        return _Generation(client, *_open_pair(client, self._prefix, name), shared=True)

    def verify(self, name: str, manifest: Manifest) -> None:
        _verify(self.open(name), manifest)

    def switch(self, name: str, manifest: Manifest) -> None:
        ready = self._ready()
        mark = {"ready": 1 + (ready[-1][0] if ready else 0), "manifest": manifest.to_json()}
        self.open(name).passages.modify(metadata=mark)

    def drop(self, name: str) -> None:
        for kind in ("passages", "documents"):
            full = _name(self._prefix, kind, name)
            if any(found.name == full for found in self._client().list_collections()):
                self._client().delete_collection(full)

    def clear(self, keep_previous: bool) -> None:
        kept = {name for _, name, _ in self._ready()[-2 if keep_previous else -1 :]}
        start = _name(self._prefix, "passages", "")
        for found in self._client().list_collections():
            name = found.name.removeprefix(start)
            if found.name.startswith(start) and name not in kept:
                self.drop(name)

    def _ready(self) -> list[tuple[int, str, Manifest]]:
        """Every verified generation: its rank, name and manifest, newest last."""
        start = _name(self._prefix, "passages", "")
        with _server_errors(self._url):
            marked = [
                (found.name.removeprefix(start), found.metadata)
                for found in self._client().list_collections()
                if found.name.startswith(start) and "ready" in (found.metadata or {})
            ]
        ready = [
            (int(mark["ready"]), name, Manifest(**json.loads(str(mark["manifest"]))))
            for name, mark in marked
        ]
        return sorted(ready, key=lambda each: each[0])

    def _client(self) -> "Client":
        with _server_errors(self._url):
            return _server_client(self._url)


def _name(prefix: str, kind: str, generation: str) -> str:
    return f"{prefix}-{kind}-{generation}"


def _local_client(path: Path) -> "Client":
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    return cast("Client", chromadb.PersistentClient(str(path), settings=settings))


@lru_cache(maxsize=8)
def _server_client(url: str) -> "Client":
    import chromadb
    from chromadb.config import Settings

    parts = urlsplit(url)
    client = chromadb.HttpClient(
        host=parts.hostname or "localhost",
        port=parts.port or (443 if parts.scheme == "https" else 8000),
        ssl=parts.scheme == "https",
        settings=Settings(anonymized_telemetry=False),
    )
    return cast("Client", client)


def _create_pair(client: "Client", prefix: str, name: str) -> "tuple[Collection, Collection]":
    documents, passages = (
        client.create_collection(
            _name(prefix, kind, name),
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine"}},
            metadata={"format": FORMAT},
        )
        for kind in ("documents", "passages")
    )
    return documents, passages


def _open_pair(client: "Client", prefix: str, name: str) -> "tuple[Collection, Collection]":
    documents, passages = (
        client.get_collection(_name(prefix, kind, name), embedding_function=None)
        for kind in ("documents", "passages")
    )
    return documents, passages


def _write_documents(generation: _Generation, documents: Sequence[StoredDocument]) -> None:
    # Chroma wants a vector for each row; documents are only ever got by their id.
    size = min(100, generation.client.get_max_batch_size())
    for start in range(0, len(documents), size):
        part = documents[start : start + size]
        generation.documents.add(
            ids=[stored.document.source for stored in part],
            documents=[stored.document.text for stored in part],
            metadatas=[_document_metadata(stored) for stored in part],
            embeddings=np.ones((len(part), 1), dtype=np.float32),
        )


def _document_metadata(stored: StoredDocument) -> dict[str, str]:
    fields = asdict(stored.document)
    del fields["text"]
    return {
        "root": stored.root,
        "fingerprint": stored.fingerprint,
        "fields": json.dumps(fields, ensure_ascii=False),
    }


def _read_documents(generation: _Generation) -> Iterator[StoredDocument]:
    step = 1000
    for offset in range(0, generation.documents.count(), step):
        rows = generation.documents.get(
            limit=step, offset=offset, include=["documents", "metadatas"]
        )
        assert rows["documents"] is not None
        assert rows["metadatas"] is not None
        for text, metadata in zip(rows["documents"], rows["metadatas"], strict=True):
            fields = json.loads(str(metadata["fields"]))
            fields["page_starts"] = tuple(fields["page_starts"])
            yield StoredDocument(
                Document(text=text, **fields),
                str(metadata["root"]),
                str(metadata["fingerprint"]),
            )


def _write_passages(
    generation: _Generation,
    passages: Sequence[Passage],
    vectors: NDArray[np.float32],
    progress: Callable[[int], None],
) -> None:
    size = min(1000, generation.client.get_max_batch_size())
    for start in range(0, len(passages), size):
        part = passages[start : start + size]
        generation.passages.add(
            ids=[f"{passage.source}:{passage.start}" for passage in part],
            documents=[passage.text for passage in part],
            metadatas=[_passage_metadata(passage) for passage in part],
            embeddings=vectors[start : start + size],
        )
        progress(start + len(part))


def _passage_metadata(passage: Passage) -> dict[str, str | int]:
    spans = [[sentence.start, sentence.end] for sentence in passage.sentences]
    return {
        "source": passage.source,
        "start": passage.start,
        "end": passage.end,
        "sentences": json.dumps(spans),
        "lang": passage.lang,
        "title": passage.title,
        "date": passage.date,
        # Chroma compares numbers only: 2024-07-05 is stored as 20240705 too.
        "day": int(passage.date.replace("-", "") or 0),
        "publisher": passage.publisher,
        "page": passage.page or 0,
    }


def _to_passage(text: str, metadata: Mapping[str, Any]) -> Passage:
    start = int(metadata["start"])
    sentences = tuple(
        Sentence(first, last, text[first - start : last - start])
        for first, last in json.loads(str(metadata["sentences"]))
    )
    return Passage(
        source=str(metadata["source"]),
        start=start,
        end=int(metadata["end"]),
        text=text,
        sentences=sentences,
        lang=str(metadata["lang"]),
        title=str(metadata["title"]),
        date=str(metadata["date"]),
        publisher=str(metadata["publisher"]),
        page=int(metadata["page"]) or None,
    )


def _verify(generation: _Generation, manifest: Manifest) -> None:
    counted = (generation.documents.count(), generation.passages.count())
    if counted != (manifest.documents, manifest.passages):
        raise StoreError(
            f"{counted[0]} documents and {counted[1]} passages are there, "
            f"{manifest.documents} and {manifest.passages} were written"
        )
    step = max(1, manifest.passages // _SELF_QUERIES)
    for offset in range(0, manifest.passages, step):
        row = generation.passages.get(limit=1, offset=offset, include=["embeddings"])
        assert row["embeddings"] is not None
        found = generation.passages.query(
            query_embeddings=np.array([row["embeddings"][0]], dtype=np.float32),
            n_results=1,
            include=["distances"],
        )
        # Twins share a vector, so the distance tells, not the id.
        assert found["distances"] is not None
        if not found["distances"][0] or found["distances"][0][0] > 1e-3:
            raise StoreError(f"passage {row['ids'][0]} does not find itself")


@contextmanager
def _chroma_errors(folder: Path) -> Iterator[None]:
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except RagError:
        raise
    except (ChromaError, OSError, httpx.HTTPError) as error:
        raise StoreError(
            f"the store {folder} cannot be used ({str(error).splitlines()[0]}); "
            "`rag doctor` says what is wrong with it"
        ) from error


@contextmanager
def _server_errors(url: str) -> Iterator[None]:
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, OSError, httpx.HTTPError, ValueError) as error:
        raise StoreError(
            f"no Chroma server answers at RAG_CHROMA_URL={url} ({str(error).splitlines()[0]}); "
            "start one (chroma run --path FOLDER), or unset RAG_CHROMA_URL"
        ) from error


def _verify_in_this_process(folder: str, prefix: str, name: str, manifest: str) -> None:
    generation = _Folders(Path(folder), prefix).open(name)
    _verify(generation, Manifest(**json.loads(manifest)))


if __name__ == "__main__":
    try:
        _verify_in_this_process(*sys.argv[1:])
    except Exception as error:
        sys.exit(str(error))
