"""Calls to a chat model: the reply so far, what the calls have taken, and how a reply ended."""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeGuard

from rag.errors import ModelError
from rag.models.calls import read_call
from rag.models.choice import choose, is_local, model_label
from rag.models.errors import model_errors
from rag.models.replies import Replies, Reply, reply_key
from rag.models.thoughts import without_thoughts
from rag.models.usage import total_usage, usage_of, with_estimate
from rag.records import Usage
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

    from rag.models.server import ServedChat


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
            self.usage = total_usage(before, kept.usage)
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
        try:
            with closing(read_call(self._chunks(messages, options), stop)) as chunks:
                for chunk in chunks:
                    whole = chunk if whole is None else whole + chunk
                    self.usage = total_usage(before, self._usage(messages, whole))
                    reply = self._said(str(whole.text), schema)
                    if reply and reply != self.reply:
                        self.reply = reply
                        yield self.reply
        except GeneratorExit:
            if whole is not None:
                self._keep(key, whole, messages, started, finished=False)
            raise
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
        # A server's own model has a name only once the server was asked.
        if is_openai(self._model) and not self._model.model_name:
            self._model.settle()
        return reply_key(self._model, self._settings, messages, schema)

    async def _chunks(
        self, messages: "list[BaseMessage]", options: dict[str, Any]
    ) -> "AsyncGenerator[AIMessageChunk, None]":
        """The reply, chunk by chunk, in the time that the settings allow. Raises ModelError."""
        with model_errors(model_label(self._settings), key=self._settings.openai_api_key):
            if is_openai(self._model):
                await self._model.asettle()  # to fetch or load a model takes time of its own
            async with asyncio.timeout(self._settings.timeout):
                async for chunk in self._model.astream(messages, **options):
                    yield chunk

    def _usage(self, messages: "list[BaseMessage]", reply: "AIMessageChunk") -> Usage:
        used = usage_of(reply, self._settings.price, is_local(choose(self._settings)))
        if reply.usage_metadata is not None:
            return used
        # The server counts at the end; until then, and after a stop, this has to do.
        return with_estimate(used, messages, reply)

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
    takes = is_openai(model) or getattr(model, "takes_response_format", False)
    return {"response_format": wanted} if takes else {}


def is_openai(model: "BaseChatModel") -> "TypeGuard[ServedChat]":
    """Whether the model is one of OpenAI's protocol."""
    # Whoever made such a model has imported its module; nobody else need wait for it.
    module = sys.modules.get("rag.models.server")
    return module is not None and isinstance(model, module.ServedChat)
