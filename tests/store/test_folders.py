"""A folder's generations stay what they were, and one that is broken is told with its mend."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from read_only_folder import read_only
from small_store import DOCUMENTS, fill, nearest_text, note, sources

from rag.errors import StoreError
from rag.store.store import Store

pytestmark = pytest.mark.slow


def test_reading_changes_no_file_of_the_index(folder_store: Store) -> None:
    fill(folder_store, [*DOCUMENTS, *note("More.")])

    def index() -> dict[str, str]:
        files = (folder_store.folder / "generations").rglob("*.*")
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.name != "chroma.sqlite3"
        }

    before = index()
    assert any(name.endswith("index_metadata.pickle") for name in before)
    assert nearest_text(folder_store, "x")
    folder_store.close()
    assert index() == before


def test_keeps_the_generation_before_and_tidies_what_a_dead_writer_left(
    folder_store: Store,
) -> None:
    fill(folder_store, note("One."))
    fill(folder_store, note("Two."))
    generations = folder_store.folder / "generations"
    (generations / "0123456789ab").mkdir()
    folder_store.tidy()
    assert len(list(generations.iterdir())) == 2
    assert nearest_text(folder_store, "x") == "Two."


def test_the_child_that_verifies_takes_nothing_from_the_working_folder(
    folder_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chromadb.py").write_text("raise SystemExit('the wrong chromadb')")
    (tmp_path / "rag").mkdir()
    monkeypatch.chdir(tmp_path)
    fill(folder_store, note("Verified."))
    assert nearest_text(folder_store, "x") == "Verified."


# ---- broken stores ---


@pytest.mark.parametrize(
    "pointer",
    ["", "{", "null", "[]", "{}", '{"generation": "../..", "manifest": {}}', b"\xff\xfe\x00"],
)
def test_a_broken_pointer_is_named_with_its_mend(tmp_path: Path, pointer: str | bytes) -> None:
    data = pointer if isinstance(pointer, bytes) else pointer.encode()
    (tmp_path / "current.json").write_bytes(data)
    with pytest.raises(StoreError, match=r"current\.json cannot be read .*rag ingest PATH --fresh"):
        Store(tmp_path).manifest()


def generation_of(store: Store) -> Path:
    (path,) = (store.folder / "generations").iterdir()
    return path


def garble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(400_000))


def cut_graph(path: Path) -> None:
    for file in path.glob("*/data_level0.bin"):
        os.truncate(file, 100)


def remove_folders(path: Path) -> None:
    for folder in filter(Path.is_dir, path.iterdir()):
        shutil.rmtree(folder)


def change(path: Path, array: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    np.save(path, array(np.load(path)))


def forget_last_row(path: Path) -> None:
    change(path / VECTORS, lambda rows: rows[:-1])
    change(path / COLUMNS, lambda columns: columns[:, :-1])


def change_language(path: Path) -> None:
    file = path / "exact" / "values.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"tr"', '"fi"'), encoding="utf-8")


DATABASE, VECTORS, COLUMNS = "chroma.sqlite3", "exact/vectors.npy", "exact/columns.npy"
DAMAGES: dict[str, Callable[[Path], object]] = {
    "nothing left": shutil.rmtree,
    "database garbled": lambda path: garble(path / DATABASE),
    "database cut": lambda path: os.truncate(path / DATABASE, 5000),
    "no database": lambda path: (path / DATABASE).unlink(),
    "graph cut": cut_graph,
    "no graph": remove_folders,
    "no vectors": lambda path: (path / VECTORS).unlink(),
    "vectors cut": lambda path: os.truncate(path / VECTORS, 200),
    "other vectors": lambda path: change(path / VECTORS, np.negative),
    "a row less": forget_last_row,
    "a column less": lambda path: change(path / COLUMNS, lambda columns: columns[:, :-1]),
    "another language": change_language,
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store that nothing is wrong with; to be copied."""
    store = Store(tmp_path_factory.mktemp("sound"))
    fill(store, DOCUMENTS)
    store.close()
    return store.folder


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_broken_generation_is_told_with_its_mend(
    sound: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    damage(generation_of(store))
    told = r"cannot be read \(.*\); make it anew from its articles: rag ingest /corpus --rebuild"
    with pytest.raises(StoreError, match=told) as raised:
        store.verify()
    assert "\n" not in str(raised.value)


def test_a_broken_generation_can_be_replaced(sound: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    garble(generation_of(store) / DATABASE)
    fill(store, note("Made anew."))
    assert nearest_text(store, "x") == "Made anew."
    store.close()


def test_documents_can_be_read_without_the_exact_index(sound: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    shutil.rmtree(generation_of(store) / "exact")
    assert sources(store) == sorted(document.source for document in DOCUMENTS)
    with pytest.raises(StoreError, match=r"vectors\.npy.*; make it anew .* /corpus --rebuild"):
        nearest_text(store, "x")
    store.close()


def test_a_read_only_store_can_be_read_but_not_written(sound: Path, tmp_path: Path) -> None:
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    with read_only(store.folder):
        assert nearest_text(store, "x")
        assert sources(store) == sorted(document.source for document in DOCUMENTS)
        with pytest.raises(StoreError, match=r"cannot be written .*RAG_STORE"):
            fill(store, note("No."))
        store.close()


def test_the_exact_index_of_a_read_only_store_is_not_copied(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    store = Store(shutil.copytree(sound, tmp_path / "store"))
    with read_only(store.folder):
        assert nearest_text(store, "x")
        copied = {path.name for path in (tmp_path / "temporary").rglob("*")}
        store.close()
    assert "chroma.sqlite3" in copied
    assert not {"exact", "vectors.npy"} & copied
