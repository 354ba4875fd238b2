"""Stores of each kind, and the Chroma server that some of them are on."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_store import DOCUMENTS, fill, serve_chroma

from rag.store.store import Store


@pytest.fixture(scope="session")
def chroma_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_chroma(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(params=["folder", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path, chroma_url: str) -> Iterator[Store]:
    """An empty store of either kind."""
    server = request.param == "server"
    prefix = f"t{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    store = Store(tmp_path / "store", prefix, chroma_url if server else "")
    yield store
    store.close()


@pytest.fixture
def folder_store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture(scope="module", params=["folder", "folder, approximate", "server"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, chroma_url: str
) -> Iterator[Store]:
    """A store of each kind that holds DOCUMENTS; only to be read."""
    url = chroma_url if request.param == "server" else ""
    exact_rows = 1000 if request.param == "folder" else 0
    store = Store(tmp_path_factory.mktemp("filled"), "filled", url, exact_rows)
    fill(store, DOCUMENTS)
    yield store
    store.close()
