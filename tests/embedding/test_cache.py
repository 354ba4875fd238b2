"""The cache of vectors gives back what it was given, and costs only time when it breaks."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from read_only_folder import read_only

from rag.embedding.cache import VectorCache
from rag.errors import StoreError


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[VectorCache]:
    cache = VectorCache(tmp_path / "store" / "vectors.sqlite")
    yield cache
    cache.close()


def some(
    count: int, dimension: int = 3, start: int = 0
) -> dict[bytes, np.ndarray[tuple[int], np.dtype[np.float32]]]:
    return {
        VectorCache.key("m", str(i)): np.full(dimension, i + 1, dtype=np.float32)
        for i in range(start, start + count)
    }


def test_gives_back_what_it_was_given_and_leaves_out_the_rest(cache: VectorCache) -> None:
    cache.put(some(3))
    found = cache.get([*some(5), *some(2)])
    assert {key: vector.tolist() for key, vector in found.items()} == {
        key: vector.tolist() for key, vector in some(3).items()
    }


def test_a_question_to_an_empty_cache_makes_no_file(tmp_path: Path) -> None:
    assert VectorCache(tmp_path / "vectors.sqlite").get(some(2)) == {}
    assert not list(tmp_path.iterdir())


@given(st.text(), st.text(), st.text(), st.text())
@settings(deadline=None)
def test_keys_differ_unless_model_and_text_are_the_same(a: str, b: str, c: str, d: str) -> None:
    if "\0" not in a + b + c + d:
        assert (VectorCache.key(a, b) == VectorCache.key(c, d)) == ((a, b) == (c, d))


def test_takes_more_keys_than_a_statement_may_have(cache: VectorCache) -> None:
    cache.put(some(1200))
    assert len(cache.get(some(1200))) == 1200
    cache.keep_only(some(700))
    assert cache.get(some(1200)).keys() == some(700).keys()


def test_drops_vectors_of_another_length(cache: VectorCache) -> None:
    cache.put(some(2, dimension=3))
    cache.put(some(2, dimension=4, start=2))
    cache.keep_dimension(4)
    assert cache.get(some(4)).keys() == some(2, start=2).keys()


NAN, INF = float("nan"), float("inf")
UNSOUND: list[list[float]] = [[0.0, 0.0], [1.0, NAN], [INF, 1.0], [-INF, INF], [1e30, 1.0], []]


@pytest.mark.parametrize("numbers", UNSOUND)
def test_a_vector_without_a_direction_is_not_kept(cache: VectorCache, numbers: list[float]) -> None:
    key = VectorCache.key("m", "spoilt")
    cache.put(some(2) | {key: np.array(numbers, dtype=np.float32)})
    assert cache.get([key, *some(2)]).keys() == some(2).keys()


@pytest.mark.parametrize("blob", [np.array(each, "<f4").tobytes() for each in UNSOUND] + [b"abc"])
def test_a_broken_vector_that_an_older_cache_holds_is_missing(
    cache: VectorCache, tmp_path: Path, blob: bytes
) -> None:
    cache.put(some(2))
    cache.close()
    first = next(iter(some(1)))
    with closing(sqlite3.connect(tmp_path / "store" / "vectors.sqlite")) as file, file:
        file.execute("UPDATE vectors SET vector = ? WHERE key = ?", (blob, first))
    assert first not in cache.get(some(2))
    cache.put(some(1))
    assert len(cache.get(some(2))) == 2


def test_what_was_put_outlives_the_process_that_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "vectors.sqlite"
    unclosed = VectorCache(path)
    unclosed.put(some(2))
    other = VectorCache(path)
    assert len(other.get(some(2))) == 2
    other.close()
    unclosed.close()


def test_several_caches_and_threads_share_a_file(tmp_path: Path) -> None:
    caches = [VectorCache(tmp_path / "vectors.sqlite") for _ in range(2)]

    def work(number: int) -> None:
        for start in range(20):
            caches[number % 2].put(some(5, start=100 * number + 5 * start))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(caches[0].get(some(400))) == 400
    for cache in caches:
        cache.close()


@pytest.mark.parametrize("size", [1, 100, 5000, 30_000])
def test_a_file_of_rubbish_is_made_anew(cache: VectorCache, tmp_path: Path, size: int) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "vectors.sqlite").write_bytes(os.urandom(size))
    assert cache.get(some(2)) == {}
    cache.put(some(2))
    assert len(cache.get(some(2))) == 2


@pytest.mark.parametrize("where", [0, 20, 100, 5000, 60_000])
@pytest.mark.parametrize("cut", [False, True])
def test_a_file_broken_in_the_middle_is_made_anew(
    cache: VectorCache, tmp_path: Path, where: int, cut: bool
) -> None:
    cache.put(some(2000, dimension=16))
    cache.close()
    path = tmp_path / "store" / "vectors.sqlite"
    with path.open("r+b") as file:
        file.seek(where)
        if cut:
            file.truncate()
        else:
            file.write(os.urandom(20_000))
    cache.get(some(2000))
    cache.keep_dimension(16)
    cache.keep_only(some(1000))
    cache.put(some(2000, dimension=16))
    assert {vector.shape for vector in cache.get(some(2000)).values()} == {(16,)}


def test_a_read_only_file_is_read_and_left_alone(cache: VectorCache, tmp_path: Path) -> None:
    cache.put(some(2))
    cache.close()
    with read_only(tmp_path / "store"):
        cache.put(some(4))
        cache.keep_only([])
        assert cache.get(some(4)).keys() == some(2).keys()
        cache.close()
    assert len(cache.get(some(4))) == 2


def test_a_path_that_cannot_be_one_is_named_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "vectors.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"vectors\.sqlite cannot be used .* set RAG_STORE to"):
        VectorCache(tmp_path / "vectors.sqlite").put(some(1))
