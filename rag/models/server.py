"""A chat model behind OpenAI's protocol, asked as its server lets itself be asked."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from itertools import count
from typing import Any

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr, SecretStr

from rag.errors import ModelError
from rag.models.errors import (
    FailedReplyError,
    OddReplyError,
    is_too_long,
    model_errors,
    prompt_too_long,
    shown_url,
)
from rag.models.listing import ModelList, read_list
from rag.models.options import (
    MOST_DROPS,
    Body,
    fitted,
    next_drop,
    possible_places,
    refused_options,
    remember_place,
    remember_refused,
    retry_wait,
    says_no_chat,
)
from rag.models.stream import ReplyStream

_NO_ADDRESS = (404, 405)
_BUSY = 429
"""Its message may speak of too many tokens too: of those in a minute."""
_REFUSALS = (openai.APIStatusError, OddReplyError, FailedReplyError)


class ServedChat(ChatOpenAI):
    """ChatOpenAI that asks once more without what its server refuses.

    Where no model is named, it is the first of the server's list that chats. `astream`
    does all of it; LangChain's other calls learn the model's name and the address alone.
    """

    _untried: list[str] = PrivateAttr(default_factory=list)
    """Models of the server's list to ask where the present one turns out not to chat."""

    # --- the server's list of models

    def look(self) -> ModelList:
        """The models that the server lists; the address of the list is remembered."""
        answers: list[object] = []
        for place in self._places:
            client = self.root_client.with_options(base_url=place, max_retries=0)
            try:
                answers.append(client.get("/models", cast_to=object))
            except openai.APIStatusError as error:
                answers.append(error)
            except ValueError:  # no JSON
                answers.append(None)
            if found := self._listed(answers[-1], place):
                return found
        raise _no_list(answers)

    def _listed(self, answer: object, place: str) -> ModelList | None:
        if isinstance(answer, openai.APIStatusError) and answer.status_code not in _NO_ADDRESS:
            raise answer
        found = read_list(answer, place)
        if found:
            self._move(place)
        return found

    @property
    def _url(self) -> str:
        """Where the settings say that the server is."""
        return (self.openai_api_base or str(self.root_client.base_url)).rstrip("/")

    @property
    def _places(self) -> list[str]:
        return list(possible_places(self._url))

    def _move(self, place: str) -> None:
        """Ask at this address from now on, with every call."""
        if place != self._url:
            remember_place(self._url, place)
            self.root_client.base_url = self.root_async_client.base_url = place

    # --- the model's name

    def settle(self) -> None:
        """Learn the model's name where the settings tell none. Raises ModelError."""
        if not self.model_name:
            with model_errors(shown_url(self._url), key=self._key):
                self._choose(self.look())

    async def asettle(self) -> None:
        """As `settle`, while others of the event loop go on."""
        if not self.model_name:
            with model_errors(shown_url(self._url), key=self._key):
                self._choose(await asyncio.to_thread(self.look))

    @property
    def _key(self) -> SecretStr | None:
        return self.openai_api_key if isinstance(self.openai_api_key, SecretStr) else None

    def _choose(self, found: ModelList) -> None:
        if not found.writers:
            place = shown_url(self._url)
            raise ModelError(f"{place} serves no model; load one there, or set RAG_MODEL")
        self.model_name, *self._untried = found.writers

    # --- the calls

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        self.settle()
        return super()._generate(*args, **kwargs)

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        await self.asettle()
        return await super()._agenerate(*args, **kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        self.settle()
        yield from super()._stream(*args, **kwargs)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        deadline = time.monotonic() + self._seconds
        await self.asettle()
        body = self._body(messages, stop, kwargs)
        if "messages" not in body:  # OpenAI's other protocol, which no other server speaks
            async for each in super()._astream(messages, stop, run_manager, **kwargs):
                yield each
            return
        async for message in self._written(body, deadline):
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    @property
    def _seconds(self) -> float:
        return self.request_timeout if isinstance(self.request_timeout, float) else float("inf")

    def _body(
        self, messages: list[BaseMessage], stop: list[str] | None, extra: dict[str, Any]
    ) -> Body:
        body: Body = {"stream_options": {"include_usage": True}} if self.stream_usage else {}
        body |= self._get_request_payload(messages, stop=stop, **extra)
        further = body.pop("extra_body", None) or {}
        return {**body, **further, "stream": True}

    async def _written(self, body: Body, deadline: float) -> AsyncIterator[AIMessageChunk]:
        """The reply of the model that chats, the first of the list where none was named."""
        stream = None
        while stream is None:
            model = self.model_name
            try:
                stream = await self._opened({**body, "model": model}, deadline)
            except _REFUSALS as error:
                if not says_no_chat(_said(error)):
                    raise
                if model == self.model_name:  # else another call has gone on to the next
                    if not self._untried:
                        raise
                    self.model_name = self._untried.pop(0)
        async with aclosing(stream.messages()) as messages:
            async for message in messages:
                yield message

    async def _opened(self, body: Body, deadline: float) -> ReplyStream:
        """The reply, begun, from the address that gives one."""
        failures: list[Exception] = []
        for place in self._places:
            try:
                stream = await self._fitting(place, body, deadline)
            except _REFUSALS as error:
                if not _is_no_address(error):
                    raise
                failures.append(error)
            else:
                self._move(place)
                return stream
        raise failures[0]

    async def _fitting(self, place: str, body: Body, deadline: float) -> ReplyStream:
        """The reply to the request without what the server refuses."""
        dropped = refused_options(place, self.model_name)
        while True:
            try:
                stream = await self._sent(place, fitted(body, dropped), deadline)
            except _REFUSALS as error:
                if _status(error) != _BUSY and is_too_long(_said(error)):
                    raise prompt_too_long(error, self.model_name) from error
                option = next_drop(body, dropped, _status(error), _said(error))
                if option is None or len(dropped) == MOST_DROPS:
                    raise
                dropped = (*dropped, option)
            else:
                remember_refused(place, self.model_name, dropped)
                return stream

    async def _sent(self, place: str, body: Body, deadline: float) -> ReplyStream:
        """The reply, begun; a server that is busy is asked again while there is time."""
        client = self.root_async_client.with_options(base_url=place, max_retries=0)
        for tried in count():
            try:
                sent = await client.post(
                    "/chat/completions",
                    cast_to=object,
                    body=body,
                    stream=True,
                    stream_cls=openai.AsyncStream[object],
                )
                break
            except openai.APIError as error:
                refused = next_drop(body, (), _status(error), _said(error))
                wait = None if refused else retry_wait(error, tried)
                if wait is None or time.monotonic() + wait > deadline:
                    raise
                await asyncio.sleep(wait)
        stream = ReplyStream(sent.response)
        await stream.begin()
        return stream


def _status(error: Exception) -> int:
    """The HTTP status of a refusal; 0 for one that came with a good status."""
    return error.status_code if isinstance(error, openai.APIStatusError) else 0


def _said(error: Exception) -> str:
    """All that a refusal says, the name of a parameter that it blames included."""
    return f"{error} {getattr(error, 'body', '')}"


def _is_no_address(error: Exception) -> bool:
    return isinstance(error, OddReplyError) or _status(error) in _NO_ADDRESS


def _no_list(answers: list[object]) -> Exception:
    """What to raise where no address gave a list."""
    first = answers[0]
    return first if isinstance(first, Exception) else OddReplyError("no list of models there")
