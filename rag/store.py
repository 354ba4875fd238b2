"""Keep passages and find the nearest: Chroma, in this process or on a server.

The store is written as generations. A generation is built aside, verified and
only then made the current one, and nobody writes to it again. So a writer killed
at any moment leaves the generation before it, and readers never meet a writer.
In this process a generation is a folder of its own, because a Chroma folder whose
writer was killed can crash whoever opens it; on a server it is two collections.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from rag.errors import InputError, RagError, SettingsError, StoreError
from rag.records import Document, Passage, Record, Sentence

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

T = TypeVar("T")

FORMAT = 1
"""Changes when a store of an older version can no longer be read."""
METRIC = "cosine"

# Chroma's own values find 75 of the 100 nearest among random vectors, these find 99.
_INDEX = {"space": METRIC, "ef_search": 400, "ef_construction": 200, "max_neighbors": 32}
_BATCH_ROWS = 1000
_BATCH_BYTES = 8_000_000
"""A Chroma server takes 40 MB in a request; a vector takes more there than here."""
_SELF_QUERIES = 5
_SERVER_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Manifest(Record):
    """What a generation was made of and with."""

    space: str
    """The vector space: embedding model and language means."""
    dimension: int
    """Length of a vector."""
    documents: int
    passages: int
    budget: int
    """Tokens that a passage may have."""
    roots: tuple[str, ...] = ()
    """The folders and files that were ingested."""
    metric: str = METRIC
    format: int = FORMAT

    @property
    def rebuild(self) -> str:
        """The command that writes the store anew from the same articles."""
        return f"rag ingest {shlex.quote(self.roots[0]) if self.roots else 'PATH'} --rebuild"


def _to_manifest(found: Mapping[str, Any]) -> Manifest:
    return Manifest(**{**found, "roots": tuple(found["roots"])})


@dataclass(frozen=True, slots=True)
class StoredDocument(Record):
    """A document with where it came from and what it was when it was stored."""

    document: Document
    roots: tuple[str, ...]
    """The ingested folders or files that hold it, sorted."""
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
    values = [value] if isinstance(value, str) else value
    if isinstance(values, list | tuple) and values and all(isinstance(v, str) for v in values):
        dates = name == "date"
        yield {"day": {"$in": list(map(_day, values))}} if dates else {name: {"$in": list(values)}}
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
        return _number(date.fromisoformat(value))
    except (TypeError, ValueError):
        raise InputError(f"{value!r} is not a date; write it as 2024-01-31") from None


def _number(day: date) -> int:
    """The day as Chroma can compare it: 2024-07-05 is 20240705."""
    return day.year * 10_000 + day.month * 100 + day.day


class Store:
    """One corpus in Chroma. Reading needs no lock; write inside `rag.lock.writing`.

    Safe to use from several threads, and from several objects and processes on the
    same folder: a generation that is being read stays open until that read ends.
    """

    def __init__(self, folder: Path, prefix: str = "rag", url: str = "") -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", prefix):
            raise SettingsError(
                f"RAG_COLLECTION={prefix!r} cannot begin a collection's name; "
                "use up to 100 of the letters a to z, digits, '.', '_' and '-'"
            )
        self.folder = folder
        self._home: _Home = _Server(url, prefix) if url else _Folders(folder, prefix)
        self._lock = threading.Lock()
        self._opened: _Generation | None = None

    @property
    def place(self) -> str:
        """Where the store is, for people: its folder or its server."""
        return self._home.place

    def manifest(self) -> Manifest | None:
        """The current generation's manifest; None when nothing was stored yet."""
        current = self._home.current()
        return None if current is None else current[1]

    def check(self, space: str) -> Manifest:
        """The manifest, if this program and its embedding model can use the store.

        Raises StoreError that names the difference and the command that mends it.
        """
        _, manifest = self._current()
        for name, stored, ours in (
            ("format", manifest.format, FORMAT),
            ("metric", manifest.metric, METRIC),
            ("embedding model", manifest.space, space),
        ):
            if stored != ours:
                raise StoreError(
                    f"the store {self.place} has {name} {stored!r}, this program uses {ours!r}; "
                    f"make it anew from its articles: {manifest.rebuild}"
                )
        return manifest

    def nearest(
        self, vector: NDArray[np.float32], k: int, where: Mapping[str, Any] | None = None
    ) -> list[Neighbour]:
        """The k passages of highest cosine, best first; fewer when the store is smaller.

        Raises StoreError when the vector is of another length than the stored ones.
        """

        def query(generation: _Generation) -> list[Neighbour]:
            stored = generation.manifest
            if not stored.passages:
                return []
            if len(vector) != stored.dimension:
                raise StoreError(
                    f"the store {self.place} has vectors of {stored.dimension} dimensions, "
                    f"the embedding model makes {len(vector)}; "
                    f"make it anew from its articles: {stored.rebuild}"
                )
            return _nearest(generation, vector, k, where)

        return self._read(query)

    def documents(self) -> dict[str, StoredDocument]:
        """Every stored document by its source, in the order of their names."""
        if self.manifest() is None:
            return {}
        found = self._read(lambda generation: list(_read_documents(generation)))
        return {each.document.source: each for each in sorted(found, key=_source)}

    def replace(
        self,
        manifest: Manifest,
        documents: Sequence[StoredDocument],
        passages: Sequence[Passage],
        vectors: NDArray[np.float32],
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Build a new generation, verify it and make it current.

        The generation before stays on disk until the next call, for readers that
        are in the middle of it. Raises StoreError and changes nothing on failure.
        """
        name = uuid.uuid4().hex[:12]
        with self._writing_errors():
            self._home.clear(keep_previous=False)
            try:
                with self._home.create(name, manifest) as generation:
                    _write_documents(generation, documents)
                    _write_passages(generation, passages, vectors, progress)
                self._home.verify(name, manifest)
                self._home.switch(name, manifest)
            except BaseException:
                with suppress(Exception):
                    self._home.drop(name)
                raise

    def tidy(self) -> None:
        """Drop what a writer left behind that was killed."""
        with self._writing_errors():
            self._home.clear(keep_previous=True)

    def verify(self) -> None:
        """Read the current generation as a stranger would; raises StoreError if it is broken."""
        current = self._home.current()
        if current is None:
            return
        try:
            self._home.verify(*current)
        except RagError:
            raise
        except Exception as error:
            raise self._home.unreadable(error, current[1]) from error

    def close(self) -> None:
        """Let go of Chroma; the next call opens it again."""
        with self._lock:
            self._retire()
        self._home.close()

    def _current(self) -> "tuple[str, Manifest]":
        current = self._home.current()
        if current is None:
            raise StoreError(f"the store {self.place} is empty; fill it: rag ingest PATH")
        return current

    def _read(self, work: "Callable[[_Generation], T]") -> T:
        """What `work` finds in the current generation.

        Once more when it fails and another process has put a new generation in its place.
        """
        while True:
            name, manifest = self._current()
            try:
                with self._reading(name, manifest) as generation:
                    return work(generation)
            except StoreError:
                raise
            except Exception as error:
                if self._current()[0] == name:
                    raise self._home.unreadable(error, manifest) from error

    @contextmanager
    def _reading(self, name: str, manifest: Manifest) -> "Iterator[_Generation]":
        """A generation that no other thread closes before the block ends."""
        with self._lock:
            if self._opened is None or self._opened.name != name:
                generation = self._home.open(name, manifest)
                self._retire()
                self._opened = generation
            generation = self._opened
            generation.readers += 1
        try:
            yield generation
        finally:
            with self._lock:
                generation.readers -= 1
                if generation is not self._opened and not generation.readers:
                    generation.close()

    def _retire(self) -> None:
        """Close the open generation, or leave that to the last of its readers."""
        if self._opened is not None and not self._opened.readers:
            self._opened.close()
        self._opened = None

    @contextmanager
    def _writing_errors(self) -> Iterator[None]:
        try:
            yield
        except RagError:
            raise
        except Exception as error:
            raise self._home.unwritable(error) from error


def _source(stored: StoredDocument) -> str:
    return stored.document.source


# ---- where generations live -----------------------------------------------------


@dataclass
class _Generation:
    """An open generation."""

    name: str
    manifest: Manifest
    client: "Client"
    documents: "Collection"
    passages: "Collection"
    close: Callable[[], None]
    """A server's client outlives the generation, a folder's does not."""
    readers: int = field(default=0)

    def __enter__(self) -> "_Generation":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Home(Protocol):
    """Where generations live; the two kinds differ in how one becomes current."""

    place: str

    def current(self) -> tuple[str, Manifest] | None:
        """Name and manifest of the generation that readers use."""

    def create(self, name: str, manifest: Manifest) -> _Generation:
        """A new generation, still without rows, open for writing."""

    def open(self, name: str, manifest: Manifest) -> _Generation:
        """A generation that was written before."""

    def verify(self, name: str, manifest: Manifest) -> None:
        """Read back what was written; raises for whatever is not as it should be."""

    def switch(self, name: str, manifest: Manifest) -> None:
        """Make a generation the current one, at once for all readers."""

    def drop(self, name: str) -> None:
        """Remove a generation, or what there is of it."""

    def clear(self, keep_previous: bool) -> None:
        """Drop generations that are neither current nor, if asked, the one before."""

    def unreadable(self, error: Exception, manifest: Manifest) -> StoreError:
        """What to tell a person when a generation cannot be read."""

    def unwritable(self, error: Exception) -> StoreError:
        """What to tell a person when a generation cannot be written."""

    def close(self) -> None:
        """Let go of what the generations share."""


class _Folders:
    """A folder for each generation, and `current.json` that names one."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.place = str(folder)
        self._folder = folder
        self._prefix = prefix
        self._generations = folder / "generations"
        self._pointer = folder / "current.json"

    def current(self) -> tuple[str, Manifest] | None:
        pointer = self._read_pointer()
        if pointer is None:
            return None
        return pointer["generation"], _to_manifest(pointer["manifest"])

    def _read_pointer(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._pointer.read_text(encoding="utf-8"))
            _to_manifest(found["manifest"])
            if not _GENERATION.fullmatch(found["generation"]):
                raise ValueError(f"{found['generation']!r} names no generation")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{self._pointer} cannot be read ({_first_line(error)}); "
                "make the store anew from the folder of your articles: rag ingest PATH --fresh"
            ) from error
        return found

    def _pointer_or_nothing(self) -> dict[str, Any]:
        try:
            return self._read_pointer() or {}
        except StoreError:
            return {}

    def create(self, name: str, manifest: Manifest) -> _Generation:
        path = self._generations / name
        path.mkdir(parents=True)
        client = _local_client(path)
        try:
            pair = _create_pair(client, self._prefix, name, manifest)
        except BaseException:
            _close_local(client)
            raise
        return _Generation(name, manifest, client, *pair, close=lambda: _close_local(client))

    def open(self, name: str, manifest: Manifest) -> _Generation:
        path = self._generations / name
        if not path.is_dir():
            raise FileNotFoundError(f"its folder {path} is gone")
        path, copied = _writable(path)
        client = _local_client(path)

        def close() -> None:
            _close_local(client)
            copied()

        try:
            pair = _open_pair(client, self._prefix, name)
        except BaseException:
            close()
            raise
        return _Generation(name, manifest, client, *pair, close=close)

    def verify(self, name: str, manifest: Manifest) -> None:
        # In a child process: a broken Chroma folder can end the process that opens it.
        # It finds modules where this process does, and none in the working folder.
        command = [sys.executable, "-P", "-m", "rag.store", self.place, self._prefix, name]
        with subprocess.Popen(
            [*command, manifest.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as child:
            assert child.stderr is not None
            lines = child.stderr.read().decode(errors="replace").strip().splitlines()
            code = child.wait()
        if code:
            said = lines[-1] if lines else f"exit code {code}"
            raise ValueError(f"it does not read back: {said}")

    def switch(self, name: str, manifest: Manifest) -> None:
        pointer = {
            "generation": name,
            "previous": self._pointer_or_nothing().get("generation"),
            "manifest": asdict(manifest),
        }
        aside = self._pointer.with_suffix(".new")
        aside.write_text(json.dumps(pointer, ensure_ascii=False, indent=1), encoding="utf-8")
        # Else a power cut could leave a pointer to files that never reached the disk.
        for path in (aside, *(self._generations / name).rglob("*")):
            _flush(path)
        aside.replace(self._pointer)
        _flush(self._folder)

    def drop(self, name: str) -> None:
        shutil.rmtree(self._generations / name, ignore_errors=True)

    def clear(self, keep_previous: bool) -> None:
        pointer = self._pointer_or_nothing()
        kept = {pointer.get("generation"), pointer.get("previous") if keep_previous else None}
        if self._generations.is_dir():
            for path in self._generations.iterdir():
                if path.name not in kept:
                    self.drop(path.name)

    def unreadable(self, error: Exception, manifest: Manifest) -> StoreError:
        return StoreError(
            f"the store {self.place} cannot be read ({_first_line(error)}); "
            f"make it anew from its articles: {manifest.rebuild}"
        )

    def unwritable(self, error: Exception) -> StoreError:
        free = shutil.disk_usage(_existing(self._folder)).free / 1e6
        return StoreError(
            f"the store {self.place} cannot be written ({_first_line(error)}; {free:,.0f} MB are "
            "free there), and is what it was; make room, or set RAG_STORE to another folder"
        )

    def close(self) -> None:
        return


class _Server:
    """Two collections for each generation; the newest one marked ready is current.

    The lock of a store is a file, so ingest into one server from one machine.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self.place = re.sub(r"//[^/@]*@", "//", url)
        self._url = url
        self._prefix = prefix
        self._passages = re.compile(re.escape(_name(prefix, "passages", "")) + _GENERATION.pattern)
        self._lock = threading.Lock()
        self._opened: Client | None = None

    def current(self) -> tuple[str, Manifest] | None:
        with self._connection_errors():
            ready = self._ready()
        return ready[-1][1:] if ready else None

    def create(self, name: str, manifest: Manifest) -> _Generation:
        client = self._client()
        pair = _create_pair(client, self._prefix, name, manifest)
        return _Generation(name, manifest, client, *pair, close=_nothing)

    def open(self, name: str, manifest: Manifest) -> _Generation:
        client = self._client()
        pair = _open_pair(client, self._prefix, name)
        return _Generation(name, manifest, client, *pair, close=_nothing)

    def verify(self, name: str, manifest: Manifest) -> None:
        _verify(self.open(name, manifest))

    def switch(self, name: str, manifest: Manifest) -> None:
        ready = self._ready()
        mark = {"ready": 1 + (ready[-1][0] if ready else 0), "manifest": manifest.to_json()}
        self.open(name, manifest).passages.modify(metadata=mark)

    def drop(self, name: str) -> None:
        # Passages last: they are what a later `clear` knows a generation by.
        present = {found.name for found in self._client().list_collections()}
        for kind in ("documents", "passages"):
            if (full := _name(self._prefix, kind, name)) in present:
                self._client().delete_collection(full)

    def clear(self, keep_previous: bool) -> None:
        kept = {name for _, name, _ in self._ready()[-2 if keep_previous else -1 :]}
        for name, _ in self._generations():
            if name not in kept:
                self.drop(name)

    def unreadable(self, error: Exception, manifest: Manifest) -> StoreError:
        import httpx

        if isinstance(error, httpx.TransportError):
            return self._unreachable(error)
        return StoreError(
            f"the store on the Chroma server {self.place} cannot be read ({_first_line(error)}); "
            f"make it anew from its articles: {manifest.rebuild}"
        )

    def unwritable(self, error: Exception) -> StoreError:
        import httpx

        if isinstance(error, httpx.TransportError):
            return self._unreachable(error)
        return StoreError(
            f"the Chroma server {self.place} cannot be written ({_first_line(error)}), and holds "
            "what it held; see its log and the room on its disk, and run the command again"
        )

    def close(self) -> None:
        with self._lock:
            if self._opened is not None:
                _close_server(self._opened)
            self._opened = None

    def _ready(self) -> list[tuple[int, str, Manifest]]:
        """Every verified generation: its rank, name and manifest, newest last."""
        marks = {name: mark for name, mark in self._generations() if "ready" in mark}
        try:
            ready = [
                (int(mark["ready"]), name, _to_manifest(json.loads(mark["manifest"])))
                for name, mark in marks.items()
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"the store {self._prefix!r} on {self.place} was made by another version "
                f"({_first_line(error)}); set RAG_COLLECTION to a name that is still free"
            ) from error
        return sorted(ready, key=lambda each: each[:2])

    def _generations(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Name and metadata of each generation, those that were never finished too."""
        return [
            (found[1], collection.metadata or {})
            for collection in self._client().list_collections()
            if (found := self._passages.fullmatch(collection.name))
        ]

    def _client(self) -> "Client":
        with self._lock:
            if self._opened is None:
                with self._connection_errors():
                    self._opened = _server_client(self._url)
            return self._opened

    @contextmanager
    def _connection_errors(self) -> Iterator[None]:
        try:
            yield
        except RagError:
            raise
        except Exception as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> StoreError:
        return StoreError(
            f"no Chroma server answers at RAG_CHROMA_URL={self.place} ({_first_line(error)}); "
            "start one there (chroma run --path FOLDER --port PORT), or unset RAG_CHROMA_URL"
        )


_GENERATION = re.compile(r"([0-9a-f]{12})")


def _name(prefix: str, kind: str, generation: str) -> str:
    return f"{prefix}-{kind}-{generation}"


def _nothing() -> None:
    return


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _flush(path: Path) -> None:
    """Have the disk hold what was written to a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _writable(path: Path) -> tuple[Path, Callable[[], None]]:
    """The folder, or a copy of it where it may not be written, and how to let go of it.

    Chroma writes to whatever it opens, if only to find that there is nothing to do.
    """
    if os.access(path, os.W_OK) and os.access(path / "chroma.sqlite3", os.W_OK):
        return path, _nothing
    folder = tempfile.TemporaryDirectory(prefix="rag-store-", ignore_cleanup_errors=True)
    copy = Path(folder.name, path.name)
    shutil.copytree(path, copy, copy_function=shutil.copyfile)
    for each in (copy, *copy.iterdir()):
        each.chmod(0o700 if each.is_dir() else 0o600)
    return copy, folder.cleanup


# ---- Chroma -----------------------------------------------------------------------

_clients = threading.Lock()
"""Chroma counts the clients of a folder without a lock of its own."""


def _local_client(path: Path) -> "Client":
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    with _clients:
        return cast("Client", chromadb.PersistentClient(str(path), settings=settings))


def _close_local(client: "Client") -> None:
    with _clients:
        client.close()


def _server_client(url: str) -> "Client":
    import chromadb
    import httpx
    from chromadb.config import Settings

    # Chroma's client waits for ever, and takes any JSON for an answer.
    beat = httpx.get(f"{url}/api/v2/heartbeat", timeout=_SERVER_TIMEOUT)
    if "nanosecond heartbeat" not in beat.text:
        raise ValueError(f"HTTP {beat.status_code} and no heartbeat: something else answers")
    settings = Settings(anonymized_telemetry=False)
    ssl = url.startswith("https:")
    return cast("Client", chromadb.HttpClient(host=url, ssl=ssl, settings=settings))


def _close_server(client: "Client") -> None:
    """Close a client and its connections, which Chroma leaves to the garbage collector."""
    for api in (client, getattr(client, "_admin_client", None)):
        session = getattr(getattr(api, "_server", None), "_session", None)
        if session is not None:
            session.close()
    client.close()


def _create_pair(
    client: "Client", prefix: str, name: str, manifest: Manifest
) -> "tuple[Collection, Collection]":
    documents, passages = (
        client.create_collection(
            _name(prefix, kind, name),
            embedding_function=None,
            configuration=_index(rows),
            metadata={"format": FORMAT},
        )
        for kind, rows in (("documents", manifest.documents), ("passages", manifest.passages))
    )
    return documents, passages


def _index(rows: int) -> Any:
    """The configuration of a collection that is filled once with so many rows.

    The last row makes Chroma write its index. Rows after that would be put into it by
    each reader anew, who would write files that the other readers read.
    """
    return {"hnsw": {**_INDEX, "sync_threshold": max(2, rows)}}


def _open_pair(client: "Client", prefix: str, name: str) -> "tuple[Collection, Collection]":
    documents, passages = (
        client.get_collection(_name(prefix, kind, name), embedding_function=None)
        for kind in ("documents", "passages")
    )
    return documents, passages


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


def _write_documents(generation: _Generation, documents: Sequence[StoredDocument]) -> None:
    most = min(_BATCH_ROWS, generation.client.get_max_batch_size())
    sizes = (4 * len(stored.document.text) for stored in documents)
    for part in _batches(documents, sizes, most):
        generation.documents.add(
            ids=[stored.document.source for stored in part],
            metadatas=[_document_metadata(stored) for stored in part],
            # Chroma wants a vector for each row; documents are only ever got by their id.
            embeddings=np.ones((len(part), 1), dtype=np.float32),
        )


def _document_metadata(stored: StoredDocument) -> dict[str, str]:
    fields = asdict(stored.document)
    return {
        # Not as Chroma's "document": it would index every three letters of it, which
        # takes ten times as long and twice the room.
        "text": fields.pop("text"),
        "fields": json.dumps(fields, ensure_ascii=False),
        "roots": json.dumps(stored.roots, ensure_ascii=False),
        "fingerprint": stored.fingerprint,
    }


def _read_documents(generation: _Generation) -> Iterator[StoredDocument]:
    for offset in range(0, generation.documents.count(), _BATCH_ROWS):
        rows = generation.documents.get(limit=_BATCH_ROWS, offset=offset, include=["metadatas"])
        assert rows["metadatas"] is not None
        for metadata in rows["metadatas"]:
            fields = json.loads(str(metadata["fields"]))
            fields["page_starts"] = tuple(fields["page_starts"])
            yield StoredDocument(
                Document(text=str(metadata["text"]), **fields),
                tuple(json.loads(str(metadata["roots"]))),
                str(metadata["fingerprint"]),
            )


def _write_passages(
    generation: _Generation,
    passages: Sequence[Passage],
    vectors: NDArray[np.float32],
    progress: Callable[[int], None],
) -> None:
    most = min(_BATCH_ROWS, generation.client.get_max_batch_size())
    sizes = (4 * len(passage.text) + 8 * vectors.shape[1] for passage in passages)
    done = 0
    for part in _batches(passages, sizes, most):
        generation.passages.add(
            ids=[f"{passage.source}:{passage.start}" for passage in part],
            documents=[passage.text for passage in part],
            metadatas=[_passage_metadata(passage) for passage in part],
            embeddings=vectors[done : done + len(part)],
        )
        done += len(part)
        progress(done)


def _nearest(
    generation: _Generation,
    vector: NDArray[np.float32],
    k: int,
    where: Mapping[str, Any] | None,
) -> list[Neighbour]:
    rows = generation.passages.query(
        query_embeddings=vector[np.newaxis],
        n_results=k,
        where=dict(where) if where else None,
        include=["documents", "metadatas", "distances"],
    )
    assert rows["documents"] is not None
    assert rows["metadatas"] is not None
    assert rows["distances"] is not None
    found = zip(rows["documents"][0], rows["metadatas"][0], rows["distances"][0], strict=True)
    return [Neighbour(_to_passage(text, metadata), 1.0 - away) for text, metadata, away in found]


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
        # 0 is no day at all.
        "day": _number(date.fromisoformat(passage.date)) if passage.date else 0,
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


def _verify(generation: _Generation) -> None:
    """Raise ValueError unless all rows are there and a few find themselves."""
    manifest = generation.manifest
    counted = (generation.documents.count(), generation.passages.count())
    if counted != (manifest.documents, manifest.passages):
        raise ValueError(
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
            raise ValueError(f"passage {row['ids'][0]} does not find itself")


def _end_with_parent() -> None:
    """End this process when its standard input does, that is when its parent has ended.

    It would else go on in a folder that the next writer removes, and leave some of it.
    """

    def wait() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _verify_in_this_process(folder: str, prefix: str, name: str, manifest: str) -> None:
    home = _Folders(Path(folder), prefix)
    with home.open(name, _to_manifest(json.loads(manifest))) as generation:
        _verify(generation)


if __name__ == "__main__":
    _end_with_parent()
    try:
        _verify_in_this_process(*sys.argv[1:])
    except Exception as error:
        sys.exit(_first_line(error))
