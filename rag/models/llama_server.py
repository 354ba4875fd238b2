"""A GGUF file as a chat model: llama.cpp's own server on loopback, asked as any other is."""

import asyncio
import atexit
import secrets
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import openai
import xllamacpp
from pydantic import PrivateAttr, SecretStr

from rag.errors import ModelError
from rag.models.calls import end_calls
from rag.models.server import ServedChat
from rag.resources import physical_cores

_CONTEXT = 8192
"""Tokens that prompt and answer may have together.

The embedded model then takes 0.9 GB of memory beside its mapped file; each
further 4,096 tokens take 0.11 GB more.
"""

# llama.cpp looks whether to stop only between two batches of the prompt. With its
# own 512 that is eight seconds on two cores; with 32 it is half of one, and the
# prompt is read as fast: 61 tokens a second, 55 to 62 with 512.
_BATCH = 32

# Memory for prompts that were read before the last one. Rewriting a question and
# answering it begin differently: with this, going back to either costs nothing.
# One token of the embedded model takes 28 KB, so this holds some 18,000 tokens.
_CACHED_PROMPTS_MIB = 512

FindFile = Callable[[], Path]
"""Gives a GGUF file when it is needed; it may have to be fetched. Raises ModelError."""


class LlamaChat(ServedChat):
    """ServedChat of a GGUF file, whose server is started when it is first asked.

    All that ask for one file in one process share one server, which answers one call
    at a time and ends with the process. Raises ModelError for a file that cannot be loaded.
    """

    _find: FindFile = PrivateAttr()
    _started: bool = PrivateAttr(False)

    def settle(self) -> None:
        """Find the file, load it and learn the server's address; takes seconds once."""
        if not self._started:
            url = f"{_address(self._find())}/v1"
            self.openai_api_base = url
            self.root_client.base_url = self.root_async_client.base_url = url
            self._started = True

    async def asettle(self) -> None:
        """As `settle`, while others of the event loop go on."""
        if not self._started:
            await asyncio.to_thread(self.settle)


def llama_chat(find: FindFile, name: str, max_tokens: int, timeout: float) -> LlamaChat:
    """The model, called `name`; its file is neither sought nor loaded before it is asked."""
    model = LlamaChat(
        model=name,
        base_url="http://127.0.0.1",  # known to the port once the server runs
        api_key=SecretStr(_key()),
        temperature=0.0,
        extra_body={"max_tokens": max_tokens},
        timeout=timeout,
        stream_usage=True,
        # A connection that is kept would belong to the event loop that opened it.
        default_headers={"Connection": "close"},
        # No proxy may hear what is said on this machine.
        openai_proxy=None,
        http_client=_client(),
        http_async_client=_async_client(),
    )
    model._find = find
    return model


@cache
def _client() -> openai.DefaultHttpxClient:
    return openai.DefaultHttpxClient(trust_env=False)


@cache
def _async_client() -> openai.DefaultAsyncHttpxClient:
    return openai.DefaultAsyncHttpxClient(trust_env=False)


# --- the servers of this process

_servers: dict[Path, Any] = {}
_starting = threading.Lock()


@atexit.register
def _end_servers() -> None:
    """While Python is still whole: else their threads can end it in a segmentation fault."""
    # A server waits half a minute for a reader that is neither reading nor gone.
    end_calls()
    _servers.clear()


def _address(path: Path) -> str:
    """The URL of the one server of this file."""
    path = path.expanduser().resolve()
    with _starting:
        if path not in _servers:
            _servers[path] = _start(path)
        return str(_servers[path].listening_address)


@cache
def _key() -> str:
    """What this process shows its servers, so that no other user of the machine can ask them."""
    return secrets.token_urlsafe(32)


def _start(path: Path) -> Any:
    check_gguf(path)
    try:
        return xllamacpp.Server(_params(path))  # type: ignore[attr-defined]
    except RuntimeError as error:
        raise ModelError(
            f"llama.cpp cannot load {path}: the file is cut off, damaged, too new, or no "
            "chat model; fetch it again or set RAG_MODEL to another"
        ) from error


def _params(path: Path) -> Any:
    params = xllamacpp.CommonParams()  # type: ignore[attr-defined]
    params.model.path = str(path)
    params.n_ctx = _CONTEXT
    # One slot: two would halve the context and the speed of each.
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = _BATCH
    params.cache_ram_mib = _CACHED_PROMPTS_MIB
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = physical_cores()
    params.warmup = False
    # Silence: llama.cpp writes to the process's own standard output and error.
    params.verbosity = -1
    params.api_keys = [_key()]
    params.hostnames, params.port = ["127.0.0.1"], 0
    # These need no key.
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    return params


def check_gguf(path: Path) -> None:
    """Raise ModelError unless the file can be read and begins like a GGUF file."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelError(
            f"cannot read the model file {path}: {error.strerror}; "
            "set RAG_MODEL to `gguf:` and the path of a GGUF file"
        ) from error
    if magic != b"GGUF":
        raise ModelError(
            f"{path} is not a GGUF file (it begins with {magic!r}); "
            "fetch it again or set RAG_MODEL to another"
        )
