"""The model in this process: it answers, counts, and stops at once when told to.

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
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from rag.errors import ModelError
from rag.models.llama import PROVIDER, LlamaChat, physical_cores

SOON = 20.0
# Four thousand tokens to read: a minute or more.
LONG = "Tell me more about this. " * 650


@pytest.fixture(scope="module")
def model(embedded_gguf: Path) -> LlamaChat:
    return LlamaChat(weights=embedded_gguf, max_tokens=24, timeout=600)


@pytest.fixture(autouse=True)
def nothing_runs_on() -> Iterator[None]:
    """After each test the model is idle within a moment."""
    yield
    end = time.monotonic() + SOON
    while running() and time.monotonic() < end:
        time.sleep(0.05)
    assert not running()


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "llama-call"]


def test_replies_and_counts(model: LlamaChat) -> None:
    reply = model.invoke([("system", "Reply in one word."), ("user", "Capital of France?")])
    assert "Paris" in reply.text
    assert reply.response_metadata["finish_reason"] == "stop"
    assert reply.response_metadata["model_provider"] == PROVIDER
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] > 10
    assert 1 <= reply.usage_metadata["output_tokens"] <= 24


def test_takes_the_same_beginning_from_its_cache(model: LlamaChat) -> None:
    system = ("system", "You know the capitals of all countries. Reply in one word.")
    model.invoke([system, ("user", "Capital of Spain?")])
    usage = model.invoke([system, ("user", "Capital of Italy?")]).usage_metadata
    assert usage is not None
    assert usage["input_token_details"]["cache_read"] > usage["input_tokens"] / 2


def test_a_stream_adds_up_to_the_reply(model: LlamaChat) -> None:
    chunks = list(model.stream("Name three colours."))
    whole = sum(chunks[1:], chunks[0])
    assert isinstance(whole, AIMessageChunk)
    assert len([chunk for chunk in chunks if chunk.text]) > 1
    assert whole.text == model.invoke("Name three colours.").text
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] > 1
    assert whole.response_metadata["finish_reason"] == "stop"


async def test_async_calls_reply_too(model: LlamaChat) -> None:
    reply = await model.ainvoke("Name three colours.")
    parts = [chunk.text async for chunk in model.astream("Name three colours.")]
    assert "".join(parts) == reply.text == model.invoke("Name three colours.").text


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_a_schema_is_kept(model: LlamaChat, how: str) -> None:
    schema = {
        "type": "object",
        "properties": {"ids": {"type": "array", "items": {"enum": [7]}, "maxItems": 2}},
        "required": ["ids"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "ids", "schema": schema}}
    bound = model.bind(response_format=wanted)
    prompt = "Reply in JSON with the ids 3 and 4."
    text = bound.invoke(prompt).text if how == "invoke" else _joined(bound.stream(prompt))
    assert set(json.loads(text)["ids"]) <= {7}


def _joined(chunks: Iterator[AIMessage]) -> str:
    return "".join(chunk.text for chunk in chunks)


def test_stops_at_a_sequence_and_at_its_limit(model: LlamaChat) -> None:
    counting = "Count from 1 to 9, with a comma between."
    assert "5" not in model.invoke(counting, stop=["5"]).text
    cut = model.invoke(counting, max_tokens=2)
    assert cut.response_metadata["finish_reason"] == "length"


def test_closing_a_stream_frees_the_model_at_once(model: LlamaChat) -> None:
    stream = model.stream("Write a very long poem about the sea.", max_tokens=4000)
    next(stream)
    started = time.monotonic()
    stream.close()  # type: ignore[attr-defined]
    assert not running()
    model.invoke("Hi", max_tokens=1)
    assert time.monotonic() - started < SOON


def test_a_dropped_stream_stops_as_well(model: LlamaChat) -> None:
    for _ in model.stream("Write a very long poem about the sea.", max_tokens=4000):
        break
    assert not running()


async def test_cancelling_a_task_stops_the_model_while_it_reads(model: LlamaChat) -> None:
    task = asyncio.create_task(model.ainvoke(LONG))
    await asyncio.sleep(1)
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while running():
        await asyncio.sleep(0.05)
    assert time.monotonic() - started < SOON


async def test_leaving_an_async_stream_stops_the_model(model: LlamaChat) -> None:
    stream = model.astream("Write a very long poem about the sea.", max_tokens=4000)
    async for _ in stream:
        break
    await stream.aclose()  # type: ignore[attr-defined]
    started = time.monotonic()
    while running():
        await asyncio.sleep(0.05)
    assert time.monotonic() - started < SOON


def test_a_stream_that_nobody_reads_on_locks_nobody_out(model: LlamaChat) -> None:
    paused = model.stream("Name three colours.")
    first = next(paused)
    assert model.invoke("Name three fruits.").text
    assert first.text + _joined(paused)


def test_calls_from_many_threads_take_turns(model: LlamaChat) -> None:
    questions = {"Paris": "France", "Rome": "Italy", "Madrid": "Spain"}
    prompt = "In one word: the capital of {}?"
    with ThreadPoolExecutor(3) as pool:
        replies = pool.map(lambda land: model.invoke(prompt.format(land)), questions.values())
    for capital, reply in zip(questions, replies, strict=True):
        assert capital in reply.text


def test_works_no_longer_than_its_time(model: LlamaChat) -> None:
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"within 0\.5 s; raise RAG_TIMEOUT"):
        model.invoke(LONG, timeout=0.5)
    assert time.monotonic() - started < SOON


async def test_works_no_longer_than_its_time_for_a_task(model: LlamaChat) -> None:
    with pytest.raises(ModelError, match=r"within 0\.5 s; raise RAG_TIMEOUT"):
        await model.ainvoke(LONG, timeout=0.5)


def test_a_prompt_beyond_the_context_is_named_with_its_tokens(model: LlamaChat) -> None:
    with pytest.raises(ModelError, match=r"prompt has 2\d,\d{3} tokens .* at most 8,192; "):
        model.invoke("one two " * 10_000)


def test_a_request_that_it_cannot_follow_is_one_line(model: LlamaChat) -> None:
    schema = {"type": "no such type"}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with pytest.raises(ModelError, match="no such type") as caught:
        model.invoke("Hi", response_format=wanted)
    assert "\n" not in str(caught.value)


def test_counts_by_its_own_tokenizer(model: LlamaChat) -> None:
    assert model.get_num_tokens("hello world") == 2
    assert model.get_num_tokens("") == 0
    assert model.get_num_tokens("2024") == 4


def test_one_file_is_loaded_once(model: LlamaChat, embedded_gguf: Path) -> None:
    other = LlamaChat(weights=lambda: embedded_gguf.resolve())
    with ThreadPoolExecutor(4) as pool:
        engines = set(pool.map(lambda each: each.load(), [model, other] * 4))
    assert len(engines) == 1


def test_nothing_is_loaded_before_it_is_needed() -> None:
    def never() -> Path:
        raise AssertionError("it was asked for")

    assert "embedded" in repr(LlamaChat(weights=never, model_name="embedded"))


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/chat/completions"), ("POST", "/tokenize"), ("GET", "/v1/models"), ("GET", "/")],
)
def test_its_listener_serves_nobody_else(model: LlamaChat, method: str, path: str) -> None:
    address = urlsplit(model.load().address)
    assert address.hostname == "127.0.0.1"
    connection = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=60)
    connection.request(method, path, '{"messages": [], "content": "x"}')
    assert connection.getresponse().status in (401, 404)
    connection.close()


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
        LlamaChat(weights=path).invoke("Hi")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def child(script: str, gguf: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(gguf)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


INTERRUPTED = """
import sys
from pathlib import Path
from rag.models.llama import LlamaChat
model = LlamaChat(weights=Path(sys.argv[1]), timeout=600)
model.invoke("Hi", max_tokens=1)
print("ready", flush=True)
try:
    model.invoke("Tell me more about this. " * 650)
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
import sys
from pathlib import Path
from rag.models.llama import LlamaChat
model = LlamaChat(weights=Path(sys.argv[1]), max_tokens=4000, timeout=600)
stream = model.stream("Write a very long poem about the sea.")
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
    assert 1 <= physical_cores() <= (os.cpu_count() or 1)
