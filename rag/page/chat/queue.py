"""Lets the engine work for one visitor after the other, and stops for those who want it.

Gradio can do both, but shows nobody their question before it is their turn, and its
`cancels` may let a last piece of text arrive after Stop and undo it.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, replace
from typing import Any

from rag.answering.translate import Translation
from rag.engine import History, Rag
from rag.errors import RagError
from rag.page.chat.turns import Turn
from rag.page.html.words import Words
from rag.records import Answer

_log = logging.getLogger(__name__)


def _tell_nobody(before: int) -> None:
    """Nobody wants to know how many come before."""


class WaitingLine:
    """Those who wait for the engine, in the order in which they came."""

    def __init__(self) -> None:
        self._places: list[asyncio.Event] = []

    @asynccontextmanager
    async def turn(self, tell: Callable[[int], None] = _tell_nobody) -> AsyncIterator[None]:
        """Wait until everybody before is done; `tell` hears how many they are, as they go."""
        moved = asyncio.Event()
        self._places.append(moved)
        try:
            while before := self._places.index(moved):
                tell(before)
                moved.clear()
                await moved.wait()
            yield
        finally:
            self._places.remove(moved)
            for place in self._places:
                place.set()


@dataclass(eq=False, slots=True)
class _Work:
    visitor: str
    task: asyncio.Task[Any]
    dropped: bool = False
    """Whether its visitor wants to hear no more of it."""


class EngineQueue:
    """Answers visitors, each known by the session of their tab."""

    def __init__(self, engine: Rag) -> None:
        self._engine = engine
        self._line = WaitingLine()
        self._under_way: set[_Work] = set()

    async def answered(
        self, turn: Turn, history: History, visitor: str, say: Words
    ) -> AsyncGenerator[Turn, None]:
        """The turn after each step, until it is whole, has failed, was stopped or dropped.

        Steps that come faster than they are taken are left out, but never the last; of a
        turn that is dropped there is none.
        """
        news, shown = asyncio.Event(), turn

        def show(step: Turn) -> None:
            nonlocal turn
            turn = step
            news.set()

        with self._stoppable(self._grow(turn, history, say, show), visitor) as work:
            work.task.add_done_callback(lambda _: news.set())
            ended = False
            while not ended:
                await news.wait()
                news.clear()
                ended = work.task.done()
                if turn is not shown and not work.dropped:
                    yield (shown := turn)
            if work.task.cancelled() and not work.dropped:
                yield replace(turn, state="stopped")

    async def ask(
        self, question: str, history: History, language: str, where: Mapping[str, Any], visitor: str
    ) -> Answer:
        """The whole answer; raises RagError."""
        with self._stoppable(self._ask(question, history, language, where), visitor) as work:
            answer: Answer = await work.task
            return answer

    def stop(self, visitor: str) -> None:
        """Stop what this visitor waits for, who asks for it or has closed the page."""
        for work in self._under_way:
            if work.visitor == visitor:
                work.task.cancel()

    def drop(self, visitor: str) -> None:
        """Stop what this visitor waits for, and tell nothing more of it."""
        for work in self._under_way:
            if work.visitor == visitor:
                work.dropped = True
        self.stop(visitor)

    async def translate(self, text: str, lang: str, to: str) -> Translation:
        """A checked translation of a quote, when it is its turn; raises RagError."""
        stop = threading.Event()
        try:
            async with self._line.turn():
                return await asyncio.to_thread(self._engine.translate, text, lang, to, stop)
        finally:
            stop.set()

    def alone(self) -> AbstractAsyncContextManager[None]:
        """For work that needs the engine for itself, such as writing the store."""
        return self._line.turn()

    async def _grow(
        self, turn: Turn, history: History, say: Words, show: Callable[[Turn], None]
    ) -> None:
        def waiting(before: int) -> None:
            show(replace(turn, doing="waiting", count=before))

        try:
            async with self._line.turn(waiting):
                show(turn)
                events = self._engine.astream(turn.question, history, where=turn.where or None)
                async with aclosing(events):
                    async for event in events:
                        show(turn := turn.after(event))
        except RagError as error:
            show(replace(turn, fault=str(error), state="failed"))
        except Exception:
            _log.exception("a question could not be answered")
            show(replace(turn, fault=say("chat.fault"), state="failed"))

    async def _ask(
        self, question: str, history: History, language: str, where: Mapping[str, Any]
    ) -> Answer:
        async with self._line.turn():
            return await self._engine.aask(question, history, language or None, where=where or None)

    @contextmanager
    def _stoppable(self, work: Coroutine[Any, Any, Any], visitor: str) -> Iterator[_Work]:
        """The work as a task that `stop` finds, and that ends with the block."""
        entry = _Work(visitor, asyncio.create_task(work))
        self._under_way.add(entry)
        try:
            yield entry
        finally:
            self._under_way.discard(entry)
            entry.task.cancel()
