"""What every test has: no network, a home of its own, and one real model for all."""

import ipaddress
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from skipping import skip_or_fail

from rag.settings import APP, cache_folder

# Asked for here, before any fixture gives the tests a home of their own.
_USER_CACHE = Path(platformdirs.user_cache_dir(APP))
_TEST_CACHE = Path(tempfile.gettempdir()) / f"{APP}-tests-{os.getuid()}"
_FOREIGN = ("RAG_", "HF_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "TIKTOKEN_", "XDG_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_MODEL = {"embedded_gguf", "llama_chat_url", "llama_embeddings_url"}
"""The fixtures that need the embedded model's file or llama.cpp."""
_BROWSER = {"chrome", "browse"}
"""The fixtures that need Chromium."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and what needs the embedded model or llama.cpp."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & _BROWSER:
            item.add_marker("browser")
        if fixtures & _MODEL:
            item.add_marker("model")


# --- no network


class NetworkRefusedError(RuntimeError):
    """A test tried to leave this machine."""


_refused: list[str] = []
_guarding = False


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    """Raise for an address outside this machine; sees every socket that Python opens."""
    if not _guarding or not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = args[1][0] if isinstance(args[1], tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if not _is_here(host):
        address = str(args[1] if event == "socket.connect" else host)
        _refused.append(address)
        raise NetworkRefusedError(f"a test may not reach {address}: only this machine")


def _is_here(host: object) -> bool:
    """Whether a host, or the None of a Unix socket, is this machine."""
    if isinstance(host, bytes):
        host = host.decode("idna")
    if not isinstance(host, str) or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


# A hook of the interpreter and not a patched class: no client gets around it. It
# cannot be taken off again, so `_guarding` switches it.
sys.addaudithook(_refuse)


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Nothing but this machine can be reached."""
    global _guarding
    _guarding = True
    yield
    _guarding = False


@pytest.fixture(autouse=True)
def refused_addresses() -> Iterator[list[str]]:
    """Addresses that were refused; a test fails for one, even if its client kept quiet."""
    _refused.clear()
    yield _refused
    if _refused:
        pytest.fail(f"it tried to reach {', '.join(_refused)}")


# --- a home of its own


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for the whole run, so that no test reads or writes the user's folders."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_FOREIGN) or name.lower() in _PROXIES:
                patch.delenv(name)
        patch.setenv("HOME", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        yield folder


@pytest.fixture(autouse=True)
def clean_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting from outside, and a data folder that no other test has written to."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) and name != "XDG_CACHE_HOME":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


# --- the real model


@pytest.fixture(scope="session")
def embedded_gguf(home: Path) -> Path:
    """The embedded model's file, in the run's own cache, so that `RAG_MODEL=embedded` works.

    Joined at most once on a machine: a link to the user's own file where there is
    one, else to one that is kept for all runs.
    """
    from rag.models.weights import EMBEDDED, embedded_model, embedded_model_state, model_path

    if not find_spec("xllamacpp") or EMBEDDED.part_file(1) is None:
        skip_or_fail("the embedded model is not installed; pip install 'quoted-rag[embedded]'")
    source = model_path(_USER_CACHE)
    if not source.exists() or embedded_model_state(_USER_CACHE) != "ready":
        source = embedded_model(_TEST_CACHE)
    here = model_path(cache_folder())
    here.parent.mkdir(parents=True)
    here.symlink_to(source)
    stamp = source.with_suffix(".stamp.json")
    if stamp.exists():
        shutil.copy(stamp, here.with_suffix(".stamp.json"))
    return here


@contextmanager
def serve_llama(path: Path, embedding: bool = False, port: int = 0) -> Iterator[str]:
    """The base URL of a real llama.cpp server on this machine: for chat, or for embeddings."""
    # By name, because the compiled module has no types to check against.
    xllamacpp: Any = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.port = port
    params.n_ctx = 2048 if embedding else 8192
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = 2048 if embedding else 64
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.warmup = params.ui = False
    params.verbosity = -1
    params.model_alias = {"qwen"}
    if embedding:
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server


@pytest.fixture(scope="session")
def llama_chat_url(embedded_gguf: Path) -> Iterator[str]:
    """An OpenAI-compatible chat server: the embedded model behind real HTTP."""
    with serve_llama(embedded_gguf) as url:
        yield url


@pytest.fixture(scope="session")
def llama_embeddings_url(embedded_gguf: Path) -> Iterator[str]:
    """An OpenAI-compatible embeddings server: vectors are means over the same model."""
    with serve_llama(embedded_gguf, embedding=True) as url:
        yield url
