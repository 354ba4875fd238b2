"""A cache of vectors, and of tokens, by the content of their text: a rebuild is cheap."""

import hashlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.errors import StoreError

T = TypeVar("T")

# SQLite takes at most 32,766 parameters in a statement; smaller steps cost nothing.
_STEP = 500
_BUSY_SECONDS = 30.0
_FLOAT = np.dtype("<f4")
_TABLES = {"vectors": "vector", "tokens": "numbers"}


def is_sound(vector: NDArray[np.float32]) -> bool:
    """Whether a vector has a length and a direction: finite numbers, not all of them zero.

    >>> [is_sound(np.array(v, "f4")) for v in ([3.0, 4.0], [0.0, 0.0], [1.0, float("nan")])]
    [True, False, False]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return 0 < float(vector @ vector) < float("inf")


class VectorCache:
    """Raw embedder output in one SQLite file, keyed by model and text.

    Nothing is lost with the file: a broken one is made anew, and where it may not be
    written what it lacks is computed again each time. Safe to use from several threads
    and processes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @staticmethod
    def key(model: str, text: str) -> bytes:
        """The key of a text for one model, 32 bytes."""
        return hashlib.sha256(f"{model}\0{text}".encode()).digest()

    def get(self, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """The vectors that are there; a key without one, or with a broken one, is left out."""
        found = self._get("vectors", keys).items()
        whole = {key: blob for key, blob in found if len(blob) % _FLOAT.itemsize == 0}
        vectors = {key: np.frombuffer(blob, dtype=_FLOAT) for key, blob in whole.items()}
        return {key: vector for key, vector in vectors.items() if is_sound(vector)}

    def get_tokens(self, keys: Iterable[bytes]) -> dict[bytes, NDArray[np.int8]]:
        """The tokens that are there, of each text an array (tokens, width)."""
        return {
            key: np.frombuffer(blob, dtype=np.int8, offset=1).reshape(-1, blob[0])
            for key, blob in self._get("tokens", keys).items()
        }

    def put(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Keep vectors, so that a process killed after the call has not lost them.

        One that is not sound is not kept, or every later call would be given it.
        """
        kept = {key: vector for key, vector in vectors.items() if is_sound(vector)}
        self._put("vectors", {key: v.astype(_FLOAT).tobytes() for key, v in kept.items()})

    def put_tokens(self, tokens: Mapping[bytes, NDArray[np.int8]]) -> None:
        """Keep tokens likewise; they may have 255 numbers each at most."""
        rows = {key: bytes([t.shape[1]]) + t.tobytes() for key, t in tokens.items()}
        self._put("tokens", rows)

    def _get(self, table: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        wanted = list(dict.fromkeys(keys))

        def read(connection: sqlite3.Connection) -> dict[bytes, bytes]:
            found: dict[bytes, bytes] = {}
            for i in range(0, len(wanted), _STEP):
                part = wanted[i : i + _STEP]
                marks = ",".join("?" * len(part))
                query = f"SELECT * FROM {table} WHERE key IN ({marks})"
                found.update(connection.execute(query, part))
            return found

        exists = self._connection is not None or self._path.exists()
        return self._work(read) if wanted and exists else {}

    def _put(self, table: str, blobs: Mapping[bytes, bytes]) -> None:
        insert = f"INSERT OR REPLACE INTO {table} VALUES (?, ?)"
        self._change(lambda connection: connection.executemany(insert, blobs.items()))

    def keep_only(self, keys: Iterable[bytes]) -> None:
        """Drop the vectors of texts that are no longer stored."""
        kept = [(key,) for key in keys]

        def drop(connection: sqlite3.Connection) -> None:
            connection.execute("CREATE TEMP TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY)")
            connection.execute("DELETE FROM kept")
            connection.executemany("INSERT OR IGNORE INTO kept VALUES (?)", kept)
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table} WHERE key NOT IN (SELECT key FROM kept)")
            connection.execute("DELETE FROM kept")

        self._change(drop)

    def keep_dimension(self, dimension: int) -> None:
        """Drop vectors of another length: a model of the same name may have been exchanged."""
        size, others = dimension * _FLOAT.itemsize, "DELETE FROM vectors WHERE length(vector) != ?"
        self._change(lambda connection: connection.execute(others, (size,)))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._disconnect()

    def _change(self, change: Callable[[sqlite3.Connection], object]) -> None:
        def commit(connection: sqlite3.Connection) -> None:
            with connection:
                change(connection)

        if self._may_write():
            self._work(commit)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it; once more on a new file when this one turns out to be broken."""
        with self._lock:
            try:
                try:
                    return work(self._connected())
                except sqlite3.DatabaseError as error:
                    # Subclasses mean a full disk, a busy file and the like: the file is sound.
                    if type(error) is not sqlite3.DatabaseError:
                        raise
                    self._disconnect()
                    self._remove()
                    return work(self._connected())
            except (sqlite3.Error, OSError) as error:
                self._disconnect()
                raise StoreError(
                    f"{self._path} cannot be used ({error}); make room on its disk, "
                    "or set RAG_STORE to another folder"
                ) from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect() if self._may_write() else self._connect_to_read()
            weakref.finalize(self, self._connection.close)  # for those who do not close the corpus
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, check_same_thread=False, timeout=_BUSY_SECONDS)
        try:
            # Readers then go on while an ingest writes.
            connection.execute("PRAGMA journal_mode=WAL")
            for table, content in _TABLES.items():
                columns = f"key BLOB PRIMARY KEY, {content} BLOB"
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_to_read(self) -> sqlite3.Connection:
        uri = f"{self._path.as_uri()}?mode=ro&immutable=1"
        return sqlite3.connect(uri, uri=True, check_same_thread=False)

    def _may_write(self) -> bool:
        """Whether the file can be changed, or made where it is not there yet."""
        folder = self._path.parent
        present = [path for path in (self._path, folder) if path.exists()]
        return all(os.access(path, os.W_OK) for path in present)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _remove(self) -> None:
        # With its log, which SQLite would otherwise apply to the new file.
        if self._may_write():
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
