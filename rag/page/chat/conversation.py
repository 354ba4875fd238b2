"""The tab in which questions are asked: its parts, and what each of their events does."""

import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from rag.engine import Rag
from rag.errors import RagError
from rag.page.chat.article import article_html
from rag.page.chat.feedback import keep_feedback
from rag.page.chat.queue import EngineQueue
from rag.page.chat.transcript import log_html, transcript, turn_html
from rag.page.chat.turns import Turn, Turns, history, kept, restored
from rag.page.html.bidi import direction
from rag.page.html.labels import shown_filter
from rag.page.html.markup import markup
from rag.page.html.words import Words
from rag.records import Document

Frame = tuple[Any, Any, Any]
"""What an event sends: the transcript, the conversation for the browser, the question box."""
_UNCHANGED: Frame = (gr.skip(), gr.skip(), gr.skip())
Span = tuple[int, int, int, str | None]
"""What is to be marked: its number, start and end in code points, and its text where known."""
_SCRIPT = Path(__file__).with_name("chat.js")
_EVENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# What takes no time goes without the queue, whose stream Gradio's client may miss to open again
# for an event that is sent just as the stream of another one ends.
_QUIET = {**_EVENT, "queue": False}


class Conversation:
    """One language's chat tab; each visitor's conversation is kept by their own browser."""

    def __init__(self, engine: Rag, queue: EngineQueue, say: Words) -> None:
        self._engine, self._queue, self._say = engine, queue, say

    def build(self) -> None:
        """Put the parts where the context is."""
        say = self._say
        self._turns = gr.BrowserState(
            None, storage_key=self._storage_key(), secret="kept in the open"
        )
        self._shown = gr.HTML(
            transcript((), say),
            elem_id="transcript", apply_default_css=False,
            js_on_load=_SCRIPT.read_text(encoding="utf-8"),
            server_functions=self._server_functions(),
        )  # fmt: skip
        self._chips = _examples(self._engine.settings.corpus)
        with gr.Column(elem_id="composer"):
            self._filter = gr.HTML(
                self.filter_line({}), elem_id="filter", apply_default_css=False, js_on_load=None
            )
            self._box = gr.Textbox(
                elem_id="question", show_label=False, label=say("chat.question"), autofocus=True,
                placeholder=say("chat.placeholder"), max_lines=6, submit_btn=say("chat.ask"),
            )  # fmt: skip

    def _server_functions(self) -> list[Callable[[list[Any]], Any]]:
        """What chat.js calls as `server.article` and so on; Gradio takes no methods."""

        def article(told: list[Any]) -> dict[str, Any]:
            return self.article(told)

        async def translation(told: list[Any]) -> dict[str, Any]:
            return await self.translation(told)

        return [article, translation]

    def connect(self, blocks: gr.Blocks, where: gr.State) -> None:
        """Tie the events of the parts to this object; `where` is the next question's filter."""
        turns, quiet = self._turns, _QUIET
        frame = [self._shown, turns, self._box]
        asking: dict[str, Any] = {**_EVENT, "concurrency_limit": None, "outputs": frame}
        self._box.submit(self.answer, [self._box, turns, where], **asking)
        for chip in self._chips:
            chip.click(self.answer, [chip, turns, where], **asking)
        self._box.stop(self.stop, **quiet)
        self._shown.retry(self.retry, [turns], **asking)
        self._shown.edit(self.edit, [turns], frame, **quiet)
        self._shown.restart(self.restart, None, frame, **quiet)
        self._shown.verdict(self.verdict, [turns], frame, **quiet)
        blocks.load(self.restore, [turns], [self._shown], **quiet)
        blocks.unload(self.stop)

    def unfilter(self, clear: Callable[[], Any], parts: list[Any]) -> gr.events.Dependency:
        """The event of the button over the box, which calls `clear` to give the parts values."""
        pressed: gr.events.Dependency = self._shown.unfilter(clear, None, parts, **_QUIET)
        return pressed

    def show_filter(self, where: gr.State, changes: Iterable[gr.events.Dependency]) -> None:
        """Show the filter over the box after each of the events that may change it."""
        for change in changes:
            change.then(self.filter_line, [where], [self._filter], **_QUIET)

    async def answer(
        self, question: str, conversation: Any, where: Mapping[str, Any], request: gr.Request
    ) -> AsyncIterator[Frame]:
        """The page after each step of the answer; unchanged by an empty question."""
        turns = restored(conversation)
        if not question.strip():
            yield _UNCHANGED
            return
        async for frame in self._answer(turns, Turn(question, where=where or {}), request):
            yield frame

    async def _answer(self, before: Turns, turn: Turn, request: gr.Request) -> AsyncIterator[Frame]:
        visitor = _visitor(request)
        self._queue.drop(visitor)
        yield self._frame((*before, turn), self._busy_box())
        earlier = [turn_html(each, False, self._say) for each in before]
        answered = self._queue.answered(turn, history(before), visitor, self._say)
        async with aclosing(answered) as steps:
            async for turn in steps:
                if turn.state != "open":
                    break  # its end is shown only together with what is kept of it
                shown = log_html([*earlier, turn_html(turn, True, self._say)], self._say)
                yield shown, gr.skip(), gr.skip()
        if turn.state == "open":  # it was dropped, and another event has the page
            yield gr.skip(), gr.skip(), self._idle_box(turn)
        else:
            yield self._frame((*before, turn), self._idle_box(turn))

    async def retry(
        self, conversation: Any, event: gr.EventData, request: gr.Request
    ) -> AsyncIterator[Frame]:
        """Ask a question of the conversation again; what came after it goes."""
        turns = restored(conversation)
        place = _place(turns, event)
        if place is None:
            yield _UNCHANGED
            return
        again = Turn(turns[place].question, where=turns[place].where)
        async for frame in self._answer(turns[:place], again, request):
            yield frame

    async def edit(self, conversation: Any, event: gr.EventData, request: gr.Request) -> Frame:
        """Take a question back into the box; it and what came after it go."""
        turns = restored(conversation)
        place = _place(turns, event)
        if place is None:
            return _UNCHANGED
        self._queue.drop(_visitor(request))
        return self._frame(turns[:place], gr.update(value=turns[place].question))

    async def restart(self, request: gr.Request) -> Frame:
        """Begin a new conversation."""
        self._queue.drop(_visitor(request))
        return self._frame((), gr.update(value=""))

    def verdict(self, conversation: Any, event: gr.EventData) -> Frame:
        """Keep what a reader thought of an answer, where the evaluation looks for it."""
        turns, told = restored(conversation), event._data
        place = _place(turns, event)
        if place is None or turns[place].answer is None:
            return _UNCHANGED
        turn, liked = turns[place], told.get("liked") is True
        assert turn.answer is not None
        folder = self._engine.settings.store_folder / "feedback"
        reason = str(told.get("reason") or "")
        try:
            keep_feedback(folder, turn.question, history(turns[:place]), turn.answer, liked, reason)
        except RagError as error:
            raise gr.Error(str(error), print_exception=False) from error
        judged = replace(turn, verdict="liked" if liked else "disliked")
        return self._frame((*turns[:place], judged, *turns[place + 1 :]), gr.skip())

    async def stop(self, request: gr.Request) -> None:
        """Stop what this visitor waits for, who asks for it or has closed the page."""
        self._queue.stop(_visitor(request))

    def restore(self, conversation: Any) -> str:
        """The conversation that the browser kept."""
        return transcript(restored(conversation), self._say)

    def filter_line(self, where: Mapping[str, Any]) -> str:
        """What stands over the box: the next question's filter, and what begins anew."""
        line = shown_filter(where, self._say)
        only = markup(
            '<p><span>{line}</span><button type="button" class="unfilter">{all}</button></p>',
            line=self._say("turn.only", filter=line),
            all=self._say("chat.unfilter"),
        )
        both = markup(
            '{only}<button type="button" id="new">{new}</button>',
            only=only if line else "",
            new=self._say("chat.new"),
        )
        return str(both)

    def article(self, told: list[Any]) -> dict[str, Any]:
        """An article for the source panel, given (source, spans) by the page's script.

        Under `html` the article with the spans marked, `fault` is one line for what cannot be
        shown. A span whose text is not what it was is left out, and `changed` is then True.
        """
        try:
            source, spans = str(told[0]), [_span(each) for each in told[1]]
            document = self._engine.documents().get(source)
        except (LookupError, TypeError, ValueError):
            return {"fault": self._say("chat.fault")}
        except RagError as error:
            return {"fault": str(error)}
        if document is None:
            return {"fault": self._say("chat.gone", source=source)}
        same = [(number, start, end) for number, start, end, _ in _unchanged(spans, document)]
        return {
            "html": article_html(document, same, self._say),
            "changed": self._say("chat.changed") if len(same) < len(spans) else "",
        }

    async def translation(self, told: list[Any]) -> dict[str, Any]:
        """A translation for a card, given (text, language, wanted language) by the script."""
        try:
            text, lang, to = (str(each) for each in told)
        except (TypeError, ValueError):
            return {"fault": self._say("chat.fault")}
        try:
            found = await self._queue.translate(text, lang, to)
        except RagError as error:
            return {"fault": str(error)}
        shown = {"text": found.text, "lang": found.lang, "dir": direction(found.text)}
        if found.outcome == "checked":
            return {**shown, "label": found.label}
        return {**shown, "fault": self._say(f"translation.{found.outcome}")}

    def _frame(self, turns: Turns, box: Any) -> Frame:
        return transcript(turns, self._say), kept(turns), box

    def _busy_box(self) -> Any:
        return gr.update(value="", submit_btn=False, stop_btn=self._say("chat.stop"))

    def _idle_box(self, turn: Turn) -> Any:
        """Ask instead of Stop; a question that failed stands in the box again, to be mended."""
        box = gr.update(submit_btn=self._say("chat.ask"), stop_btn=False)
        return {**box, "value": turn.question} if turn.state == "failed" else box

    def _storage_key(self) -> str:
        return f"conversation {self._engine.settings.store_folder.name}"


def _visitor(request: gr.Request) -> str:
    return str(request.session_hash)


def _place(turns: Turns, event: gr.EventData) -> int | None:
    """Where the turn stands that an event of the page names; None when it is not there."""
    key = event._data.get("turn") if isinstance(event._data, dict) else None
    return next((i for i, turn in enumerate(turns) if turn.key == key), None)


def _span(told: Any) -> Span:
    number, start, end, quote = told
    return int(number), int(start), int(end), None if quote is None else str(quote)


def _unchanged(spans: list[Span], document: Document) -> list[Span]:
    """Those that still mark what they did, as far as that is known."""
    return [
        span
        for span in spans
        if 0 <= span[1] < span[2] <= len(document.text)
        and span[3] in (None, document.text[span[1] : span[2]])
    ]


def _examples(corpus: Path) -> list[gr.Button]:
    questions = example_questions(corpus)
    if not questions:
        return []
    with gr.Row(elem_id="examples"):
        return [gr.Button(question, size="sm") for question in questions]


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
