"""Exact search: every vector is compared, in files that are opened in place.

    vectors.npy   float32 (rows, dimension): unit vectors, in the order of the passages
    columns.npy   int32 (columns, rows): what a filter asks for, and what makes a row's id
    values.json   the texts that the columns of texts have numbers for

The passages themselves are Chroma's. A row is found there by its id.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding.encoder import unit
from rag.records import Passage
from rag.store.filters import Between, Filter, OneOf, day_number

_TEXTS = ("lang", "source", "title", "publisher")
_COLUMNS = (*_TEXTS, "day", "start")
EXACT_ROWS = 200_000
"""Up to so many passages that a filter leaves, all are compared.

That many vectors of 384 numbers take 300 MB, and as long as Chroma's index takes for half
as many without a filter (docs/decisions/store.md); with one, Chroma takes far longer.
"""
_FEW = 0.1
"""Where a filter leaves less than this share of the rows, these are copied and compared; else
all rows are compared, which is quicker than copying."""


def passage_id(source: str, start: int) -> str:
    """What a passage is called in every index; no other passage of a corpus has it."""
    return f"{source}:{start}"


def write_index(folder: Path, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
    """Write the index of passages and their vectors (rows, dimension) to a new folder."""
    folder.mkdir()
    rows = [_fields(passage) for passage in passages]
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in _COLUMNS}
    values = {name: list(dict.fromkeys(columns[name])) for name in _TEXTS}
    for name, texts in values.items():
        code = {text: i for i, text in enumerate(texts)}
        columns[name] = [code[text] for text in columns[name]]
    np.save(folder / "vectors.npy", unit(vectors))
    np.save(folder / "columns.npy", np.array(list(columns.values()), dtype=np.int32))
    (folder / "values.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")


def _fields(passage: Passage) -> dict[str, str | int]:
    texts = {name: getattr(passage, name) for name in _TEXTS}
    return {**texts, "day": day_number(passage.date), "start": passage.start}


class ExactIndex:
    """The vectors and columns of one generation; safe to use from several threads.

    Raises OSError or ValueError for a folder that is not whole.
    """

    def __init__(self, folder: Path) -> None:
        self.vectors = _open_in_place(folder / "vectors.npy")
        columns = _open_in_place(folder / "columns.npy")
        if columns.shape[1:] != self.vectors.shape[:1]:
            raise ValueError(f"{folder} has {self.vectors.shape} vectors, {columns.shape} columns")
        self._columns = dict(zip(_COLUMNS, columns, strict=True))
        self._values: dict[str, list[str]] = json.loads(
            (folder / "values.json").read_text(encoding="utf-8")
        )
        self._codes = {
            column: {text: i for i, text in enumerate(texts)}
            for column, texts in self._values.items()
        }

    def id(self, row: int) -> str:
        """The id of a row's passage."""
        source = self._values["source"][self._columns["source"][row]]
        return passage_id(source, int(self._columns["start"][row]))

    def holds(self, row: int, passage: Passage, vector: NDArray[np.float32]) -> bool:
        """Whether a row has the direction and the fields of a passage."""
        fields: dict[str, Any] = {name: int(column[row]) for name, column in self._columns.items()}
        fields |= {name: texts[fields[name]] for name, texts in self._values.items()}
        same = np.allclose(self.vectors[row], unit(vector), atol=1e-5)
        return same and fields == _fields(passage)

    def rows(self, conditions: Filter) -> NDArray[np.intp]:
        """The rows that meet all conditions, in their order."""
        met = np.ones(len(self.vectors), dtype=bool)
        for condition in conditions:
            met &= self._meet(condition)
        return np.flatnonzero(met)

    def nearest(
        self, vector: NDArray[np.float32], k: int, rows: NDArray[np.intp]
    ) -> dict[int, float]:
        """The k nearest among the rows with their cosines, best first.

        Rows of the same cosine come in the order in which they were written.
        """
        cosines = self._cosines(unit(vector), rows)
        best = _highest(cosines, k)
        return dict(zip(rows[best].tolist(), cosines[best].tolist(), strict=True))

    def _meet(self, condition: OneOf | Between) -> NDArray[np.bool_]:
        column = self._columns[condition.column]
        if isinstance(condition, Between):
            return np.asarray((condition.first <= column) & (column <= condition.last))
        wanted: list[Any] = list(condition.values)
        if condition.column in _TEXTS:
            codes = self._codes[condition.column]
            wanted = [codes[text] for text in wanted if text in codes]
        return np.isin(column, np.array(wanted, dtype=np.int32))

    def _cosines(self, vector: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float32]:
        # `vecdot` takes one core and is as fast as the memory. `@` starts threads, which wait
        # for each other on a busy machine, and its last digits depend on the number of rows.
        if len(rows) < _FEW * len(self.vectors):
            return np.asarray(np.vecdot(self.vectors[rows], vector))
        return np.asarray(np.vecdot(self.vectors, vector)[rows])


def _highest(numbers: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Where the k highest numbers are, highest first, equal ones in their order.

    >>> _highest(np.array([0.5, 0.9, 0.5, 0.1, 0.5], dtype=np.float32), 3).tolist()
    [1, 0, 2]
    """
    if k < len(numbers):
        least = np.partition(numbers, -k)[-k]
        places = np.flatnonzero(numbers >= least)
    else:
        places = np.arange(len(numbers))
    return places[np.argsort(-numbers[places], kind="stable")][:k]


def _open_in_place(path: Path) -> NDArray[Any]:
    """An array that the system reads from the file as it is needed, and may forget again."""
    return np.load(path, mmap_mode="r").view(np.ndarray)  # type: ignore[no-any-return]
