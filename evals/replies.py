"""Replies of the chat model in one file, so that a run without changes costs seconds."""

import json
import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rag.errors import InputError
from rag.models.replies import Reply
from rag.records import Usage

T = TypeVar("T")

_BUSY_SECONDS = 30.0
_TABLE = """CREATE TABLE IF NOT EXISTS replies
    (key TEXT PRIMARY KEY, text TEXT NOT NULL, whole INTEGER NOT NULL,
     usage TEXT NOT NULL, seconds REAL NOT NULL)"""
_KEEP = """INSERT INTO replies VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET text = excluded.text, whole = excluded.whole,
    usage = excluded.usage, seconds = excluded.seconds WHERE NOT whole"""


class Replies:
    """`rag.models.replies.Replies` in an SQLite file, which is made when first needed.

    Safe to use from several threads and processes. Raises InputError for a file that
    cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def get(self, key: str) -> Reply | None:
        """The reply to a call, or None."""
        row = self._work(
            lambda connection: connection.execute(
                "SELECT text, whole, usage, seconds FROM replies WHERE key = ?", (key,)
            ).fetchone()
        )
        return Reply(row[0], bool(row[1]), Usage(**json.loads(row[2])), row[3]) if row else None

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply; a whole one never gives way."""
        # Half of a surrogate pair, which a server may send, has no UTF-8.
        text = reply.text.encode("utf-8", "replace").decode("utf-8")
        row = (key, text, reply.whole, reply.usage.to_json(), reply.seconds)
        self._work(lambda connection: connection.execute(_KEEP, row))

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _work(self, task: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                with self._opened() as connection:
                    return task(connection)
            except (sqlite3.Error, OSError, ValueError) as fault:
                raise InputError(
                    f"{self._path}: replies cannot be kept there ({fault}); "
                    "remove it, or give --no-cache"
                ) from fault

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, check_same_thread=False
            )
            weakref.finalize(self, self._connection.close)  # for those who do not close it
            self._connection.execute(_TABLE)
        return self._connection
