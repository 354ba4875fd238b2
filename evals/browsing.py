"""The chat page in a real browser: it is served, opened, and used as a reader uses it.

The browser tests, the screenshots and the times of the page all go through here. A locator
is named after what a reader sees; where it lies in the page is known here alone.
"""

import asyncio
import os
import queue
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from rag.engine import Rag
from rag.errors import SettingsError
from rag.page.html.words import Words, words

if TYPE_CHECKING:
    import uvicorn

PATIENCE = 30.0
"""Seconds after which what should have come does not come any more."""
_STARTED = 30.0
_QUOTED = """(panel, number) => {
  const marks = [...panel.querySelectorAll(`mark.quote[data-number="${number}"]`)];
  if (!marks.length) return "";
  const range = document.createRange();
  range.setStartBefore(marks[0]);
  range.setEndAfter(marks.at(-1));
  const texts = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const marked = marks.some((mark) => mark.contains(texts.currentNode));
    const within = range.intersectsNode(texts.currentNode);
    if (within && !marked && texts.currentNode.data.trim()) return "";
  }
  return range.toString();
}"""


# --- a server and a browser


@contextmanager
def serving(engine: Rag) -> Iterator[str]:
    """The page's real server on a free port of loopback, as its URL."""
    port = free_port()
    with running_server(engine, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running_server(
    engine: Rag, port: int, blocks: Callable[[], Any] | None = None
) -> Iterator["uvicorn.Server"]:
    """The page's real server on loopback once it listens; `blocks` makes another page."""
    from rag.page.server.serve import listen, server

    begun: queue.SimpleQueue[uvicorn.Server | BaseException] = queue.SimpleQueue()

    async def serve() -> None:
        try:
            running = server(engine, blocks() if blocks else None)
        except BaseException as error:
            begun.put(error)
            return
        begun.put(running)
        with listen("127.0.0.1", port) as listener:
            await running.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="page", daemon=True)
    thread.start()
    running = begun.get(timeout=_STARTED)
    if isinstance(running, BaseException):
        raise running
    try:
        _wait_for(running, thread)
        yield running
    finally:
        running.should_exit = True
        thread.join(_STARTED)
        if thread.is_alive():
            raise SettingsError("the page's server does not end")


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def _wait_for(running: object, thread: threading.Thread) -> None:
    end = time.monotonic() + _STARTED
    while not getattr(running, "started", False):
        if not thread.is_alive() or time.monotonic() > end:
            raise SettingsError("the page's server does not start; `rag chat` shows why")
        time.sleep(0.01)


def chromium() -> str | None:
    """The path of the browser, or None where it is not installed."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium for which there is no address but loopback.

    Raises SettingsError where it is not installed.
    """
    path = chromium()
    if path is None:
        raise SettingsError("no Chromium is found; install it, on Debian as `chromium`")
    flags = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # which root cannot have
    expect.set_options(timeout=1_000 * PATIENCE)
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=flags)
        try:
            yield opened
        finally:
            opened.close()


# --- what a reader does


@dataclass(frozen=True, slots=True)
class Chat:
    """The page in one tab, in one of its languages."""

    page: Page
    say: Words

    @classmethod
    def at(cls, page: Page, url: str, lang: str = "en") -> "Chat":
        """The page of a language, open and ready for a question."""
        page.set_default_timeout(1_000 * PATIENCE)
        page.goto(url if lang == "en" else f"{url}/{lang}")
        chat = cls(page, words(lang))
        expect(chat.box).to_be_editable()
        return chat

    # the conversation

    @property
    def box(self) -> Locator:
        """The box that questions are typed into."""
        return self.page.locator("#question textarea")

    @property
    def turns(self) -> Locator:
        return self.page.locator("article.turn")

    def send(self, question: str) -> Locator:
        """Ask, and do not wait for the answer; the turn of the question."""
        number = self.turns.count()
        self.box.fill(question)
        self.box.press("Enter")
        turn = self.turns.nth(number)
        expect(turn).to_be_visible()
        return turn

    def ask(self, question: str) -> Locator:
        """Ask, and wait for the end; the turn of the question."""
        return self.ended(self.send(question))

    def ended(self, turn: Locator) -> Locator:
        """The turn, once nothing more comes."""
        expect(turn).to_have_attribute("aria-busy", "false")
        return turn

    def button(self, key: str) -> Locator:
        """The button that says a key of words.toml."""
        return self.page.get_by_role("button", name=self.say(key), exact=True)

    def tab(self, name: str) -> Locator:
        """Open the tab "chat" or "sources"; what is in it."""
        self.page.get_by_role("tab", name=self.say(f"{name}.tab"), exact=True).click()
        panel = self.page.locator(f"#tab-{name}")
        expect(panel).to_be_visible()
        return panel

    def act(self, turn: Locator, name: str) -> Locator:
        """The button "copy", "retry", "edit", "like" or "dislike" of a turn."""
        return turn.locator(f'button[data-act="{name}"]')

    # the proof

    def mark(self, turn: Locator, number: int = 0) -> Locator:
        """A mark of the answer, counted from 0."""
        return turn.locator("button.mark").nth(number)

    def card(self, mark: Locator) -> Locator:
        """The card of a mark, open or not."""
        return self.page.locator(f"#{mark.get_attribute('data-card')}")

    def open_card(self, mark: Locator) -> Locator:
        """The card of a mark, once it is open under the pointer."""
        mark.hover()
        card = self.card(mark)
        expect(card).to_be_visible()
        return card

    def leave_cards(self) -> None:
        """Take the pointer away, so that no card lies over what is wanted next."""
        self.page.mouse.move(0, 0)
        expect(self.page.locator(".card:popover-open")).to_have_count(0)

    @property
    def source(self) -> Locator:
        """The panel that shows an article."""
        return self.page.locator("#source")

    def open_source(self, mark: Locator) -> Locator:
        """The panel with the article of a mark, once its quote is in view."""
        self.leave_cards()
        mark.click()
        expect(self.source).to_be_visible()
        expect(self.present_quote).to_be_in_viewport()
        number = self.card(mark).get_attribute("data-number")
        expect(self.present_quote).to_have_attribute("data-number", str(number))
        return self.source

    @property
    def present_quote(self) -> Locator:
        """Where the quote begins that the panel was opened for."""
        return self.source.locator("mark.quote.current").first

    def quoted(self, number: int) -> str:
        """What the panel highlights as one quote, from its first letter to its last.

        "" where it is not highlighted without a gap.
        """
        return str(self.source.evaluate(_QUOTED, number))

    def open_proof(self, turn: Locator) -> Locator:
        """The panel under an answer, unfolded."""
        self.leave_cards()
        turn.locator("details.proof > summary").click()
        proof = turn.locator("details.proof")
        expect(proof).to_have_js_property("open", True)
        return proof
