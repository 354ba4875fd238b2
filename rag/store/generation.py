"""Where the generations of a store live, and how one becomes the current one.

A generation is built aside, verified and only then made the current one, and nobody
writes to it again. In this process it is a folder of its own, because a Chroma folder
whose writer was killed can crash whoever opens it; on a server it is two collections.
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
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import RagError, StoreError
from rag.records import Passage, Record
from rag.store.chroma import (
    METRIC,
    Collections,
    Neighbour,
    close_local,
    close_server,
    collection_name,
    open_local,
    open_server,
)
from rag.store.exact_index import ExactIndex, write_index
from rag.store.filters import Filter

if TYPE_CHECKING:
    from rag.store.chroma import Client

FORMAT = 2
"""Changes when a store of an older version can no longer be read."""
_CHECKED_ROWS = 5
_ID_ROWS = 10_000
"""Ids that are asked of a server at once."""


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
    centre: tuple[float, ...] = ()
    """What was taken away from each vector, because all passages share it."""
    metric: str = METRIC
    format: int = FORMAT

    @property
    def rebuild(self) -> str:
        """The command that writes the store anew from the same articles."""
        return f"rag ingest {shlex.quote(self.roots[0]) if self.roots else 'PATH'} --rebuild"


def _to_manifest(found: Mapping[str, Any]) -> Manifest:
    # A store of an older format may lack some: it still tells how to make it anew.
    tuples = {name: tuple(found.get(name, ())) for name in ("roots", "centre")}
    return Manifest(**{**found, **tuples})


@dataclass
class Generation:
    """An open generation."""

    name: str
    manifest: Manifest
    collections: Collections
    close: Callable[[], None]
    """A server's client outlives the generation, a folder's does not."""
    index_folder: Path | None = None
    """None where Chroma alone searches."""
    readers: int = field(default=0)

    def __enter__(self) -> "Generation":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @cached_property
    def index(self) -> ExactIndex | None:
        """Opened when it is first needed: documents can be read where it is broken."""
        return None if self.index_folder is None else ExactIndex(self.index_folder)

    def nearest(
        self, vector: NDArray[np.float32], k: int, conditions: Filter, exact_rows: int
    ) -> list[Neighbour]:
        """The k passages of highest cosine: exact where the filter leaves so many rows or fewer."""
        if self.index is not None:
            rows = self.index.rows(conditions)
            if len(rows) <= exact_rows:
                cosines = self.index.nearest(vector, k, rows)
                passages = self.collections.read_passages(list(cosines))
                return list(map(Neighbour, passages, cosines.values()))
        return self.collections.nearest(vector, k, conditions)

    @cached_property
    def passages_by_source(self) -> Mapping[str, int]:
        """How many passages each source has; counted once, as no row is ever added."""
        if not self.manifest.passages:
            return {}
        # What `exact_index.passage_id` makes: the source, a colon, where the passage starts.
        return Counter(each.rpartition(":")[0] for each in self._passage_ids())

    def _passage_ids(self) -> Iterator[str]:
        if self.index is not None:
            yield from map(self.index.id, range(len(self.index.vectors)))
            return
        for offset in range(0, self.manifest.passages, _ID_ROWS):
            rows = self.collections.passages.get(limit=_ID_ROWS, offset=offset, include=[])
            yield from rows["ids"]

    def verify(self) -> None:
        """Raise ValueError unless all rows are there and a few are what they should be."""
        self.collections.verify(self.manifest.documents, self.manifest.passages)
        # The vectors of no passage have no dimension.
        if self.index is not None and self.manifest.passages:
            self._verify_index(self.index)

    def _verify_index(self, index: ExactIndex) -> None:
        written = (self.manifest.passages, self.manifest.dimension)
        if index.vectors.shape != written:
            raise ValueError(f"the exact index has {index.vectors.shape} vectors, not {written}")
        for row in range(0, written[0], max(1, written[0] // _CHECKED_ROWS)):
            name = index.id(row)
            (passage,) = self.collections.read_passages([name])
            if not index.holds(row, passage, self.collections.vector(name)):
                raise ValueError(f"passage {name} is another one in the exact index")


class Home(Protocol):
    """Where generations live; the two kinds differ in how one becomes current."""

    place: str

    def current(self) -> tuple[str, Manifest] | None:
        """Name and manifest of the generation that readers use."""

    def create(self, name: str, manifest: Manifest) -> Generation:
        """A new generation, still without rows, open for writing."""

    def index(self, name: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Write what is searched beside Chroma."""

    def open(self, name: str, manifest: Manifest) -> Generation:
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


class Folders:
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

    def create(self, name: str, manifest: Manifest) -> Generation:
        path = self._generations / name
        path.mkdir(parents=True)
        client = open_local(str(path))

        def close() -> None:
            close_local(client)

        try:
            collections = Collections.create(
                client, self._prefix, name, manifest.documents, manifest.passages
            )
        except BaseException:
            close()
            raise
        return Generation(name, manifest, collections, close)

    def index(self, name: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        write_index(self._generations / name / _INDEX, passages, vectors)

    def open(self, name: str, manifest: Manifest) -> Generation:
        path = self._generations / name
        if not path.is_dir():
            raise FileNotFoundError(f"its folder {path} is gone")
        writable, let_go = _writable(path)
        client = open_local(str(writable))

        def close() -> None:
            close_local(client)
            let_go()

        try:
            collections = Collections.open(client, self._prefix, name)
        except BaseException:
            close()
            raise
        return Generation(name, manifest, collections, close, path / _INDEX)

    def verify(self, name: str, manifest: Manifest) -> None:
        # In a child process: a broken Chroma folder can end the process that opens it.
        # It finds modules where this process does, and none in the working folder.
        command = [
            sys.executable,
            "-P",
            "-m",
            "rag.store.generation",
            self.place,
            self._prefix,
            name,
        ]
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


class Server:
    """Two collections for each generation; the newest one marked ready is current.

    The lock of a store is a file, so ingest into one server from one machine.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self.place = re.sub(r"//[^/@]*@", "//", url)
        self._url = url
        self._prefix = prefix
        passages = collection_name(prefix, "passages", "")
        self._passages = re.compile(re.escape(passages) + _GENERATION.pattern)
        self._lock = threading.Lock()
        self._opened: Client | None = None

    def current(self) -> tuple[str, Manifest] | None:
        with self._connection_errors():
            ready = self._ready()
        return ready[-1][1:] if ready else None

    def create(self, name: str, manifest: Manifest) -> Generation:
        collections = Collections.create(
            self._client(), self._prefix, name, manifest.documents, manifest.passages
        )
        return Generation(name, manifest, collections, _nothing)

    def index(self, name: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        return

    def open(self, name: str, manifest: Manifest) -> Generation:
        collections = Collections.open(self._client(), self._prefix, name)
        return Generation(name, manifest, collections, _nothing)

    def verify(self, name: str, manifest: Manifest) -> None:
        self.open(name, manifest).verify()

    def switch(self, name: str, manifest: Manifest) -> None:
        ready = self._ready()
        mark = {"ready": 1 + (ready[-1][0] if ready else 0), "manifest": manifest.to_json()}
        self.open(name, manifest).collections.passages.modify(metadata=mark)

    def drop(self, name: str) -> None:
        # Passages last: they are what a later `clear` knows a generation by.
        present = {found.name for found in self._client().list_collections()}
        for kind in ("documents", "passages"):
            if (full := collection_name(self._prefix, kind, name)) in present:
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
                close_server(self._opened)
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
                    self._opened = open_server(self._url)
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
_INDEX = "exact"
"""The folder of the exact index in that of its generation."""


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

    Chroma writes to whatever it opens, if only to find that there is nothing to do. The
    exact index is not copied: it is read where it is.
    """
    if os.access(path, os.W_OK) and os.access(path / "chroma.sqlite3", os.W_OK):
        return path, _nothing
    folder = tempfile.TemporaryDirectory(prefix="rag-store-", ignore_cleanup_errors=True)
    copy = Path(folder.name, path.name)
    rest = shutil.ignore_patterns(_INDEX)
    shutil.copytree(path, copy, ignore=rest, copy_function=shutil.copyfile)
    for each in (copy, *copy.iterdir()):
        each.chmod(0o700 if each.is_dir() else 0o600)
    return copy, folder.cleanup


def _end_with_parent() -> None:
    """End this process when its standard input does, that is when its parent has ended.

    It would else go on in a folder that the next writer removes, and leave some of it.
    """

    def wait() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _verify_in_this_process(folder: str, prefix: str, name: str, manifest: str) -> None:
    home = Folders(Path(folder), prefix)
    with home.open(name, _to_manifest(json.loads(manifest))) as generation:
        generation.verify()


if __name__ == "__main__":
    _end_with_parent()
    try:
        _verify_in_this_process(*sys.argv[1:])
    except Exception as error:
        sys.exit(_first_line(error))
