"""The wheel holds all that an answer needs, and works from wherever it is unpacked."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel unpacks to."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*pip, "--disable-pip-version-check", "-w", str(folder), str(PROJECT)], check=True
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all commands, so that the articles are ingested once."""
    return tmp_path_factory.mktemp("store")


def run(unpacked: Path, store: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command line of the unpacked wheel, in a folder that has nothing to do with it."""
    program = "import rag; from rag.cli import main; print(rag.__file__); main()"
    known = {"PYTHONPATH": str(unpacked), "RAG_MODEL": "none", "RAG_STORE": str(store)}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=store,
        env=os.environ | known,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("folder", ["rag", "prompts", "seeds", "evals"])
def test_carries_every_file_of_the_folder(unpacked: Path, folder: str) -> None:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    told = subprocess.run(listed, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    names = [name for name in told.splitlines() if (PROJECT / name).exists()]
    assert names
    carried = unpacked if folder == "rag" else unpacked / "rag" / "_data"
    for name in names:
        assert (carried / name).read_bytes() == (PROJECT / name).read_bytes()


def test_carries_what_answers_are_made_of(unpacked: Path) -> None:
    package = unpacked / "rag"
    assert (package / "_data" / "seeds" / "articles.toml").exists()
    assert (package / "_data" / "evals" / "questions.jsonl").exists()
    assert (package / "py.typed").exists()
    for name in ("language_means.npz", "token_projection.npz", "cross_encoder.npz"):
        assert (package / "embedding" / name).exists()
    assert (package / "retrieval" / "calibration.json").exists()
    assert (package / "embedding" / "CROSS_ENCODER.md").exists()


def test_carries_the_licences(unpacked: Path) -> None:
    (licences,) = unpacked.glob("*.dist-info/licenses")
    assert {path.name for path in licences.iterdir()} == {"LICENSE", "NOTICE"}


def test_carries_nothing_that_is_only_for_development(unpacked: Path) -> None:
    assert not list(unpacked.rglob("test_*.py"))
    assert not list(unpacked.rglob("__pycache__"))


def test_answers_from_its_own_articles(unpacked: Path, store: Path) -> None:
    done = run(unpacked, store, "ask", "When is the China tourism year in Kazakhstan?")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(str(unpacked))
    assert "[1]" in done.stdout


def test_runs_its_own_evaluation(unpacked: Path, store: Path) -> None:
    done = run(unpacked, store, "eval", "--limit", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(unpacked))
