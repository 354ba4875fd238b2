"""One writer at a time; the others are told who it is."""

import os
import signal
import threading
from pathlib import Path

import pytest
from held_lock import hold

from rag.errors import StoreError, StoreLockedError
from rag.ingestion.lock import writing


def test_names_who_holds_it(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        told = rf"written by process {holder.pid} on .*: ingest of articles\) since 20.*; wait"
        with pytest.raises(StoreLockedError, match=told), writing(tmp_path, "ingest of more"):
            pass
        holder.communicate("")
    with writing(tmp_path, "ingest of more"):
        pass


def test_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    with hold(tmp_path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with writing(tmp_path, "ingest"):
            assert f"process {os.getpid()} " in (tmp_path / "lock.holder").read_text()


def test_holds_between_threads_of_one_process(tmp_path: Path) -> None:
    told: list[str] = []

    def second() -> None:
        try:
            with writing(tmp_path, "second"):
                told.append("written")
        except StoreLockedError as error:
            told.append(str(error))

    with writing(tmp_path, "first"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert f"process {os.getpid()} " in told[0]


def test_lets_go_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), writing(tmp_path, "fails"):
        raise KeyError
    assert not (tmp_path / "lock.holder").exists()
    with writing(tmp_path, "works"):
        pass


def test_takes_a_purpose_that_is_not_text(tmp_path: Path) -> None:
    with writing(tmp_path, "ingest of \udce9"):
        assert r"ingest of \udce9" in (tmp_path / "lock.holder").read_text()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = r"file cannot be written \(.*\); .* set RAG_STORE"
    with pytest.raises(StoreError, match=told), writing(tmp_path / "file", "ingest"):
        pass
