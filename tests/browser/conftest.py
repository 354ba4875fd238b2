"""A browser, the pages it visits, and a watch over all that they do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page
from skipping import NO_CHROMIUM, skip_or_fail

from evals.browsing import Chat, browser, chromium, serving
from rag.engine import Rag
from rag.settings import Settings

from .corpus import write_corpus
from .model import PacedModel, paced_model

LOCALES = {"en": "en-GB", "tr": "tr-TR", "ar": "ar-EG", "he": "he-IL", "pl": "pl-PL", "ru": "ru-RU"}


# Playwright's loop counts as running in this thread for as long as the browser is open. It is
# closed with this package, so that the asynchronous tests of other files find no loop.
@pytest.fixture(scope="package")
def chrome(home: Path) -> Iterator[Browser]:
    """One Chromium for all tests of the package."""
    if chromium() is None:
        skip_or_fail(NO_CHROMIUM)
    with browser() as opened, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(home / "gradio"))
        yield opened


# --- what a page did

# Gradio logs the requests that are cut off when a reader leaves the page.
_LEAVING = ("AbortError: signal is aborted", "Connection errored out")


@dataclass
class Watch:
    """All that went wrong in the tabs of one test, and every address they asked for."""

    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Record what the pages of a context do."""
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("dialog", self._dialog)
        page.on("popup", lambda opened: self.faults.append(f"a window: {opened.url}"))
        page.on("crash", lambda _: self.faults.append("the tab crashed"))

    def _dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(map(message.text.__contains__, _LEAVING)):
            self.faults.append(f"console: {message.text}")

    @property
    def left_loopback(self) -> list[str]:
        """Addresses beyond this machine that were asked for."""
        return [url for url in self.requests if not _is_here(url)]


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob", "about") or parts.hostname == "127.0.0.1"


# A policy that only reports says nothing on the console in all versions.
_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} refused ${event.blockedURI}`));
"""


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test if a page logged an error or asked for an address beyond loopback."""
    watching = Watch()
    yield watching
    assert watching.left_loopback == []
    assert watching.faults == []


class Visit(Protocol):
    """Opens a page as a new visitor, with the options of a browser context."""

    def __call__(self, url: str, lang: str = "en", **options: Any) -> Chat: ...


@pytest.fixture
def visit(chrome: Browser, watch: Watch) -> Iterator[Visit]:
    """A visitor's own browser, as often as it is called; all are gone with the test."""
    opened: list[BrowserContext] = []

    def visit(url: str, lang: str = "en", **options: Any) -> Chat:
        options = {"locale": LOCALES[lang], "service_workers": "block", **options}
        context = chrome.new_context(**options)
        opened.append(context)
        watch.over(context)
        return Chat.at(context.new_page(), url, lang)

    yield visit
    for context in opened:
        for page in context.pages:
            page.wait_for_timeout(0)  # what it still has to tell is told
        context.close()


# --- what is visited


@pytest.fixture(scope="package")
def seeds_engine(chrome: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    """The articles that come with the project, quoted and not worded."""
    store = tmp_path_factory.mktemp("seeds") / "store"
    with Rag(Settings.read(model="none", store=store)) as engine:
        engine.ingest()
        yield engine


@pytest.fixture(scope="package")
def seeds(seeds_engine: Rag) -> Iterator[str]:
    """The page over `seeds_engine`."""
    with serving(seeds_engine) as url:
        yield url


@pytest.fixture(scope="package")
def small_engine(chrome: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    """The invented articles of corpus.py, quoted and not worded."""
    folder = tmp_path_factory.mktemp("small")
    corpus = write_corpus(folder / "articles")
    with Rag(Settings.read(model="none", corpus=corpus, store=folder / "store")) as engine:
        engine.ingest()
        yield engine


@pytest.fixture(scope="package")
def small(small_engine: Rag) -> Iterator[str]:
    """The page over `small_engine`."""
    with serving(small_engine) as url:
        yield url


@pytest.fixture(scope="package")
def _paced() -> Iterator[PacedModel]:
    with paced_model() as model:
        yield model


@pytest.fixture(scope="package")
def _paced_url(small_engine: Rag, _paced: PacedModel) -> Iterator[str]:
    settings = small_engine.settings.model_copy(
        update={"model": "openai:paced", "base_url": _paced.url, "answers": "words"}
    )
    with Rag(settings) as engine, serving(engine) as url:
        yield url


@pytest.fixture
def model(_paced: PacedModel) -> Iterator[PacedModel]:
    """The chat model of the page at `worded`; its reply is held until `go_on`."""
    _paced.reset()
    yield _paced
    _paced.go_on.set()


@pytest.fixture
def worded(model: PacedModel, _paced_url: str) -> str:
    """The page over the articles of corpus.py, whose answers `model` words."""
    return _paced_url
