"""Keep passages and find the nearest, from several threads and processes at once.

A generation is built aside, verified and only then made the current one. So a writer
killed at any moment leaves the generation before it, and readers never meet a writer.
"""

import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.errors import RagError, SettingsError, StoreError
from rag.records import Passage
from rag.store.chroma import METRIC
from rag.store.exact_index import EXACT_ROWS
from rag.store.filters import parse_filter
from rag.store.folders import Folders
from rag.store.generation import FORMAT, Generation, Home, Manifest
from rag.store.rows import Neighbour, StoredDocument
from rag.store.server import Server

T = TypeVar("T")


class Store:
    """One corpus in Chroma. Reading needs no lock; write inside `rag.ingestion.lock.writing`.

    Safe to use from several threads, and from several objects and processes on the
    same folder: a generation that is being read stays open until that read ends.
    """

    def __init__(
        self, folder: Path, prefix: str = "rag", url: str = "", exact_rows: int = EXACT_ROWS
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", prefix):
            raise SettingsError(
                f"RAG_COLLECTION={prefix!r} cannot begin a collection's name; "
                "use up to 100 of the letters a to z, digits, '.', '_' and '-'"
            )
        self.folder = folder
        self._home: Home = Server(url, prefix) if url else Folders(folder, prefix, exact_rows)
        self._lock = threading.Lock()
        self._opened: Generation | None = None

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
        """The k passages of highest cosine, best first; fewer when fewer meet the filter.

        Every stored vector is compared where the filter leaves EXACT_ROWS passages or
        fewer; more of them, and those on a server, are searched by Chroma's approximate
        index. `where` is {"lang": "he"}, {"source": ["a.txt", "b.txt"]} or
        {"date": {"gte": "2024-07-01"}}, or several of these at once: a field of
        FILTER_FIELDS with a text, a list of texts or, for dates, comparisons. Raises
        InputError for a filter that means nothing, and StoreError when the vector
        (dimension,) is of another length than the stored ones.
        """
        conditions = parse_filter(where)

        def query(generation: Generation) -> list[Neighbour]:
            stored = generation.manifest
            if not stored.passages:
                return []
            if len(vector) != stored.dimension:
                raise StoreError(
                    f"the store {self.place} has vectors of {stored.dimension} dimensions, "
                    f"the embedding model makes {len(vector)}; "
                    f"make it anew from its articles: {stored.rebuild}"
                )
            return generation.nearest(vector, k, conditions)

        return self._read(query)

    def documents(self) -> dict[str, StoredDocument]:
        """Every stored document by its source, in the order of their names."""
        if self.manifest() is None:
            return {}
        found = self._read(lambda generation: list(generation.collections.read_documents()))
        by_source = {each.document.source: each for each in found}
        return dict(sorted(by_source.items()))

    def passages_by_source(self) -> dict[str, int]:
        """How many passages are stored of each article that has any."""
        if self.manifest() is None:
            return {}
        return dict(self._read(lambda generation: generation.passages_by_source))

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
                    generation.write(documents, passages, vectors, progress)
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

    def _current(self) -> tuple[str, Manifest]:
        current = self._home.current()
        if current is None:
            raise StoreError(f"the store {self.place} is empty; fill it: rag ingest PATH")
        return current

    def _read(self, work: Callable[[Generation], T]) -> T:
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
    def _reading(self, name: str, manifest: Manifest) -> Iterator[Generation]:
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
