"""The chat model that runs in this process: llama.cpp behind the LangChain interface."""

import asyncio
import atexit
import http.client
import json
import os
import queue
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import xllamacpp
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import (
    BaseChatModel,
    agenerate_from_stream,
    generate_from_stream,
)
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from rag.errors import ModelError

PROVIDER = "llama.cpp in process"
"""`response_metadata["model_provider"]` of every message written here."""

N_CTX = 8192
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

# How often a waiting caller looks at the clock and lets Ctrl-C through.
_GLANCE = 0.2

Chunk = dict[str, Any]
"""One `chat.completion.chunk` of the OpenAI protocol."""


class LlamaChat(BaseChatModel):
    """A GGUF file as a chat model; loaded at the first need and then shared.

    All objects of one file in one process share one loaded copy, which answers one
    call at a time. Closing a stream, cancelling its task, Ctrl-C and `timeout` stop
    the model at once. Further OpenAI fields, such as `response_format`, `seed` and
    `max_tokens`, can be given with a call or by `bind`.
    Raises ModelError for every failure of the file, the prompt or the model.
    """

    weights: Path | Callable[[], Path]
    """The file, or a function that gives it when it is first needed."""
    model_name: str = ""
    """What people call the model; the file's name when empty."""
    n_ctx: int = N_CTX
    max_tokens: int = 400
    temperature: float = 0.0
    seed: int = 1
    timeout: float = 120.0
    """Seconds that the model may work on one call; waiting for other calls is not counted."""
    _loaded: "Engine | None" = PrivateAttr(None)

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self._shown_name, "temperature": self.temperature, "seed": self.seed}

    @property
    def _shown_name(self) -> str:
        if self.model_name:
            return self.model_name
        return self.weights.name if isinstance(self.weights, Path) else "embedded"

    def load(self) -> "Engine":
        """The loaded model; the first call takes seconds. Raises ModelError."""
        if self._loaded is None:
            path = self.weights if isinstance(self.weights, Path) else self.weights()
            self._loaded = _engine(path, self.n_ctx)
        return self._loaded

    def get_num_tokens(self, text: str) -> int:
        """Tokens of the text by the model's own tokenizer; loads the model."""
        return self.load().count_tokens(text)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        timeout = kwargs.pop("timeout", self.timeout)
        body = self._body(messages, stop, kwargs)
        arrived: queue.SimpleQueue[Chunk | _End] = queue.SimpleQueue()
        call = _Call(self.load(), body, timeout, arrived.put)
        try:
            call.start()
            while True:
                # A wait without end would keep Ctrl-C out on some systems.
                try:
                    item = arrived.get(timeout=_GLANCE)
                except queue.Empty:
                    call.check_clock()
                    continue
                if isinstance(item, _End):
                    item.check()
                    return
                chunk = self._translate(item)
                if chunk is None:
                    continue
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        finally:
            call.stop()
            call.join()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        timeout = kwargs.pop("timeout", self.timeout)
        body = self._body(messages, stop, kwargs)
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[Chunk | _End] = asyncio.Queue()
        engine = await asyncio.to_thread(self.load)

        def emit(item: Chunk | _End) -> None:
            loop.call_soon_threadsafe(arrived.put_nowait, item)

        call = _Call(engine, body, timeout, emit)
        try:
            call.start()
            while True:
                try:
                    item = await asyncio.wait_for(arrived.get(), _GLANCE)
                except TimeoutError:
                    call.check_clock()
                    continue
                if isinstance(item, _End):
                    item.check()
                    return
                chunk = self._translate(item)
                if chunk is None:
                    continue
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        finally:
            # The thread ends by itself within a batch; joining it here would
            # hold up every other task of the loop.
            call.stop()

    def _body(
        self, messages: list[BaseMessage], stop: list[str] | None, extra: dict[str, Any]
    ) -> dict[str, Any]:
        """The request, always streamed: only a stream can be stopped."""
        body: dict[str, Any] = {
            "messages": convert_to_openai_messages(messages),
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
            "cache_prompt": True,
            **extra,
            "stream": True,
            "stream_options": {"include_usage": True},
            # Sends a chunk after each batch of the prompt, and a chunk is the
            # one occasion on which llama.cpp asks whether to go on.
            "return_progress": True,
        }
        return {**body, "stop": stop} if stop else body

    def _translate(self, item: Chunk) -> ChatGenerationChunk | None:
        """The chunk as LangChain knows it; None when it carries nothing for the caller."""
        if "error" in item:
            _raise_refusal(item["error"], self._shown_name)
        if "usage" in item and not item.get("choices"):
            message = AIMessageChunk(content="", usage_metadata=_usage(item["usage"]))
            return ChatGenerationChunk(message=message)
        choice = (item.get("choices") or [{}])[0]
        if reason := choice.get("finish_reason"):
            metadata = {
                "finish_reason": reason,
                "model_name": self._shown_name,
                "model_provider": PROVIDER,
            }
            message = AIMessageChunk(content="", response_metadata=metadata)
            return ChatGenerationChunk(message=message, generation_info={"finish_reason": reason})
        if text := choice.get("delta", {}).get("content"):
            return ChatGenerationChunk(message=AIMessageChunk(content=text))
        return None


def _usage(usage: dict[str, Any]) -> UsageMetadata:
    details = usage.get("prompt_tokens_details") or {}
    return UsageMetadata(
        input_tokens=usage["prompt_tokens"],
        output_tokens=usage["completion_tokens"],
        total_tokens=usage["total_tokens"],
        input_token_details=InputTokenDetails(cache_read=details.get("cached_tokens", 0)),
    )


def _raise_refusal(error: dict[str, Any], name: str) -> NoReturn:
    if error.get("type") == "exceed_context_size_error":
        raise ModelError(
            f"the prompt has {error.get('n_prompt_tokens'):,} tokens and {name} reads at most "
            f"{error.get('n_ctx'):,}; give it fewer or shorter passages, or choose a model "
            "that reads more with RAG_MODEL"
        )
    raise ModelError(
        f"{name} refused the request: {_one_line(error.get('message', error))}; "
        "choose another RAG_MODEL"
    )


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:300]


# --- one call in its own thread


class _End:
    """The last item of a call; `error` when it failed."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def check(self) -> None:
        """Raise ModelError when the call failed."""
        if isinstance(self.error, ModelError):
            raise self.error
        if self.error is not None:
            raise ModelError(
                f"llama.cpp failed: {_one_line(self.error)}; choose another RAG_MODEL"
            ) from self.error


class _Call:
    """One generation in a thread of its own; `emit` gets its chunks and then an _End.

    The thread never waits for the reader of the chunks, so a stream that nobody
    reads on keeps the model busy for `max_tokens` at most, and locks nobody out.
    """

    def __init__(
        self,
        engine: "Engine",
        body: dict[str, Any],
        timeout: float,
        emit: Callable[[Chunk | _End], None],
    ) -> None:
        self._engine = engine
        self._body = body
        self._timeout = timeout
        self._emit = emit
        self._stopped = threading.Event()
        self._began: float | None = None
        self._late = False
        # A daemon would be cut off inside C++ when the interpreter ends, which
        # can abort the process; `_wants_stop` ends this one in time instead.
        self._thread = threading.Thread(target=self._run, name="llama-call", daemon=False)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the model to stop; it does after its current token or batch."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until the model has stopped."""
        if self._thread.ident is not None:
            self._thread.join()

    def check_clock(self) -> None:
        """Raise ModelError when nothing comes and the model has had its time."""
        if self._is_over():
            raise self._too_late()

    def _is_over(self) -> bool:
        return self._began is not None and time.monotonic() - self._began > self._timeout

    def _too_late(self) -> ModelError:
        return ModelError(
            f"the model did not answer within {self._timeout:g} s; raise RAG_TIMEOUT, "
            "lower RAG_MAX_TOKENS, or choose a faster model with RAG_MODEL"
        )

    def _run(self) -> None:
        error: Exception | None = None
        try:
            with self._engine.turn(self._wants_stop):
                if not self._wants_stop():
                    self._began = time.monotonic()
                    self._engine.generate(self._body, self._take)
                    if self._late:
                        raise self._too_late()
        except Exception as caught:
            error = caught
        self._deliver(_End(error))

    def _take(self, chunk: Chunk) -> bool:
        """What llama.cpp calls with each chunk; True stops it."""
        if self._wants_stop():
            return True
        self._deliver(chunk)
        self._late = self._is_over()
        return self._late or self._wants_stop()

    def _wants_stop(self) -> bool:
        return self._stopped.is_set() or not threading.main_thread().is_alive()

    def _deliver(self, item: Chunk | _End) -> None:
        try:
            self._emit(item)
        except RuntimeError:  # the reader's event loop is closed: nobody listens
            self._stopped.set()


# --- the loaded model


class Engine:
    """One loaded GGUF file. Raises ModelError, in one line, when it cannot be loaded."""

    def __init__(self, path: Path, n_ctx: int) -> None:
        check_gguf(path)
        self._key = secrets.token_urlsafe(32)
        try:
            self._server = xllamacpp.Server(  # type: ignore[attr-defined]
                _params(path, n_ctx, self._key)
            )
        except RuntimeError as error:
            raise ModelError(
                f"llama.cpp cannot load {path}: the file is cut off, damaged, too new, or no "
                "chat model; fetch it again or set RAG_MODEL to another"
            ) from error
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, given_up: Callable[[], bool]) -> Iterator[None]:
        """The model for this caller alone, or at once when `given_up` says so."""
        while not (mine := self._lock.acquire(timeout=_GLANCE)) and not given_up():
            pass
        try:
            yield
        finally:
            if mine:
                self._lock.release()

    def generate(self, body: dict[str, Any], take: Callable[[Chunk], bool]) -> None:
        """Send chunks to `take` until the end or until it returns True."""
        self._server.handle_chat_completions(body, take)

    def count_tokens(self, text: str) -> int:
        """Tokens of the text, without those that a chat template adds."""
        # The binding has no call for this, so the question goes through the
        # listener that it opens; http.client because no proxy may hear it.
        address = urlsplit(self.address)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request("POST", "/tokenize", json.dumps({"content": text}), headers)
            return len(json.load(connection.getresponse())["tokens"])
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            raise ModelError(
                f"llama.cpp cannot count tokens: {_one_line(error)}; start again"
            ) from error
        finally:
            connection.close()

    @property
    def address(self) -> str:
        """Where llama.cpp also listens on this machine, for who knows the key."""
        return str(self._server.listening_address)


_engines: dict[tuple[Path, int], Engine] = {}
_loading = threading.Lock()


def _engine(path: Path, n_ctx: int) -> Engine:
    """The one loaded copy of this file in this process."""
    key = (path.expanduser().resolve(), n_ctx)
    with _loading:
        if key not in _engines:
            _engines[key] = Engine(key[0], n_ctx)
        return _engines[key]


def _release() -> None:
    for engine in _engines.values():
        if hasattr(engine, "_server"):
            del engine._server


# While Python is still whole: the server's own threads must end before it, or the
# process can end in a segmentation fault. A paused call may still hold the engine,
# so the server itself is let go.
atexit.register(_release)


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


def _params(path: Path, n_ctx: int, key: str) -> Any:
    params = xllamacpp.CommonParams()  # type: ignore[attr-defined]
    params.model.path = str(path)
    params.n_ctx = n_ctx
    # One slot: two would halve the context and the speed of each.
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = _BATCH
    params.cache_ram_mib = _CACHED_PROMPTS_MIB
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = physical_cores()
    params.warmup = False
    # Silence: llama.cpp writes to the process's own standard output and error.
    params.verbosity = -1
    # The binding always listens on a port of 127.0.0.1, open to every user of
    # the machine. Nobody is told the key, and what needs none is switched off.
    params.api_keys = [key]
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    return params


def physical_cores() -> int:
    """Cores that this process may use, counting two threads of one core once.

    llama.cpp's threads wait for each other after every layer, so a second thread
    on one core, or more threads than a container's quota allows, slow it down.
    """
    try:
        allowed = os.sched_getaffinity(0)
    except AttributeError:  # macOS and Windows have no such call
        return max(1, (os.cpu_count() or 2) // 2)
    cores = {_siblings(cpu) for cpu in allowed}
    return max(1, min(len(cores), _quota()))


def _siblings(cpu: int) -> str:
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text()
    except OSError:
        return str(cpu)


def _quota() -> int:
    """Processors that the container's quota amounts to, at least one."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no such file, or "max" for no quota
        return len(os.sched_getaffinity(0))
