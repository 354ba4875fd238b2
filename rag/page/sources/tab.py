"""The tab of articles: what the next question is limited to, what is added and removed.

The browser sends the files first, and then only their names and where Gradio has put them, in
an event of our own: as the value of a part of Gradio's, a path is whatever a client says.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from gradio.utils import get_upload_folder
from markupsafe import Markup

from rag.engine import Rag
from rag.errors import RagError
from rag.ingestion.ingest import Progress
from rag.ingestion.staging import MOST_BYTES, visible
from rag.languages.cldr import script_direction
from rag.page.html.markup import markup
from rag.page.html.words import Words
from rag.page.sources.listing import FilterError, filter_of, languages_of, listed, table_html
from rag.page.sources.upload_form import Outcome, Step, adding_html, fault_html, named, problem_html

Busy = Callable[[], AbstractAsyncContextManager[None]]
Frame = tuple[Any, Any, Any]
"""What adding and removing send: their own part, the table, the languages to choose from."""

_SCRIPT = Path(__file__).with_name("sources.js")
_SECONDS = 0.2
"""Between two looks at how far an ingest is."""
_MOST_FILES = 100
"""In one go."""
_KEPT = re.compile(r"[0-9a-f]{64}")
"""The folder of an uploaded file is called by its hash."""
_log = logging.getLogger(__name__)


class SourcesTab:
    """One language's tab of articles; the filter is each visitor's own."""

    def __init__(self, engine: Rag, say: Words, busy: Busy, uploads: bool) -> None:
        """Articles are added and removed inside of `busy()`, where `uploads` are allowed."""
        self._engine, self._say, self._busy, self._uploads = engine, say, busy, uploads
        self._tasks: set[asyncio.Task[Outcome]] = set()
        # Without a mouse, the press of the button also leaves a box: that must be done first.
        self._in_turn = asyncio.Lock()

    def build(self) -> None:
        """Put the parts where the context is, and tie their events to this object."""
        say, script = self._say, _SCRIPT.read_text(encoding="utf-8")
        html = partial(gr.HTML, apply_default_css=False)
        self.where = gr.State({})
        """The filter of the next question, as `Rag.ask` takes it."""
        with gr.Column(elem_id="sources"):
            with gr.Row(elem_id="sources-filter"):
                langs = gr.Dropdown(
                    [], value=[], multiselect=True, label=say("sources.languages"), min_width=160
                )
                since, until = (
                    gr.Textbox(label=_in_its_direction(each, say), max_lines=1, min_width=120)
                    for each in ("sources.since", "sources.until")
                )
                clear = gr.Button(
                    say("sources.no_filter"), elem_id="no-filter", size="sm", min_width=100
                )
            problem = html("", elem_id="sources-problem", js_on_load=None)
            table = html("", elem_id="sources-table", js_on_load=script)
            adding = html(self._adding(), elem_id="sources-add", js_on_load=script)
        limits, shown = [langs, since, until], [adding, table, langs]
        self.refreshed = [table, langs]
        """What the results of `refresh` are the values of, to be called for each new page."""
        self.filter_parts = [self.where, *limits, problem, table]
        """What the results of `unfilter` are the values of."""
        changes = [langs.input, since.submit, since.blur, until.submit, until.blur]
        event: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": None,
        }
        # Without the queue: see `_QUIET` of the conversation.
        quiet = event | {"queue": False}
        applied = [self.where, problem, table]
        self.filtered = [
            gr.on(changes, self.apply, [*limits, self.where], applied, **quiet),
            clear.click(self.unfilter, None, self.filter_parts, **quiet),
        ]
        """The events after which there may be another filter; `then` follows one."""
        adding.sent(self.add, [self.where], shown, trigger_mode="multiple", **event)
        table.remove_file(self.remove, [self.where], shown, trigger_mode="multiple", **event)

    # ---- the filter

    def refresh(self) -> tuple[Any, Any]:
        """The table and the languages, for a page that has no filter yet."""
        return self._listing({})

    async def apply(
        self, langs: object, since: object, until: object, where: Mapping[str, Any]
    ) -> tuple[Any, str, Any]:
        """The filter that was chosen; the one before, and why, where it cannot be used."""
        codes = [str(each) for each in langs] if isinstance(langs, list) else []
        async with self._in_turn:  # or an earlier filter, told later, would clear this fault
            try:
                chosen = filter_of(codes, str(since or ""), str(until or ""))
            except FilterError as error:
                told = self._say(error.key, **error.values)
                return gr.skip(), markup('<p role="alert">{told}</p>', told=told), gr.skip()
            if chosen == where:
                return gr.skip(), "", gr.skip()
            table, _ = await asyncio.to_thread(self._listing, chosen)
        return chosen, "", table

    async def unfilter(self) -> tuple[Any, ...]:
        """No filter, and nothing in its boxes."""
        async with self._in_turn:
            table, _ = await asyncio.to_thread(self._listing, {})
        return {}, [], "", "", "", table

    def _listing(self, where: Mapping[str, Any]) -> tuple[Markup, Any]:
        """The table, and the languages to choose from."""
        try:
            articles = listed(self._engine)
        except RagError as error:
            return fault_html(str(error)), gr.skip()
        table = table_html(articles, where, self._uploads, self._say)
        return table, gr.update(choices=languages_of(articles, where, self._say))

    # ---- adding and removing

    async def add(self, where: Mapping[str, Any], event: gr.EventData) -> AsyncIterator[Frame]:
        """Ingest files that the browser has sent; the page after each step."""
        files = _received(event._data)
        async for frame in self._frames(partial(self._add, files), where):
            yield frame

    async def remove(self, where: Mapping[str, Any], event: gr.EventData) -> AsyncIterator[Frame]:
        """Remove an article with its file; the page after each step."""
        source = event._data.get("source") if isinstance(event._data, dict) else None
        async for frame in self._frames(partial(self._remove, str(source)), where):
            yield frame

    async def _frames(
        self, work: Callable[[Progress], Outcome], where: Mapping[str, Any]
    ) -> AsyncIterator[Frame]:
        """The tab while the work is done, which goes on to its end when its visitor leaves."""
        latest = Step("waiting")

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal latest
            latest = Step(stage, done, total)

        task = asyncio.create_task(self._outcome(work, progress))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.sleep(0)
        shown = None
        while shown is None or not task.done():
            if latest != shown:
                shown = latest
                yield self._adding(shown), gr.skip(), gr.skip()
            await asyncio.wait({task}, timeout=_SECONDS)
        table, langs = await asyncio.to_thread(self._listing, where)
        yield self._adding(task.result()), table, langs

    async def _outcome(self, work: Callable[[Progress], Outcome], progress: Progress) -> Outcome:
        if not self._uploads:
            return Outcome(fault=self._say("sources.off"))
        try:
            async with self._busy():
                progress("reading", 0, 0)
                return await asyncio.to_thread(work, progress)
        except RagError as error:
            return Outcome(fault=str(error))
        except Exception:
            _log.exception("articles could not be added or removed")
            return Outcome(fault=self._say("chat.fault"))

    def _add(self, files: Sequence["_File"], progress: Progress) -> Outcome:
        arrived = [(each.name, each.path) for each in files if each.path]
        try:
            added = self._engine.add_files(arrived, progress)
        finally:
            for _, path in arrived:
                _discard(path)
        say = self._say
        problems = [
            problem_html(visible(each.name)[:80], each.lost, "", say)
            for each in files
            if not each.path
        ]
        problems += [problem_html(each.name, each.why, each.reason, say) for each in added.refused]
        return Outcome(named("added", added.sources, say), tuple(problems))

    def _remove(self, source: str, progress: Progress) -> Outcome:
        return Outcome(named("removed", self._engine.remove_file(source, progress), self._say))

    def _adding(self, state: Step | Outcome | None = None) -> Markup:
        return adding_html(self._uploads, state, self._say)


def _in_its_direction(key: str, say: Words) -> str:
    """Words of the page for a label, which Gradio draws from left to right on all pages."""
    return f"\u2067{say(key)}\u2069" if script_direction(say.lang) == "rtl" else say(key)


@dataclass(frozen=True, slots=True)
class _File:
    """What a client says that it has sent; `path` only where that is true."""

    name: str
    path: Path | None
    lost: Literal["large", "lost"] = "lost"
    """Why there is no path."""


def _received(told: object) -> list[_File]:
    files = told.get("files") if isinstance(told, dict) else None
    known = [each for each in files if isinstance(each, dict)] if isinstance(files, list) else []
    return [_file(each) for each in known[:_MOST_FILES]]


def _file(told: Mapping[str, Any]) -> _File:
    name, size = str(told.get("name", "")), told.get("size")
    large = isinstance(size, int) and size > MOST_BYTES
    return _File(name, _uploaded(str(told.get("path", ""))), "large" if large else "lost")


def _uploaded(path: str) -> Path | None:
    """A path at which Gradio keeps a file that was uploaded; None for any other."""
    folder = Path(get_upload_folder()).resolve()
    with suppress(OSError, ValueError):
        file = Path(path).resolve(strict=True)
        own = file.parent.parent == folder and _KEPT.fullmatch(file.parent.name)
        if own and file.is_file():
            return file
    return None


def _discard(path: Path) -> None:
    """Drop Gradio's copy, and its folder when nothing else is in it."""
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()
