"""The chat page over its real server on loopback, in front of an engine with a script."""

import asyncio
import json
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import gradio_client  # type: ignore[import-untyped]
import huggingface_hub.constants
import pytest
import uvicorn

from rag.asking import understand
from rag.chat import (
    Turn,
    announcement,
    direction,
    example_questions,
    listen,
    page,
    serve,
    server,
    transcript,
)
from rag.engine import History, Rag, Where
from rag.errors import ModelError, SettingsError
from rag.records import Answer, AnswerEvent, Citation, Event, Hit, HitsEvent, TextEvent
from rag.settings import Settings

QUOTE = "השיחות נמשכו 3 שעות,\nו-17 מסמכים נחתמו."
CITATION = Citation(1, "talks.txt", 40, 40 + len(QUOTE), QUOTE, title="The talks", lang="he")
HIT = Hit("talks.txt", 40, 40 + len(QUOTE), QUOTE, 0.9, "he")
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</p></div></article><iframe src='http://example.com'>",
    "[a](javascript:alert(1))",
    "![i](http://example.com/i.png)",
    "http://example.com/bare",
    "$$\\href{javascript:alert(1)}{x}$$",
    "${alert(1)} {{value}} `",
    "&lt;b&gt; \"quoted\" 'too' & more",
]


class ScriptedRag(Rag):
    """Says `words` one by one, then the answer; notes when each stream has ended.

    The question "fail" meets a ModelError, "fault" something nobody expected.
    """

    def __init__(self, settings: Settings, words: Sequence[str] = (), pause: float = 0.0) -> None:
        super().__init__(settings)
        self.words = words or ["Talks ", "took ", "3 hours ", "[1]"]
        self.pause = pause
        self.citations: tuple[Citation, ...] = (CITATION,)
        self.histories: dict[str, History] = {}
        self.running = 0
        self.most_running = 0
        self.stopped = threading.Event()

    def _events(
        self,
        stop: threading.Event,
        question: str,
        history: History,
        language: str | None,
        k: int | None,
        where: Where | None,
    ) -> Iterator[Event]:
        understand(question, history)
        self.histories[question] = list(history)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            yield from self._said(stop, question)
        finally:
            self.running -= 1

    def _said(self, stop: threading.Event, question: str) -> Iterator[Event]:
        if question == "fault":
            raise ZeroDivisionError("secret <b>details</b>")
        yield HitsEvent((HIT,), question)
        if question == "fail":
            raise ModelError("the model at <i>http://127.0.0.1:1</i> does not answer; start it")
        for word in self.words:
            if stop.wait(self.pause):
                self.stopped.set()
                return
            yield TextEvent(word)
        abstained = question == "unknown"
        yield AnswerEvent(
            Answer("".join(self.words), self.citations, abstained, "en", (HIT,), query=question)
        )


class Visitor:
    """A browser tab as the server sees it: one session hash, events over HTTP."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = f"{url}/gradio_api", name
        with urllib.request.urlopen(f"{url}/config") as reply:
            config = json.load(reply)
        by_target = {
            target[1]: dependency
            for dependency in config["dependencies"]
            for target in dependency["targets"]
        }
        self.answer, self.stop = by_target["submit"]["id"], by_target["stop"]["id"]

    def ask(self, question: str) -> None:
        self._post("queue/join", self.answer, [question, None])

    def frames(self) -> Iterator[str]:
        """The transcript after each step, until the event is complete."""
        html = ""
        with closing(urllib.request.urlopen(self._stream("queue/data"), timeout=20)) as lines:
            for line in lines:
                message = json.loads(line.removeprefix(b"data: ") or b"{}") if line.strip() else {}
                html = _patched(html, message)
                if message.get("msg") in ("process_generating", "process_completed"):
                    yield html
                if message.get("msg") == "process_completed":
                    return

    def press_stop(self) -> None:
        self._post("run/predict", self.stop, [])

    def open_tab(self) -> Any:
        """The connection that a tab holds open for as long as it is there."""
        return urllib.request.urlopen(f"{self.url}/heartbeat/{self.name}", timeout=20)

    def _stream(self, path: str) -> str:
        return f"{self.url}/{path}?session_hash={self.name}"

    def _post(self, path: str, function: int, data: list[Any]) -> Any:
        return self._send(path, {"data": data, "fn_index": function, "session_hash": self.name})

    def _send(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.url}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)


def _patched(html: str, message: dict[str, Any]) -> str:
    """The transcript after a message: sent whole at first, then as changes to the last."""
    data = (message.get("output") or {}).get("data") or [[]]
    if isinstance(data[0], str):
        return data[0]
    for action, path, text in data[0]:
        assert path == []
        html = html + text if action == "append" else text
    return html


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(engine: Rag) -> Iterator[str]:
    """The real server on a free port of loopback, as its URL."""
    port = free_port()
    started: queue.SimpleQueue[uvicorn.Server] = queue.SimpleQueue()

    async def serve_until_told() -> None:
        running = server(engine)
        started.put(running)
        with listen("127.0.0.1", port) as listener:
            await running.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve_until_told()))
    thread.start()
    running = started.get(timeout=20)
    try:
        wait_until(lambda: running.started)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def wait_until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


# Gradio's queue sums up its timings with pandas calls that pandas is about to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning"),
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.read(corpus=tmp_path, store=tmp_path / "store", port=free_port())


@pytest.fixture
def engine(settings: Settings) -> ScriptedRag:
    return ScriptedRag(settings)


@pytest.fixture
def slow_engine(settings: Settings) -> ScriptedRag:
    return ScriptedRag(settings, ["word "] * 1_000, pause=0.05)


def last(frames: Iterator[str]) -> str:
    *_, html = frames
    return html


def test_answer_grows_and_ends_with_its_quotes(engine: ScriptedRag) -> None:
    with serving(engine) as url:
        visitor = Visitor(url, "a")
        visitor.ask("How long did the talks take?")
        frames = list(visitor.frames())
    assert any("reading 1 passage<" in html for html in frames)
    assert any("Talks took </p>" in html for html in frames)
    assert '3 hours <bdi class="mark">[1]</bdi>' in frames[-1]
    assert f"<blockquote>{QUOTE}</blockquote>" in frames[-1]
    for told in ("The talks", "Hebrew", f"characters 40–{40 + len(QUOTE)}"):
        assert f"<bdi>{told}</bdi>" in frames[-1]


def test_abstention_shows_no_citations(engine: ScriptedRag) -> None:
    with serving(engine) as url:
        visitor = Visitor(url, "a")
        visitor.ask("unknown")
        assert "blockquote" not in last(visitor.frames())


def test_stop_ends_the_stream_and_keeps_the_text(slow_engine: ScriptedRag) -> None:
    with serving(slow_engine) as url:
        visitor = Visitor(url, "a")
        visitor.ask("Say a lot")
        frames = visitor.frames()
        assert any("word word" in html for html in frames)
        visitor.press_stop()
        assert slow_engine.stopped.wait(1)
        html = last(frames)
    assert "word word" in html
    assert "stopped</p>" in html
    assert 'aria-busy="false"' in html


def test_stop_ends_the_wait_for_another_answer(slow_engine: ScriptedRag) -> None:
    with serving(slow_engine) as url:
        ann, bob = Visitor(url, "ann"), Visitor(url, "bob")
        ann.ask("Say a lot")
        wait_until(lambda: slow_engine.running == 1)
        bob.ask("Me too")
        frames = bob.frames()
        assert "waiting" in next(frames)
        bob.press_stop()
        assert "stopped</p>" in last(frames)
        assert not slow_engine.stopped.is_set()
    assert "Me too" not in slow_engine.histories


def test_next_question_is_answered_after_stop(slow_engine: ScriptedRag) -> None:
    with serving(slow_engine) as url:
        visitor = Visitor(url, "a")
        visitor.ask("Say a lot")
        frames = visitor.frames()
        next(frames)
        visitor.press_stop()
        last(frames)
        slow_engine.words = ["Short."]
        visitor.ask("And now?")
        html = last(visitor.frames())
    assert html.count("<article") == 2
    assert "Short." in html
    assert slow_engine.histories["And now?"] == []


def test_closed_tab_ends_the_stream(slow_engine: ScriptedRag) -> None:
    with serving(slow_engine) as url:
        visitor = Visitor(url, "a")
        tab = visitor.open_tab()
        visitor.ask("Say a lot")
        wait_until(lambda: slow_engine.running == 1)
        tab.close()
        assert slow_engine.stopped.wait(2)


def test_visitors_are_apart_and_the_model_serves_one_at_a_time(settings: Settings) -> None:
    engine = ScriptedRag(settings, pause=0.02)
    with serving(engine) as url:
        ann, bob = Visitor(url, "ann"), Visitor(url, "bob")
        ann.ask("Ann's first?")
        bob.ask("Bob's first?")
        bobs = list(bob.frames())
        list(ann.frames())
        ann.ask("Ann's second?")
        anns = last(ann.frames())
    assert "waiting for another answer to end" in bobs[0]
    assert "Ann" not in bobs[-1]
    assert "Bob" not in anns
    assert engine.most_running == 1
    assert engine.histories["Ann's second?"] == [("Ann's first?", "Talks took 3 hours [1]")]
    assert engine.histories["Bob's first?"] == []


def test_empty_question_does_nothing(engine: ScriptedRag) -> None:
    with serving(engine) as url:
        visitor = Visitor(url, "a")
        visitor.ask(" \n ")
        assert "<article" not in last(visitor.frames())
    assert engine.histories == {}


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("fail", "the model at &lt;i&gt;http://127.0.0.1:1&lt;/i&gt; does not answer; start it"),
        ("long " * 500, "the question has 2,499 characters, 2,000 is the most; shorten it"),
        ("fault", "a fault of the program; its terminal tells more"),
    ],
)
def test_failure_is_one_line_under_the_question(
    engine: ScriptedRag, question: str, line: str
) -> None:
    with serving(engine) as url:
        visitor = Visitor(url, "a")
        visitor.ask(question)
        html = last(visitor.frames())
    assert f">{line}</p>" in html
    assert f"{question.strip()}" in html
    assert "secret" not in html


def test_failed_turn_is_no_history(engine: ScriptedRag) -> None:
    with serving(engine) as url:
        visitor = Visitor(url, "a")
        for question in ("fail", "Better?"):
            visitor.ask(question)
            last(visitor.frames())
    assert engine.histories["Better?"] == []


class Tags(HTMLParser):
    """Every tag with its attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_of_others_is_never_markup(hostile: str) -> None:
    citation = Citation(1, hostile, 0, 9, hostile, lang="", title=hostile)
    untitled = Citation(2, hostile, 0, 9, hostile, lang=hostile)
    turn = Turn(hostile, hostile, hostile, "whole", (citation, untitled))
    tags = Tags(transcript([turn]))
    assert tags.names == {"div", "article", "p", "ul", "li", "bdi", "blockquote"}
    assert tags.attributes == {"class", "role", "aria-busy", "dir"}
    assert tags.text.count(hostile) == 8


def test_hostile_question_arrives_as_text_only(engine: ScriptedRag) -> None:
    with serving(engine) as url:
        visitor = Visitor(url, "a")
        visitor.ask(HOSTILE[0] + HOSTILE[1])
        html = last(visitor.frames())
    assert HOSTILE[0] + HOSTILE[1] in Tags(html).text
    assert "<img" not in html
    assert "<script" not in html


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("Dziękuję, 12 mld zł [1].", "ltr"),
        ("Xi Jinping ו-Tokayev נפגשו באסטנה [1].", "rtl"),
        ("(2024) قال الرئيس", "rtl"),
        ("The paper אל-יומא wrote of it", "ltr"),
        ("双方一致同意", "ltr"),
        ("", "ltr"),
    ],
)
def test_direction_follows_the_letters(text: str, way: str) -> None:
    assert direction(text) == way


def test_each_line_and_quote_has_its_own_direction() -> None:
    turn = Turn("שלום\nhello", "Hallo [1]", state="whole", citations=(CITATION,))
    html = transcript([turn])
    assert '<p dir="rtl">שלום</p><p dir="ltr">hello</p>' in html
    assert '<li dir="rtl"><bdi class="mark">[1]</bdi><blockquote>' in html


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], gradio_client.Client]]:
    """Gradio's own client for a URL, kept from calling its makers."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with ExitStack() as opened:

        def connect(url: str) -> gradio_client.Client:
            client = gradio_client.Client(url, verbose=False, analytics_enabled=False)
            opened.callback(client.close)
            return client

        yield connect


def test_ask_endpoint_gives_the_answer_as_json(
    engine: ScriptedRag, connect: Callable[[str], gradio_client.Client]
) -> None:
    with serving(engine) as url:
        answer = connect(url).predict("How long?", api_name="/ask")
        endpoints = json.load(urllib.request.urlopen(f"{url}/gradio_api/info"))["named_endpoints"]
    assert list(endpoints) == ["/ask"]
    assert "Answer one question" in endpoints["/ask"]["description"]
    assert answer["citations"][0]["quote"] == QUOTE
    assert answer["abstained"] is False


def test_ask_endpoint_names_what_failed(
    engine: ScriptedRag, connect: Callable[[str], gradio_client.Client]
) -> None:
    with (
        serving(engine) as url,
        pytest.raises(gradio_client.exceptions.AppError, match="does not answer; start it"),
    ):
        connect(url).predict("fail", api_name="/ask")


def test_page_fetches_nothing_from_elsewhere(engine: ScriptedRag) -> None:
    with serving(engine) as url:
        html = urllib.request.urlopen(url).read().decode()
        css = urllib.request.urlopen(f"{url}/theme.css").read().decode()
        config = json.load(urllib.request.urlopen(f"{url}/config"))
    fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']([^\"']*)", html)
    assert fetched
    assert not [address for address in fetched if "//" in address]
    assert not re.findall(r"@import|url\((?!['\"]?data:)", css)
    assert config["stylesheets"] == []
    assert config["analytics_enabled"] is False


def test_examples_are_those_of_the_corpus(tmp_path: Path) -> None:
    (tmp_path / "articles.toml").write_text(
        'examples = ["What was said?", "מה נאמר?", 7]\n["a.txt"]\nlang = "en"\n', encoding="utf-8"
    )
    (tmp_path / "a.txt").write_text("Much was said.", encoding="utf-8")
    assert example_questions(tmp_path) == ["What was said?", "מה נאמר?"]
    assert example_questions(tmp_path / "a.txt") == ["What was said?", "מה נאמר?"]


@pytest.mark.parametrize("toml", [None, "examples = [", "examples = 3", '["a.txt"]\nlang = "en"'])
def test_corpus_without_examples_shows_none(tmp_path: Path, toml: str | None) -> None:
    if toml is not None:
        (tmp_path / "articles.toml").write_text(toml, encoding="utf-8")
    assert example_questions(tmp_path) == []


async def test_examples_stand_on_the_page(settings: Settings) -> None:
    (settings.corpus / "articles.toml").write_text('examples = ["Ne oldu?"]', encoding="utf-8")
    components = page(ScriptedRag(settings)).config["components"]
    buttons = [each["props"]["value"] for each in components if each["type"] == "button"]
    assert buttons == ["Ne oldu?"]


def test_taken_port_is_one_line_that_names_it(engine: ScriptedRag) -> None:
    port = engine.settings.port
    with listen("127.0.0.1", port), pytest.raises(SettingsError) as refusal:
        serve(engine)
    assert str(port) in str(refusal.value)
    assert "RAG_PORT" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"RAG_HOST='127\.0\.0\.1%nowhere'"):
        listen("127.0.0.1%nowhere", free_port())


@pytest.mark.parametrize(
    ("host", "lines"),
    [
        ("127.0.0.1", ["chat at http://127.0.0.1:7860"]),
        ("::1", ["chat at http://[::1]:7860"]),
        ("0.0.0.0", ["chat at http://127.0.0.1:7860", "anyone who reaches port 7860 of 0.0.0.0"]),
        ("::", ["chat at http://[::1]:7860", "anyone who reaches port 7860 of ::"]),
        ("192.0.2.1", ["chat at http://192.0.2.1:7860", "anyone who reaches"]),
    ],
)
def test_address_is_told_and_who_reaches_it(host: str, lines: list[str]) -> None:
    told = announcement(host, 7860).splitlines()
    assert len(told) == len(lines)
    assert all(line.startswith(begin) for line, begin in zip(told, lines, strict=True))


_SCRIPT = """
import sys
from pathlib import Path
from rag.chat import serve
from rag.settings import Settings
from tests.test_chat import ScriptedRag

settings = Settings.read(corpus=Path(sys.argv[1]), port=int(sys.argv[2]))
serve(ScriptedRag(settings, ["word "] * 1000, pause=0.05))
"""


def test_ctrl_c_ends_it_cleanly_while_a_visitor_waits(settings: Settings) -> None:
    command = [sys.executable, "-c", _SCRIPT, str(settings.corpus), str(settings.port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{settings.port}"
        assert process.stdout.readline() == f"chat at {url}\n"
        visitor = Visitor(url, "a")
        with closing(visitor.open_tab()):
            visitor.ask("Say a lot")
            assert any("word word" in html for html in visitor.frames())
            pressed = time.monotonic()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=10)
    assert time.monotonic() - pressed < 2
    assert (process.returncode, output, errors) == (0, "", "")
