"""Exact search finds what a plain loop over all passages would, and what Chroma finds."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.embedding.encoder import unit
from rag.records import Passage, Sentence
from rag.store.exact_index import ExactIndex, write_index
from rag.store.filters import parse_filter
from rag.store.folders import Folders
from rag.store.generation import Generation, Manifest
from rag.store.rows import Neighbour

Vectors = NDArray[np.float32]
Where = Mapping[str, Any]
DIMENSION = 3
LANGS = ["ar", "he", "tr", ""]
DATES = ["2023-12-31", "2024-01-01", "2024-02-29", "2024-07-05"]
NAMES = ["a.txt", "a.txt:1", "Ağ.pdf#é", ""]

# Few directions, so that many passages are equally near; some are nowhere at all.
vectors = st.lists(st.integers(-2, 2), min_size=DIMENSION, max_size=DIMENSION)


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[Passage], Vectors]:
    """Passages and their vectors, of any length."""
    fields = st.tuples(*map(st.sampled_from, (NAMES, LANGS, [*DATES, ""], NAMES, NAMES)))
    drawn = draw(st.lists(st.tuples(fields, vectors), min_size=1, max_size=30))
    passages = []
    for i, ((source, lang, date, title, publisher), _) in enumerate(drawn):
        text, start = f"Passage {i}.", 100 * i
        sentences = (Sentence(start, start + len(text), text),)
        end = start + len(text)
        passages.append(
            Passage(source, start, end, text, sentences, lang, title, date, publisher, i or None)
        )
    return passages, np.array([vector for _, vector in drawn], dtype=np.float32)


def some(values: list[str]) -> st.SearchStrategy[Any]:
    """A text, or a list of texts; some of them stored nowhere."""
    each = st.sampled_from([*values, "9999-12-31"])
    return each | st.lists(each, min_size=1)


comparisons = st.dictionaries(
    st.sampled_from(["gte", "gt", "lte", "lt"]), st.sampled_from(DATES), min_size=1
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "lang": some(LANGS),
        "source": some(NAMES),
        "title": some(NAMES),
        "publisher": some(NAMES),
        "date": some(DATES) | comparisons,
    },
)


def meets(passage: Passage, where: Where) -> bool:
    """What a filter means, said once more in plain words."""
    compare = {
        "gte": lambda a, b: a >= b,
        "gt": lambda a, b: a > b,
        "lte": lambda a, b: a <= b,
        "lt": lambda a, b: a < b,
    }
    for name, wanted in where.items():
        value = getattr(passage, name)
        if isinstance(wanted, Mapping):
            # Dates of this form compare like the texts that they are.
            if not value or not all(compare[c](value, day) for c, day in wanted.items()):
                return False
        elif value not in ([wanted] if isinstance(wanted, str) else wanted):
            return False
    return True


@contextmanager
def stored(passages: list[Passage], rows: Vectors) -> Iterator[Generation]:
    """An open generation that holds the passages, and no documents."""
    with tempfile.TemporaryDirectory() as folder:
        # Written to be searched by Chroma, and opened to be searched exactly.
        written, home = Folders(Path(folder), "t", exact_rows=0), Folders(Path(folder), "t")
        name, manifest = "0123456789ab", Manifest("space", DIMENSION, 0, len(passages), 9)
        with written.create(name, manifest) as generation:
            generation.write([], passages, rows)
        with home.open(name, manifest) as generation:
            yield generation


def assert_same(found: list[Neighbour], expected: list[Neighbour]) -> None:
    """The same passages with the same cosines, but for those as near as the last."""
    cosines = [each.cosine for each in expected]
    assert [each.cosine for each in found] == pytest.approx(cosines, abs=1e-5)
    above = {each.passage.to_json() for each in expected if each.cosine > cosines[-1] + 1e-5}
    assert above <= {each.passage.to_json() for each in found}
    vectors = {each.passage.to_json(): each.vector for each in expected}
    for each in found:
        wanted = vectors.get(each.passage.to_json(), each.vector)
        assert each.vector == pytest.approx(wanted, abs=1e-5)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(corpora(), st.lists(st.tuples(vectors, filters), min_size=1, max_size=8), st.integers(1, 40))
def test_both_searches_find_what_a_plain_loop_finds(
    corpus: tuple[list[Passage], Vectors], questions: list[tuple[list[int], Where]], k: int
) -> None:
    passages, rows = corpus
    with stored(passages, rows) as generation:
        for numbers, where in questions:
            vector = np.array(numbers, dtype=np.float32)
            conditions = parse_filter(where)
            exact = generation.nearest(vector, k, conditions)
            chroma = generation.collections.nearest(vector, k, conditions)
            cosines = (unit(rows) @ unit(vector)).tolist()
            every = map(Neighbour, passages, cosines, unit(rows))
            met = [each for each in every if meets(each.passage, where)]
            expected = sorted(met, key=lambda each: -each.cosine)[:k]
            assert_same(exact, expected)
            assert_same(chroma, expected)


@given(corpora(), vectors, st.integers(1, 40))
def test_equally_near_passages_come_in_the_order_of_the_corpus(
    corpus: tuple[list[Passage], Vectors], numbers: list[int], k: int
) -> None:
    passages, rows = corpus
    with tempfile.TemporaryDirectory() as folder:
        write_index(Path(folder, "index"), passages, rows)
        index = ExactIndex(Path(folder, "index"))
    found = index.nearest(np.array(numbers, dtype=np.float32), k, index.rows(()))
    order = [(-cosine, row) for row, cosine in found.items()]
    assert order == sorted(order)
    assert len(order) == min(k, len(passages))


def test_a_few_of_many_rows_have_the_cosines_that_all_have(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((1000, 384), dtype=np.float32)
    passages = [Passage(str(i), 0, 1, "x", (), "he" if i % 20 else "ar") for i in range(1000)]
    write_index(tmp_path / "index", passages, rows)
    index = ExactIndex(tmp_path / "index")
    everything = index.nearest(rows[7], 1000, index.rows(()))
    few = index.nearest(rows[7], 1000, index.rows(parse_filter({"lang": "ar"})))
    assert len(few) == 50
    assert few.items() <= everything.items()


def test_reads_vectors_in_place(tmp_path: Path) -> None:
    write_index(tmp_path / "index", [Passage("a", 0, 1, "x", ())], np.ones((1, 4), np.float32))
    index = ExactIndex(tmp_path / "index")
    assert not index.vectors.flags.owndata
    assert not index.vectors.flags.writeable
    assert index.nearest(np.ones(4, np.float32), 5, index.rows(())) == {0: 1.0}
    assert index.id(0) == "a:0"


def test_an_index_of_nothing_finds_nothing(tmp_path: Path) -> None:
    write_index(tmp_path / "index", [], np.zeros((0, 4), np.float32))
    index = ExactIndex(tmp_path / "index")
    assert index.nearest(np.ones(4, np.float32), 5, index.rows(parse_filter({"lang": "he"}))) == {}
