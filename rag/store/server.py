"""Generations as pairs of collections on a Chroma server."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag.errors import RagError, StoreError
from rag.store.chroma import Collections, close_server, collection_name, open_server
from rag.store.generation import Generation, Manifest, first_line, to_manifest

if TYPE_CHECKING:
    from rag.store.chroma import Client


class Server:
    """Two collections for each generation; the newest one marked ready is current.

    The lock of a store is a file, so ingest into one server from one machine.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self.place = re.sub(r"//[^/@]*@", "//", url)
        self._url = url
        self._prefix = prefix
        passages = collection_name(prefix, "passages", "")
        self._passages = re.compile(re.escape(passages) + "([0-9a-f]{12})")
        self._lock = threading.Lock()
        self._opened: Client | None = None

    def current(self) -> tuple[str, Manifest] | None:
        with self._connection_errors():
            ready = self._ready()
        return ready[-1][1:] if ready else None

    def create(self, name: str, manifest: Manifest) -> Generation:
        rows = manifest.documents, manifest.passages
        collections = Collections.create(self._client(), self._prefix, name, rows, searched=True)
        return Generation(name, manifest, collections, _keep_client)

    def open(self, name: str, manifest: Manifest) -> Generation:
        collections = Collections.open(self._client(), self._prefix, name)
        return Generation(name, manifest, collections, _keep_client)

    def verify(self, name: str, manifest: Manifest) -> None:
        self.open(name, manifest).verify()

    def switch(self, name: str, manifest: Manifest) -> None:
        ready = self._ready()
        mark = {"ready": 1 + (ready[-1][0] if ready else 0), "manifest": manifest.to_json()}
        self.open(name, manifest).collections.passages.modify(metadata=mark)

    def drop(self, name: str) -> None:
        # Passages last: `clear` finds generations by their passages.
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
        if _is_unreachable(error):
            return self._unreachable(error)
        return StoreError(
            f"the store on the Chroma server {self.place} cannot be read ({first_line(error)}); "
            f"make it anew from its articles: {manifest.rebuild}"
        )

    def unwritable(self, error: Exception) -> StoreError:
        if _is_unreachable(error):
            return self._unreachable(error)
        return StoreError(
            f"the Chroma server {self.place} cannot be written ({first_line(error)}), and holds "
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
                (int(mark["ready"]), name, to_manifest(json.loads(mark["manifest"])))
                for name, mark in marks.items()
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"the store {self._prefix!r} on {self.place} was made by another version "
                f"({first_line(error)}); set RAG_COLLECTION to a name that is still free"
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
            f"no Chroma server answers at RAG_CHROMA_URL={self.place} ({first_line(error)}); "
            "start one there (chroma run --path FOLDER --port PORT), or unset RAG_CHROMA_URL"
        )


def _keep_client() -> None:
    """What closes a generation whose client the others use too."""


def _is_unreachable(error: Exception) -> bool:
    import httpx

    return isinstance(error, httpx.TransportError)
