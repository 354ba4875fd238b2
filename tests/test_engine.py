"""A corpus lets go of its files when nothing reads them any more."""

import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from rag.engine import Rag
from rag.records import Event, HitsEvent
from rag.settings import Settings


class SlowRag(Rag):
    """It notices that it is to stop only after some work, as native code does."""

    ended = False

    def _events(self, stop: threading.Event, *asked: Any) -> Generator[Event, None, None]:
        yield HitsEvent((), "When?")
        stop.wait(10)
        time.sleep(0.3)
        self.ended = True


async def test_closing_waits_for_an_answer_that_was_stopped(tmp_path: Path) -> None:
    engine = SlowRag(Settings.read(model="none", store=tmp_path))
    events = engine.astream("When?")
    assert isinstance(await anext(events), HitsEvent)
    await events.aclose()
    engine.close()
    assert engine.ended
