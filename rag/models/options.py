"""How a server lets itself be asked: what it refuses is told from its refusal and remembered.

Servers of OpenAI's protocol differ in what they take: some know no JSON schema, some no
system role, and newer models of OpenAI refuse a temperature. A request is a dict here, and
an option is dropped from it step by step: a schema first gives way to plain JSON.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from rag.models.errors import class_names, retry_after

Body = dict[str, Any]
"""What is sent to `/chat/completions`."""
Option = Literal["stream_options", "effort", "format", "temperature", "limit", "system", "stream"]
Dropped = tuple[Option, ...]
"""Options that are left out; one that has two steps may stand here twice."""

MOST_DROPS = 8
"""Refusals of one call after which it is given up."""

# The order in which options are dropped where a refusal names none of them: what
# changes the reply least goes first.
_NAMES: dict[Option, str] = {
    "stream_options": r"stream_options|include_usage",
    "effort": r"reasoning|thinking",
    "format": r"response_format|json_schema|json_object|json mode|structured output"
    r"|guided|grammar",
    "temperature": r"temperature",
    "limit": r"max_tokens|max_completion_tokens",
    "system": r"system (role|message|prompt|instruction)|developer (role|message|instruction)"
    r"|role\W+(system|developer)|(system|developer)['\"` ]+role|roles must alternate"
    r"|only user\W+(and )?assistant",
    "stream": r"\bstream(ing)?\b",
}
_OTHER_FAULT = re.compile(
    r"not found|does not exist|unknown model|no such model|content.?(filter|management)"
    r"|quota|billing|credit",
    re.IGNORECASE,
)
_NO_CHAT = re.compile(
    r"(does|do) not support (chat|generat|completion)|not a chat model|no chat template"
    r"|(embedding|rerank\w*) model",
    re.IGNORECASE,
)

_NO_REFUSALS = (401, 403, 408, 409, 429)

_refused: dict[tuple[str, str], Dropped] = {}
_places: dict[str, str] = {}
_batches: dict[tuple[str, str], int] = {}


# --- what is remembered for the process


def refused_options(place: str, model: str) -> Dropped:
    """What a server is known to refuse for one of its models."""
    return _refused.get((place, model), ())


def remember_refused(place: str, model: str, dropped: Dropped) -> None:
    """Keep what a server refused, once it has taken the request without it."""
    _refused[place, model] = dropped


def possible_places(url: str) -> Sequence[str]:
    """Where a server's API may be: at the URL, or under /v1 where the URL has no version.

    >>> possible_places("http://localhost:1234")
    ['http://localhost:1234', 'http://localhost:1234/v1']
    >>> possible_places("http://localhost:1234/v1")
    ['http://localhost:1234/v1']
    """
    url = url.rstrip("/")
    if url in _places:
        return [_places[url]]
    versioned = re.search(r"/v\d", urlsplit(url).path)
    return [url] if versioned or not url else [url, f"{url}/v1"]


def remember_place(url: str, place: str) -> None:
    """Keep where a server's API was found."""
    _places[url.rstrip("/")] = place


def known_batch(place: str, model: str) -> int | None:
    """How many texts a server is known to embed at once; None where nothing is known."""
    return _batches.get((place, model))


def remember_batch(place: str, model: str, size: int) -> None:
    """Keep how many texts a server takes, once it has refused more."""
    _batches[place, model] = size


def forget_servers() -> None:
    """Forget all of it, as a new process does."""
    for known in (_refused, _places, _batches):
        known.clear()


# --- what a refusal says


def says_no_chat(text: str) -> bool:
    """Whether a refusal says that the model is none for chat.

    >>> says_no_chat('"bge-m3" does not support chat')
    True
    """
    return _NO_CHAT.search(text) is not None


def next_drop(body: Body, dropped: Dropped, status: int, text: str) -> Option | None:
    """The option to drop after a refusal; None where none is to blame, or none is left.

    It is the first that the text names, else the next in a fixed order.
    """
    if status in _NO_REFUSALS or _OTHER_FAULT.search(text) or says_no_chat(text):
        return None
    named = sorted(
        (found.start(), option)
        for option, pattern in _NAMES.items()
        if (found := re.search(pattern, text, re.IGNORECASE))
    )
    blamed = [option for _, option in named if _is_there(body, dropped, option)]
    if not blamed and status in (400, 422, 501):
        blamed = [option for option in _NAMES if _is_there(body, dropped, option)]
    return blamed[0] if blamed else None


def _is_there(body: Body, dropped: Dropped, option: Option) -> bool:
    return fitted(body, (*dropped, option)) != fitted(body, dropped)


# --- the request without what is refused


def fitted(body: Body, dropped: Dropped) -> Body:
    """The request without the options that were dropped.

    >>> fitted({"temperature": 0, "max_tokens": 9}, ("temperature", "limit"))
    {'max_completion_tokens': 9}
    """
    for number, option in enumerate(dropped):
        body = _DROPS[option](body, dropped[:number].count(option))
    return body


def _without(*names: str) -> Callable[[Body, int], Body]:
    return lambda body, step: {name: value for name, value in body.items() if name not in names}


def _looser_format(body: Body, step: int) -> Body:
    if (body.get("response_format") or {}).get("type") == "json_schema":
        return {**body, "response_format": {"type": "json_object"}}
    return _without("response_format")(body, step)


def _other_limit(body: Body, step: int) -> Body:
    """The limit under its other name, and none at the second step."""
    limits = [name for name in _LIMITS if name in body]
    rest = _without(*_LIMITS)(body, step)
    if step or len(limits) != 1:
        return rest
    other = next(name for name in _LIMITS if name not in limits)
    return {**rest, other: body[limits[0]]}


_LIMITS = ("max_tokens", "max_completion_tokens")


def _system_in_first_turn(body: Body, step: int) -> Body:
    """The system's text put in front of the first turn of the user."""
    messages: list[dict[str, Any]] = body.get("messages") or []
    told = [str(each["content"]) for each in messages if each.get("role") in _SYSTEM]
    if not told:
        return body
    others = [each for each in messages if each.get("role") not in _SYSTEM]
    if others and others[0].get("role") == "user":
        told.append(str(others.pop(0)["content"]))
    return {**body, "messages": [{"role": "user", "content": "\n\n".join(told)}, *others]}


_SYSTEM = ("system", "developer")


def _unstreamed(body: Body, step: int) -> Body:
    if not body.get("stream"):
        return body
    return {**_without("stream_options")(body, step), "stream": False}


_DROPS: dict[Option, Callable[[Body, int], Body]] = {
    "stream_options": _without("stream_options"),
    "effort": _without("reasoning_effort", "reasoning"),
    "format": _looser_format,
    "temperature": _without("temperature", "top_p"),
    "limit": _other_limit,
    "system": _system_in_first_turn,
    "stream": _unstreamed,
}


# --- a server that is busy

_RETRIES = 2
_FIRST_WAIT = 0.5
"""Seconds before the first retry where the server names none; the next wait is twice it."""


def retry_wait(error: Exception, tried: int) -> float | None:
    """Seconds until a request is worth another try; None where it is not."""
    names, response = class_names(error), getattr(error, "response", None)
    if tried == _RETRIES or "APITimeoutError" in names:
        return None
    if "APIConnectionError" not in names and not _is_busy(response):
        return None
    return retry_after(error) or _FIRST_WAIT * 2**tried


def _is_busy(response: Any) -> bool:
    if response is None or response.headers.get("x-should-retry") == "false":
        return False
    return response.status_code in (408, 409, 429) or response.status_code >= 500
