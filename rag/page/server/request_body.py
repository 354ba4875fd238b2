"""What a request brings along: how much of it, and no file that it merely names.

Gradio takes a JSON object of a certain form for a file: it copies the path that stands in it,
or fetches the address. No part of the page sends one; files are uploaded, and read from there.
"""

import json
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.types import Message, Receive

from rag.page.server.access import Refusal

MOST_BYTES = 16_000_000
"""Of a request that is no upload: a browser's whole conversation fits well."""
_UPLOADS = ("/gradio_api/upload", "/login")


async def checked_body(request: Request, receive: Receive) -> Receive | Refusal:
    """The request's body to be received once more, or why it is turned away."""
    if request.method in ("GET", "HEAD") or request.url.path.rstrip("/") in _UPLOADS:
        return receive
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        return Refusal(403, "a file is taken as an upload only")
    body = await _read(receive)
    if body is None:
        return Refusal(413, f"a request may have {MOST_BYTES:,} bytes at most")
    if _names_a_file(body):
        return Refusal(403, "a file that is merely named is refused; upload it")
    return _again(body, receive)


async def _read(receive: Receive) -> bytes | None:
    """All of the body; None where it is too much."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""  # the visitor has gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _names_a_file(body: bytes) -> bool:
    try:
        told = json.loads(body)
    except ValueError:
        return False  # which whoever reads it will find as well
    except RecursionError:
        return True
    return any("_type" in each and "FileData" in str(each["_type"]) for each in _objects(told))


def _objects(told: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value."""
    left = [told]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            yield each
            left += each.values()
        elif isinstance(each, list):
            left += each


def _again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def once_more() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once_more
