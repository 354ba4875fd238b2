"""A generation: one complete index of a corpus, to which nobody writes again."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import StoreError
from rag.records import Passage, Record
from rag.store.chroma import METRIC, Collections
from rag.store.exact_index import ExactIndex, write_index
from rag.store.filters import Filter
from rag.store.rows import Neighbour, StoredDocument

FORMAT = 2
"""Changes when a store of an older version can no longer be read."""
_VERIFIED_ROWS = 5
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
    corpus_mean: tuple[float, ...] = ()
    """What was taken away from each vector, because all passages share it."""
    metric: str = METRIC
    format: int = FORMAT

    @property
    def rebuild(self) -> str:
        """The command that writes the store anew from the same articles."""
        return f"rag ingest {shlex.quote(self.roots[0]) if self.roots else 'PATH'} --rebuild"


def to_manifest(found: Mapping[str, Any]) -> Manifest:
    """The manifest of stored JSON; raises TypeError or AttributeError for what is none."""
    fields = {"roots": (), "corpus_mean": (), **found}
    # What earlier versions called it. A store of an older format may lack both, and still
    # tells how to make it anew.
    fields["corpus_mean"] = fields.pop("centre", fields["corpus_mean"])
    tuples = {name: tuple(fields[name]) for name in ("roots", "corpus_mean")}
    return Manifest(**{**fields, **tuples})


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
    exact_rows: int = 0
    """Up to so many passages that a filter leaves, all are compared."""
    readers: int = field(default=0)

    def __enter__(self) -> "Generation":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @cached_property
    def index(self) -> ExactIndex | None:
        """Opened when it is first needed: documents can be read where it is broken."""
        return None if self.index_folder is None else ExactIndex(self.index_folder)

    def write(
        self,
        documents: Sequence[StoredDocument],
        passages: Sequence[Passage],
        vectors: NDArray[np.float32],
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Fill a new generation."""
        self.collections.write_documents(documents)
        self.collections.write_passages(passages, vectors, progress)
        if self.index_folder is not None:
            write_index(self.index_folder, passages, vectors)

    def nearest(self, vector: NDArray[np.float32], k: int, conditions: Filter) -> list[Neighbour]:
        """The k passages of highest cosine: exact where the filter leaves few enough."""
        if self.index is not None:
            rows = self.index.rows(conditions)
            if len(rows) <= self.exact_rows:
                return self._exact_nearest(self.index, vector, k, rows)
        return self.collections.nearest(vector, k, conditions)

    def _exact_nearest(
        self, index: ExactIndex, vector: NDArray[np.float32], k: int, rows: NDArray[np.intp]
    ) -> list[Neighbour]:
        cosines = index.nearest(vector, k, rows)
        passages = self.collections.read_passages(list(map(index.id, cosines)))
        vectors = index.vectors[list(cosines)]
        return list(map(Neighbour, passages, cosines.values(), vectors))

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
        documents, passages = self.manifest.documents, self.manifest.passages
        self.collections.verify(documents, passages, searched=passages > self.exact_rows)
        # The vectors of no passage have no dimension.
        if self.index is not None and passages:
            self._verify_index(self.index)

    def _verify_index(self, index: ExactIndex) -> None:
        written = (self.manifest.passages, self.manifest.dimension)
        if index.vectors.shape != written:
            raise ValueError(f"the exact index has {index.vectors.shape} vectors, not {written}")
        for row in range(0, written[0], max(1, written[0] // _VERIFIED_ROWS)):
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


def first_line(error: BaseException) -> str:
    """An error in one line of at most 300 characters."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
