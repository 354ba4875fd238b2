"""What a server sends for one reply, whatever its form: chunks of text, usage and the end."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata

from rag.models.errors import FailedReplyError, OddReplyError, class_names, one_line

CUT = "connection_closed"
"""The `finish_reason` of a reply whose connection ended before the server ended it."""

_MOST_BYTES = 1_000_000
"""Of what is no stream; more is no reply."""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Body:
    """All that a server sent, where it did not stream."""

    event: Event


class Response(Protocol):
    """What is needed of an HTTP response."""

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body as it comes."""

    async def aclose(self) -> None:
        """Let go of the connection."""


class ReplyStream:
    """A reply as it comes, or at once where the server does not stream.

    Its usage is what the server counted last: some tell a running count in each chunk.
    """

    def __init__(self, response: Response) -> None:
        self._response = response
        self._events = _events(response)
        self._first: Event | None = None
        self._counted = (0, 0, 0)
        self._reason = ""
        self._wrote = False

    async def begin(self) -> None:
        """Wait for the first chunk; raises OddReplyError for what is no reply."""
        try:
            async for event in self._events:
                if event and _has_begun(event):
                    self._first = event.event if isinstance(event, _Body) else event
                    return
            raise OddReplyError("the connection ended before a reply")
        except BaseException:
            await self._response.aclose()
            raise

    async def messages(self) -> AsyncGenerator[AIMessageChunk, None]:
        """The reply piece by piece; the last has the `finish_reason`, `CUT` where none came."""
        try:
            if self._first:
                yield self._read(self._first)
            async for event in self._events:
                if not isinstance(event, dict):
                    self._reason = self._reason or "stop"
                elif event.get("error"):
                    raise FailedReplyError(_told(event["error"]))
                else:
                    yield self._read(event)
        except Exception as error:
            if not (self._wrote and _is_lost(error)):
                raise
        finally:
            await self._response.aclose()
        if not self._wrote and not self._reason:
            raise OddReplyError("the connection ended before a word")
        reason = {"finish_reason": self._reason or CUT, "model_provider": "openai"}
        yield AIMessageChunk(content="", response_metadata=reason)

    def _read(self, event: Event) -> AIMessageChunk:
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else {}
        choice = choice if isinstance(choice, dict) else {}
        self._reason = str(choice.get("finish_reason") or self._reason)
        text = _text(choice)
        self._wrote = self._wrote or bool(text)
        return AIMessageChunk(content=text, usage_metadata=self._more(event.get("usage")))

    def _more(self, usage: object) -> UsageMetadata | None:
        """What was counted since the last count, for LangChain adds up what the chunks tell."""
        counted = _counts(usage)
        if counted is None:
            return None
        was, self._counted = self._counted, counted
        prompt, completion, cached = (n - before for n, before in zip(counted, was, strict=True))
        return UsageMetadata(
            input_tokens=prompt,
            output_tokens=completion,
            total_tokens=prompt + completion,
            input_token_details=InputTokenDetails(cache_read=cached),
        )


def _counts(usage: object) -> tuple[int, int, int] | None:
    """Tokens of the prompt, of the reply, and of the prompt from a cache; None if not told."""
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else 0
    return prompt, completion, cached if isinstance(cached, int) else 0


def _has_begun(event: Event | _Body) -> bool:
    """Whether the reply has begun; raises for what is an error or no reply at all."""
    if isinstance(event, _Body):
        if error := event.event.get("error"):
            raise OddReplyError(_told(error))  # some servers give that at any address
        if not event.event.get("choices"):
            raise OddReplyError(f"no choices in {json.dumps(event.event)[:120]}")
        return True
    if error := event.get("error"):
        raise FailedReplyError(_told(error))
    return bool(event.get("choices"))


def _told(error: object) -> str:
    message = error.get("message") if isinstance(error, Mapping) else error
    return one_line(message or error)


def _text(choice: Event) -> str:
    piece = choice.get("delta") or choice.get("message") or {"content": choice.get("text")}
    content = piece.get("content") if isinstance(piece, dict) else None
    if isinstance(content, list):  # parts, of which those of thinking are no text
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _is_lost(error: Exception) -> bool:
    names = class_names(error)
    return "TransportError" in names and "TimeoutException" not in names


# --- the form of a stream


async def _events(response: Response) -> AsyncIterator[Event | _Body | None]:
    """Each event, and None for the mark of its end; a body that is no stream is one event."""
    data, other, streamed = b"", b"", False
    async for line in _lines(response):
        if line.startswith(b"data:"):
            streamed, data = True, data + line[5:].strip()
            if data == b"[DONE]":
                yield None
                return
            # Some servers leave out the empty line that ends an event.
            if (event := _json(data)) is not None:
                yield event
                data = b""
        elif not line and data:
            raise OddReplyError(f"a stream with {data[:80]!r}")
        elif not streamed and len(other) < _MOST_BYTES:
            other += line + b"\n"
    if data:
        raise OddReplyError(f"a stream with {data[:80]!r}")
    if not streamed:
        yield _Body(_body(other))
        yield None


async def _lines(response: Response) -> AsyncIterator[bytes]:
    rest = b""
    async for part in response.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line.rstrip(b"\r")
    if rest:
        yield rest.rstrip(b"\r")


def _body(data: bytes) -> Event:
    event = _json(data)
    if event is None:
        raise OddReplyError(_what(data))
    return event


def _what(data: bytes) -> str:
    text = one_line(data.decode("utf-8", "replace"))
    if not text:
        return "nothing"
    return "a web page" if text[:200].lower().startswith(("<!doctype", "<html")) else text[:80]


def _json(data: bytes) -> Event | None:
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
