"""A small page behind the real server of the chat page, on loopback."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx

from evals.browsing import free_port, running_server
from rag.engine import Rag
from rag.page.html.words import LANGUAGES
from rag.page.server.guard import Guard
from rag.settings import Settings


class SmallRag(Rag):
    """An engine whose warming up is the test's: it notes it, waits or fails."""

    def __init__(self, settings: Settings, fault: Exception | None = None) -> None:
        super().__init__(settings)
        self.fault = fault
        self.warm = threading.Event()

    def warm_up(self, stop: object = None) -> None:
        self.warm.set()
        if self.fault is not None:
            raise self.fault


class SmallPage:
    """A page of its own for the server: it says a question back, word by word.

    The word "wait" is followed by nothing until `go` is set.
    """

    def __init__(self) -> None:
        self.go = threading.Event()
        self.served: Any = None
        """The application that was made of it."""

    async def say(self, question: str) -> AsyncIterator[str]:
        said = ""
        for word in question.split():
            said += f"{word} "
            yield said
            while word == "wait" and not self.go.is_set():
                await asyncio.sleep(0.01)

    def blocks(self) -> gr.Blocks:
        """The page in English and the others, each with a box, a file and a server function."""
        blocks = gr.Blocks(title="A <b>page</b> & more", analytics_enabled=False)
        with blocks:
            self._build(blocks, api_name="say")
        for lang in list(LANGUAGES)[1:]:
            with blocks.route(LANGUAGES[lang], f"/{lang}"):
                self._build(blocks, api_visibility="private")
        return blocks

    def _build(self, blocks: gr.Blocks, **api: Any) -> None:
        box = gr.Textbox(elem_id="question")
        shown = gr.HTML("<b>ready</b>", server_functions=[lambda given: f"server {given[0]}"])
        gr.File()
        box.submit(self.say, box, shown, **api)
        blocks.unload(lambda: None)


@contextmanager
def serving(engine: Rag, page: SmallPage | None = None, port: int = 0) -> Iterator[str]:
    """The real server on loopback, as its URL; its engine may name any host."""
    page, port = page or SmallPage(), port or free_port()
    with running_server(engine, port, page.blocks) as running:
        assert isinstance(running.config.app, Guard)
        page.served = running.config.app.app
        yield f"http://127.0.0.1:{port}"


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def small_settings(folder: Path, **flags: Any) -> Settings:
    return Settings.read(corpus=folder, store=folder / "store", **flags)


def upload(url: str, name: str, content: bytes) -> httpx.Response:
    return httpx.post(f"{url}/gradio_api/upload", files={"files": (name, content)})
