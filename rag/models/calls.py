"""A call to a chat model, made in an event loop and read in the thread of who asks."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from typing import TYPE_CHECKING

from rag.errors import ModelError

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

    Arrived = queue.SimpleQueue[AIMessageChunk | ModelError | None]

_GLANCE = 0.2
"""Seconds between two looks at `stop`; Ctrl-C also waits for a look on some systems."""


def read_call(
    call: "AsyncIterator[AIMessageChunk]", stop: threading.Event | None = None
) -> "Generator[AIMessageChunk, None, None]":
    """The chunks of a call as they come, until its end or until `stop` is set.

    Closing the iterator cancels the call, also one for which the server has not sent
    anything yet: only in an event loop is that possible. Raises what the call raises.
    """
    arrived: Arrived = queue.SimpleQueue()
    task = asyncio.run_coroutine_threadsafe(_hand_over(call, arrived), _calls_loop())
    try:
        yield from _until(arrived, stop)
    finally:
        task.cancel()


async def _hand_over(call: "AsyncIterator[AIMessageChunk]", arrived: "Arrived") -> None:
    """Put each chunk there, then the ModelError if there was one, and always a last None."""
    try:
        async for chunk in call:
            arrived.put(chunk)
    except ModelError as error:
        arrived.put(error)
    finally:
        arrived.put(None)


def _until(arrived: "Arrived", stop: threading.Event | None) -> "Iterator[AIMessageChunk]":
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


def end_calls() -> None:
    """Cancel all calls of this process and wait until their connections are closed."""
    for loop in _loops:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(timeout=10)


async def _cancel_all() -> None:
    calls = asyncio.all_tasks() - {asyncio.current_task()}
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
