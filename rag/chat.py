"""The chat page: a question in, the streamed answer and its quotes out, on one address.

Articles, questions, file names and models give text. All of it is escaped here, in one
HTML transcript of our own, so that none of it can become markup, a link or an image.
"""

import asyncio
import errno
import gc
import html
import ipaddress
import logging
import os
import re
import socket
import tomllib
import unicodedata
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterator,
    Sequence,
)
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

# Gradio reads it while it is imported, and would tell its makers of every start.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
import uvicorn
from fastapi import FastAPI

from rag.engine import History, Rag
from rag.errors import RagError, SettingsError
from rag.records import Answer, AnswerEvent, Citation, Event, HitsEvent, TextEvent

_MARK = re.compile(r"\[\d+\]")
T = TypeVar("T")

_log = logging.getLogger(__name__)


def serve(engine: Rag) -> None:
    """Serve the chat page until Ctrl-C, which also stops an answer on its way.

    Raises SettingsError when it cannot listen on the host and port of the settings.
    """
    settings = engine.settings
    with listen(settings.host, settings.port) as listener, suppress(KeyboardInterrupt):
        asyncio.run(_serve(engine, listener))
    # The interpreter looks through every object once more before it ends, and after
    # Ctrl-C a person waits for it: half a second that nothing is gained by.
    gc.freeze()


async def _serve(engine: Rag, listener: socket.socket) -> None:
    await server(engine).serve(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there and nowhere else; raises SettingsError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} of {host} is taken by another program; "
                "end that one or choose another port with RAG_PORT"
            ) from error
        raise SettingsError(
            f"cannot listen on RAG_HOST={host!r}, RAG_PORT={port} "
            f"({error.strerror}); 127.0.0.1 and a port above 1023 always do"
        ) from error


def server(engine: Rag) -> uvicorn.Server:
    """The web server of the page, to be run on a socket from `listen`.

    Call it in the event loop that will run it: outside of one Gradio opens loops that
    it never closes. The server is ours, not that of `Blocks.launch`, which waits for
    open tabs when it is to end, and when it begins asks itself over HTTP whether it
    runs, through a proxy where one is set.
    """
    app = gr.mount_gradio_app(
        FastAPI(openapi_url=None),
        page(engine),
        path="/",
        theme=_theme(),
        css=_CSS,
        footer_links=["api", "settings"],
        show_error=True,
        # Nothing is uploaded here, and what is would be readable by every visitor.
        max_file_size=1,
        # The page of runs offers to keep them on a public service.
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    return _Server(
        uvicorn.Config(app, log_config=None, log_level="warning", timeout_graceful_shutdown=0)
    )


def _is_news(record: logging.LogRecord) -> bool:
    """False for the connections of open tabs that are cut at the end, as they must be."""
    cut = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut and not str(record.msg).startswith("Cancel %s running task(s)")


def _theme() -> gr.themes.Base:
    """Fonts of the reader's own system, which has those of the reader's own script."""
    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"])
    return theme.set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
    )


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            print(announcement(*listener.getsockname()[:2]), flush=True)


def announcement(host: str, port: int) -> str:
    """Where a browser on this machine finds the page; a second line if others do too.

    >>> announcement("127.0.0.1", 7860)
    'chat at http://127.0.0.1:7860'
    """
    address = ipaddress.ip_address(host)
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    line = f"chat at http://{f'[{own}]' if address.version == 6 else own}:{port}"
    if address.is_loopback:
        return line
    return (
        f"{line}\nanyone who reaches port {port} of {host} can ask; "
        "RAG_HOST=127.0.0.1 keeps it to this machine"
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """One question, and what is shown for it so far."""

    question: str
    text: str = ""
    note: str = ""
    """What is going on, or what ended the turn, in one line."""
    state: Literal["open", "whole", "stopped", "failed"] = "open"
    citations: tuple[Citation, ...] = ()

    def after(self, event: Event) -> "Turn":
        """The turn with one more event of the engine's stream."""
        if isinstance(event, HitsEvent):
            found = len(event.hits)
            return replace(self, note=f"reading {found} passage{'' if found == 1 else 's'}")
        if isinstance(event, TextEvent):
            return replace(self, text=event.text if event.replaces else self.text + event.text)
        return self.ended(event.answer) if isinstance(event, AnswerEvent) else self

    def ended(self, answer: Answer) -> "Turn":
        """The turn with its whole answer; an abstention rests on no article."""
        citations = () if answer.abstained else answer.citations
        return replace(self, text=answer.text, note="", state="whole", citations=citations)


Turns = tuple[Turn, ...]


def page(engine: Rag) -> gr.Blocks:
    """The page with its API endpoint `/ask`; each visitor has a conversation of their own."""
    desk = _Desk(engine)
    blocks = gr.Blocks(title="Ask the articles", analytics_enabled=False, fill_height=True)
    with blocks:
        turns = gr.State(())
        gr.HTML(_HEAD)
        shown = gr.HTML(elem_id="transcript", apply_default_css=False, js_on_load=None)
        box = gr.Textbox(
            elem_id="question", show_label=False, label="Question", autofocus=True,
            placeholder="Ask in any language", max_lines=6, submit_btn="Ask",
        )  # fmt: skip
        _examples(engine.settings.corpus, box)
        box.submit(
            desk.answer, [box, turns], [shown, turns, box],
            js=_SCROLL_TO_END,
            concurrency_limit=None, show_progress="hidden", api_visibility="private",
        )  # fmt: skip
        box.stop(desk.stop, queue=False, show_progress="hidden", api_visibility="private")
        blocks.unload(desk.stop)
        gr.events.api(desk.ask, api_name="ask", concurrency_limit=None)
    return blocks


def _examples(corpus: Path, box: gr.Textbox) -> None:
    questions = example_questions(corpus)
    if not questions:
        return
    with gr.Row(elem_id="examples"):
        for question in questions:
            button = gr.Button(question, size="sm")
            button.click(None, button, box, js="question => question")


def example_questions(corpus: Path) -> list[str]:
    """What `articles.toml` beside the articles offers under `examples`; else nothing."""
    folder = corpus if corpus.is_dir() else corpus.parent
    try:
        entries = tomllib.loads((folder / "articles.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    questions = entries.get("examples")
    if not isinstance(questions, list):
        return []
    return [each for each in questions if isinstance(each, str)]


class _Desk:
    """Lets the model answer one visitor after the other, and stops for those who want it.

    Gradio can do both, but shows nobody their question before it is their turn, and its
    `cancels` may let a last piece of text arrive after Stop and undo it.
    """

    def __init__(self, engine: Rag) -> None:
        self._engine = engine
        self._model = asyncio.Lock()
        self._tasks: set[tuple[str, asyncio.Task[Any]]] = set()

    async def answer(
        self, question: str, turns: Turns, request: gr.Request
    ) -> AsyncIterator[tuple[str, Turns, dict[str, Any]]]:
        """The page after each step of the answer; unchanged by an empty question."""
        if not question.strip():
            yield _frame(turns, gr.skip())
            return
        box = _busy_box()
        async for turn in self._steps(Turn(question), _history(turns), request):
            yield _frame((*turns, turn), box)
            box = gr.skip()
        yield _frame((*turns, turn), _idle_box(turn))

    async def ask(self, question: str, request: gr.Request) -> dict[str, Any]:
        """Answer one question, in any language, from the articles.

        Gives the answer's text with marks such as [1], under `citations` the exact quote
        of each mark with its article and offsets, and `abstained` when no article tells.
        """
        with self._stoppable(self._ask(question), request) as task:
            try:
                return (await task).to_dict()
            except RagError as error:
                raise gr.Error(str(error), print_exception=False) from error

    async def stop(self, request: gr.Request) -> None:
        """Stop what this visitor waits for, who asks for it or has closed the page."""
        for visitor, task in self._tasks:
            if visitor == str(request.session_hash):
                task.cancel()

    async def _steps(
        self, turn: Turn, history: History, request: gr.Request
    ) -> AsyncIterator[Turn]:
        """The turn from the bare question until it is whole, has failed or was stopped."""
        steps: asyncio.Queue[Turn | None] = asyncio.Queue()
        growing = self._grow(turn, history, steps.put_nowait)
        with self._stoppable(growing, request) as task:
            task.add_done_callback(lambda _: steps.put_nowait(None))
            while (step := await steps.get()) is not None:
                yield (turn := step)
            if task.cancelled():
                yield replace(turn, note="stopped", state="stopped")

    async def _grow(self, turn: Turn, history: History, show: Callable[[Turn], None]) -> None:
        if self._model.locked():
            show(replace(turn, note="waiting for another answer to end"))
        try:
            async with self._model:
                show(turn := replace(turn, note="looking for passages"))
                async with aclosing(self._events(turn.question, history)) as events:
                    async for event in events:
                        show(turn := turn.after(event))
        except RagError as error:
            show(replace(turn, note=str(error), state="failed"))
        except Exception:
            _log.exception("a question could not be answered")
            note = "a fault of the program; its terminal tells more"
            show(replace(turn, note=note, state="failed"))

    async def _ask(self, question: str) -> Answer:
        async with self._model:
            return await self._engine.aask(question)

    def _events(self, question: str, history: History) -> AsyncGenerator[Event, None]:
        return self._engine.astream(question, history)

    @contextmanager
    def _stoppable(
        self, work: Coroutine[Any, Any, T], request: gr.Request
    ) -> Iterator[asyncio.Task[T]]:
        """The work as a task that `stop` finds, and that ends with the block."""
        entry = (str(request.session_hash), asyncio.create_task(work))
        self._tasks.add(entry)
        try:
            yield entry[1]
        finally:
            self._tasks.discard(entry)
            entry[1].cancel()


def _history(turns: Turns) -> History:
    return [(turn.question, turn.text) for turn in turns if turn.state == "whole"]


def _frame(turns: Turns, box: dict[str, Any]) -> tuple[str, Turns, dict[str, Any]]:
    return transcript(turns), turns, box


def _busy_box() -> dict[str, Any]:
    return gr.update(value="", submit_btn=False, stop_btn="Stop")


def _idle_box(turn: Turn) -> dict[str, Any]:
    """Ask instead of Stop; a question that failed stands in the box again, to be mended."""
    if turn.state == "failed":
        return gr.update(value=turn.question, submit_btn="Ask", stop_btn=False)
    return gr.update(submit_btn="Ask", stop_btn=False)


def transcript(turns: Sequence[Turn]) -> str:
    """The conversation as HTML in which every text of others is text and nothing else."""
    return f'<div role="log">{"".join(map(_turn, turns))}</div>'


def _turn(turn: Turn) -> str:
    busy = "true" if turn.state == "open" else "false"
    return (
        f'<article class="turn {turn.state}" aria-busy="{busy}">'
        f'<div class="asked">{_paragraphs(turn.question)}</div>'
        f'<div class="answer">{_paragraphs(turn.text)}</div>'
        f"{_note(turn.note)}{_citations(turn.citations)}</article>"
    )


def _note(note: str) -> str:
    return f'<p class="note" dir="auto">{html.escape(note)}</p>' if note else ""


def _paragraphs(text: str) -> str:
    lines = (line for line in text.splitlines() if line.strip())
    return "".join(f'<p dir="{direction(line)}">{_marked(line)}</p>' for line in lines)


def _marked(text: str) -> str:
    """The text with each mark set apart: a figure must not be drawn into the sentence."""
    return _MARK.sub(r'<bdi class="mark">\g<0></bdi>', html.escape(text))


def _citations(citations: Sequence[Citation]) -> str:
    return f"<ul>{''.join(map(_citation, citations))}</ul>" if citations else ""


def _citation(citation: Citation) -> str:
    place = [citation.title or citation.source, _language_name(citation.lang)]
    place.append(f"page {citation.page}" if citation.page else "")
    place.append(f"characters {citation.start:,}–{citation.end:,}")
    told = " · ".join(f"<bdi>{html.escape(each)}</bdi>" for each in place if each)
    return (
        f'<li dir="{direction(citation.quote)}"><bdi class="mark">[{citation.number}]</bdi>'
        f"<blockquote>{html.escape(citation.quote)}</blockquote>"
        f'<p class="place">{told}</p></li>'
    )


def _language_name(code: str) -> str:
    from rag.answer import language_name

    return language_name(code) if code else ""


def direction(text: str) -> Literal["ltr", "rtl"]:
    """The way that the sentence runs: right to left when 4 in 10 of its letters do.

    Going by the first letter would turn a Hebrew line round that opens with a Latin name,
    going by most letters one that holds two of them.

    >>> direction("OPEC+ הודיעה על קיצוץ"), direction("[1] 2024"), direction("Opis: «سلام»")
    ('rtl', 'ltr', 'rtl')
    """
    kinds = Counter(map(unicodedata.bidirectional, text))
    backward, forward = kinds["R"] + kinds["AL"], kinds["L"]
    return "rtl" if 10 * backward > 4 * (backward + forward) else "ltr"


_HEAD = "<h1>Ask the articles</h1><p>Every sentence of an answer is proved by an exact quote.</p>"

# In a column that is laid out in reverse, 0 is the end.
_SCROLL_TO_END = """(...values) => {
  document.querySelector("#transcript").scrollTop = 0;
  return values;
}"""

_CSS = """
.gradio-container { width: 100%; max-width: 50rem !important; margin: 0 auto; }
#transcript { max-height: calc(100dvh - 17rem); overflow-y: auto !important;
  display: flex; flex-direction: column-reverse; /* which keeps the end in view */
  overflow-wrap: anywhere; line-height: 1.6; }
#transcript:not(:has(.turn)) { display: none; }
#transcript .turn { margin: 0 0 1.5rem; }
#transcript p { margin: 0.25rem 0; text-align: start; }
#transcript .asked { padding: 0.4rem 0.75rem; border-radius: 0.5rem; font-weight: 600;
  background: var(--background-fill-secondary); }
#transcript .answer, #transcript .note { padding: 0.25rem 0.75rem 0; font-size: 1.05rem; }
#transcript .note, #transcript .place { color: var(--body-text-color-subdued); }
#transcript .failed .note { color: var(--error-text-color); }
#transcript .mark { color: var(--link-text-color); font-variant-numeric: tabular-nums; }
#transcript ul { list-style: none; margin: 0.5rem 0.75rem; padding: 0; font-size: 0.95rem; }
#transcript li { display: grid; grid-template-columns: 2.25rem 1fr; margin: 0.75rem 0 0; }
#transcript li .mark { justify-self: start; }
#transcript li .place { grid-column: 2; }
#transcript blockquote { margin: 0; white-space: pre-wrap; }
#question textarea, #examples button { unicode-bidi: plaintext; text-align: start; }
#question .submit-button { background: var(--button-primary-background-fill);
  color: var(--button-primary-text-color); }
#examples { gap: 0.5rem; }
#examples button { flex: none; max-width: 100%; white-space: normal; font-weight: 400; }
.gradio-container:has(.turn) #examples { display: none; }
"""
