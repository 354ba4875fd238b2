"""Calls to a chat model: the reply so far, what the calls have taken, and how a reply ended."""

import asyncio
import hashlib
import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from rag.errors import ModelError
from rag.models.choice import model_label
from rag.models.errors import model_errors
from rag.models.thoughts import without_thoughts
from rag.models.weights import EMBEDDED
from rag.records import Record, Usage
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

    from rag.models.server import ServedChat


@dataclass(frozen=True, slots=True)
class Reply(Record):
    """A reply of the chat model that was kept."""

    text: str
    whole: bool
    """False where its reader stopped the model, having read enough."""
    usage: Usage
    seconds: float


class Replies(Protocol):
    """Where replies are kept, so that no call need be made twice."""

    def get(self, key: str) -> Reply | None:
        """The reply to a call, or None."""

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply; a whole one never gives way to one that was begun."""


class Conversation:
    """Calls to one model: the reply so far and what the calls have taken.

    Both are up to date at any time, also after a call that was stopped or failed.
    """

    def __init__(
        self, model: "BaseChatModel", settings: Settings, replies: Replies | None = None
    ) -> None:
        self.reply = ""
        """What the model has written in its last call."""
        self.cached = False
        """Whether that reply was kept from an earlier call of the same words."""
        self.finished = False
        """Whether the model ended that reply by itself; nothing limited it or cut it off."""
        self.usage = Usage()
        """Sum over all calls; estimated for a call that was cut short."""
        self._model = model
        self._settings = settings
        self._replies = replies

    def ask(self, messages: "list[BaseMessage]", schema: dict[str, Any] | None = None) -> str:
        """The whole reply, held to the schema where the model can be. Raises ModelError."""
        for _ in self.stream(messages, schema):
            pass
        return self.reply

    def stream(
        self,
        messages: "list[BaseMessage]",
        schema: dict[str, Any] | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, None]:
        """Yield the reply so far, longer each time; a kept reply at once.

        Closing the iterator stops the model within a second, and so does setting
        `stop`, even while the model is still reading. Raises ModelError.
        """
        before = self.usage
        self.reply, self.cached, self.finished = "", False, False
        key = self._key(messages, schema) if self._replies else ""
        kept = self._replies.get(key) if self._replies else None
        if kept:
            self.reply, self.cached, self.finished = kept.text, True, kept.whole
            self.usage = _sum(before, kept.usage)
            yield kept.text
            if kept.whole:
                return
            # More is asked for than was kept: the model is asked anew.
            self.usage, self.cached = before, False
        with closing(self._written(messages, schema, stop, key)) as replies:
            for reply in replies:
                if not kept or len(reply) > len(kept.text):
                    yield reply

    def _written(
        self,
        messages: "list[BaseMessage]",
        schema: dict[str, Any] | None,
        stop: threading.Event | None,
        key: str,
    ) -> Generator[str, None, None]:
        """The reply so far as the model writes it; kept unless it fails or is stopped."""
        before, whole, started = self.usage, None, time.monotonic()
        self.reply = ""
        options = json_reply_kwargs(self._model, schema) if schema else {}
        arrived: queue.SimpleQueue[AIMessageChunk | ModelError | None] = queue.SimpleQueue()
        task = asyncio.run_coroutine_threadsafe(
            self._produce(messages, options, arrived.put), _calls_loop()
        )
        try:
            for chunk in _until(arrived, stop):
                whole = chunk if whole is None else whole + chunk
                self.usage = _sum(before, self._usage(messages, whole))
                reply = self._said(str(whole.text), schema)
                if reply and reply != self.reply:
                    self.reply = reply
                    yield self.reply
        except GeneratorExit:
            if whole is not None:
                self._keep(key, whole, messages, started, finished=False)
            raise
        finally:
            task.cancel()
        if whole is None or (stop is not None and stop.is_set()):
            return
        before_end, self.reply = self.reply, without_thoughts(str(whole.text))
        self.finished = _ended_by_itself(whole)
        self._refuse_silence(whole)
        if self.reply != before_end:
            yield self.reply
        if self.finished:
            self._keep(key, whole, messages, started, finished=True)

    @staticmethod
    def _said(text: str, schema: dict[str, Any] | None) -> str:
        """The reply in what has come so far; "" while that may be a thought.

        Of a reply in JSON, words before it may be a thought whose beginning the server
        kept for itself: they wait for their end.
        """
        reply = without_thoughts(text, ended=False)
        if schema is None or reply != text or reply.lstrip().startswith(_JSON_BEGINS):
            return reply
        return ""

    def _keep(
        self,
        key: str,
        whole: "AIMessageChunk",
        messages: "list[BaseMessage]",
        started: float,
        finished: bool,
    ) -> None:
        if self._replies and self.reply:
            seconds = time.monotonic() - started
            usage = self._usage(messages, whole)
            self._replies.put(key, Reply(self.reply, finished, usage, seconds))

    def _key(self, messages: "list[BaseMessage]", schema: dict[str, Any] | None) -> str:
        """Names the call: the model and its weights, what it is asked, and how."""
        if settle := getattr(self._model, "_settle", None):
            settle()  # a server's own model has a name only once the server was asked
        call = {
            "model": model_label(self._settings),
            "weights": _weights_identity(self._model),
            "parameters": {name: getattr(self._model, name, None) for name in _PARAMETERS},
            "messages": [(message.type, str(message.text)) for message in messages],
            "schema": schema,
        }
        text = json.dumps(call, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    async def _produce(
        self,
        messages: "list[BaseMessage]",
        options: dict[str, Any],
        put: "Callable[[AIMessageChunk | ModelError | None], None]",
    ) -> None:
        """Hand over each chunk, what went wrong if anything did, and always a last None.

        In an event loop, because only there can a call be cancelled for which the
        server has not sent anything yet.
        """
        label, key = model_label(self._settings), self._settings.openai_api_key
        try:
            with model_errors(label, key=key):
                async with asyncio.timeout(self._limit()):
                    async for chunk in self._model.astream(messages, **options):
                        put(chunk)
        except ModelError as error:
            put(error)
        finally:
            put(None)

    def _limit(self) -> float | None:
        """Seconds for the call with all its retries; a model in this process has its own clock."""
        return None if is_in_process(self._model) else self._settings.timeout

    def _usage(self, messages: "list[BaseMessage]", reply: "AIMessageChunk") -> Usage:
        used = usage_of(reply, self._settings.price, is_in_process(self._model))
        if reply.usage_metadata is not None:
            return used
        # The server counts at the end; until then, and after a stop, this has to do.
        from rag.models.tokens import estimate_tokens

        prompt = sum(estimate_tokens(str(message.text)) for message in messages)
        completion = estimate_tokens(str(reply.text))
        return replace(used, prompt_tokens=prompt, completion_tokens=completion)

    def _refuse_silence(self, whole: "AIMessageChunk") -> None:
        """Raise ModelError when the model was kept from writing a word."""
        reason = whole.response_metadata.get("finish_reason")
        label = model_label(self._settings)
        if not self.reply and reason == "length":
            raise ModelError(
                f"{label} used up its {self._settings.max_tokens} tokens "
                "before it wrote a word; raise RAG_MAX_TOKENS"
            )
        if not self.reply and reason == "content_filter":
            raise ModelError(
                f"{label} withheld its reply (content_filter); ask in other words, or change "
                "RAG_MODEL"
            )


_JSON_BEGINS = ("{", "[", "```")
_BY_ITSELF = frozenset({"", "stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete"})
"""Why a reply ended, as several providers say that nothing cut it."""


def _ended_by_itself(whole: "AIMessageChunk") -> bool:
    told = whole.response_metadata
    names = ("finish_reason", "stop_reason", "done_reason")
    reason = next((str(told[name]) for name in names if told.get(name)), "")
    return reason.lower() in _BY_ITSELF


_PARAMETERS = (
    "model_name",
    "temperature",
    "top_p",
    "seed",
    "max_tokens",
    "reasoning_effort",
    "extra_body",
    "n_ctx",
)
"""What of a chat model may change its reply to the same words."""


def _weights_identity(model: "BaseChatModel") -> str:
    """Tells two files of weights apart; "" for a model that runs elsewhere."""
    if not is_in_process(model):
        return ""
    weights = getattr(model, "weights", None)
    if not isinstance(weights, Path):
        # A file of the hub is told by its name, which the call holds too.
        return EMBEDDED.sha256 if getattr(model, "model_name", "") == EMBEDDED.title else ""
    try:
        stat = weights.stat()
    except OSError:
        return ""  # the call itself will name the fault
    return f"{stat.st_size} {stat.st_mtime_ns}"


_GLANCE = 0.2
"""Seconds between two looks at `stop`; Ctrl-C also waits for a look on some systems."""


def _until(
    arrived: "queue.SimpleQueue[AIMessageChunk | ModelError | None]", stop: threading.Event | None
) -> "Iterator[AIMessageChunk]":
    """Chunks until the None at their end, or until `stop` is set; raises an error among them."""
    while stop is None or not stop.is_set():
        try:
            item = arrived.get(timeout=_GLANCE)
        except queue.Empty:
            continue
        if item is None:
            return
        if isinstance(item, ModelError):
            raise item
        yield item


_loops: list[asyncio.AbstractEventLoop] = []
_starting = threading.Lock()


def _calls_loop() -> asyncio.AbstractEventLoop:
    """The event loop of all calls, in a thread of its own.

    One for the whole process, because an HTTP client keeps its connections for the
    loop that opened them, and LangChain shares one client among its models.
    """
    with _starting:
        if not _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="model-calls", daemon=True).start()
            _loops.append(loop)
        return _loops[0]


def json_reply_kwargs(
    model: "BaseChatModel", schema: dict[str, Any], name: str = "reply"
) -> dict[str, Any]:
    """Options that hold the reply to a JSON schema; {} where only the prompt can ask for it.

    For OpenAI itself the schema must list every property in `required` and forbid
    `additionalProperties`. A reply can still be cut off by its limit of tokens.
    """
    wanted = {
        "type": "json_schema",
        "json_schema": {"name": name, "schema": schema, "strict": True},
    }
    if is_openai(model) and not model.use_responses_api:
        # Given as `response_format`, it would take LangChain through OpenAI's
        # parsing calls, which raise for a reply that its limit of tokens cut off.
        return {"extra_body": {**(model.extra_body or {}), "response_format": wanted}}
    takes = is_openai(model) or is_in_process(model)
    takes = takes or getattr(model, "takes_response_format", False)
    return {"response_format": wanted} if takes else {}


def usage_of(message: "AIMessage", price: str = "", in_process: bool = False) -> Usage:
    """What one reply took; `price` is `settings.price`, US$ per million tokens.

    The cost is 0.0 for a model in this process, and None where no price is set or
    the server does not count.
    """
    counted = message.usage_metadata
    if counted is None:
        return Usage(calls=1, cost=0.0 if in_process else None)
    prompt, completion = counted["input_tokens"], counted["output_tokens"]
    cached = counted.get("input_token_details", {}).get("cache_read") or 0
    return Usage(1, prompt, completion, cached, _cost(prompt, completion, price, in_process))


def _cost(prompt: int, completion: int, price: str, in_process: bool) -> float | None:
    if in_process:
        return 0.0
    if not price:
        return None
    per_prompt, per_completion = (float(part) for part in price.split(","))
    return (prompt * per_prompt + completion * per_completion) / 1_000_000


def _sum(one: Usage, other: Usage) -> Usage:
    unknown = one.cost is None or other.cost is None
    return Usage(
        calls=one.calls + other.calls,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cost=None if unknown else (one.cost or 0.0) + (other.cost or 0.0),
    )


# Whoever made such a model has imported its module; nobody else need wait for it.


def is_openai(model: "BaseChatModel") -> "TypeGuard[ServedChat]":
    """Whether the model is one of OpenAI's protocol."""
    module = sys.modules.get("rag.models.server")
    return module is not None and isinstance(model, module.ServedChat)


def is_in_process(model: "BaseChatModel") -> bool:
    """Whether the model runs in this process."""
    module = sys.modules.get("rag.models.llama")
    return module is not None and isinstance(model, module.LlamaChat)
