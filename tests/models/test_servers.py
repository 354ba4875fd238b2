"""Chat and embedding servers as they really are: real HTTP on this machine, and odd replies."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_servers import (
    ASK,
    DONE,
    IDS,
    STREAM,
    ChatRequest,
    Play,
    break_after,
    chat_server,
    chunk,
    close_after,
    conversation,
    listing,
    recorded,
    reset,
    settings,
    speak,
)
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from rag.embedding.cache import VectorCache
from rag.embedding.embedder import Embedder, embedder
from rag.errors import ModelError
from rag.models.chat import chat_model, check_chat_model
from rag.models.conversation import Conversation
from rag.models.listing import read_list
from rag.models.options import fitted, forget_servers, next_drop
from rag.models.thoughts import without_thoughts
from rag.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Nothing is known of any server; ports come again."""
    forget_servers()
    yield
    forget_servers()


# --- options that a server refuses


def refuses(where: Callable[[dict[str, Any]], bool], message: str, status: int = 400) -> Play:
    def play(to: ChatRequest) -> None:
        if where(to.body):
            to.send(status, {"error": {"message": message}})
        else:
            speak(to, chunk("Paris"))

    return play


def holds(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda body: name in body


def has_system(body: dict[str, Any]) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


def wants(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda body: body.get("response_format", {}).get("type") == kind


REFUSALS: dict[str, tuple[Play, int]] = {
    "any format": (refuses(holds("response_format"), "response_format is unavailable"), 3),
    "a schema": (refuses(wants("json_schema"), "use json_object instead of json_schema"), 2),
    "usage": (refuses(holds("stream_options"), "extra field stream_options", 422), 2),
    "temperature": (refuses(holds("temperature"), "temperature must be left out"), 2),
    "limit": (refuses(holds("max_tokens"), "max_tokens is unknown; max_completion_tokens"), 2),
    "system": (refuses(has_system, "System role not supported"), 2),
    "alternation": (refuses(has_system, "Conversation roles must alternate", 500), 2),
    "stream": (refuses(lambda body: body["stream"], "streaming is not supported"), 2),
    "no name": (refuses(wants("json_schema"), "bad request"), 3),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_a_server_refuses_is_left_out_and_remembered(refusal: str) -> None:
    play, calls = REFUSALS[refusal]
    with recorded(play) as (url, bodies):
        talk = conversation(model="m", base_url=url)
        assert (talk.ask(ASK, IDS), talk.finished) == ("Paris", True)
        assert len(bodies) == calls
        other = conversation(model="m", base_url=url)
        assert other.ask(ASK, IDS) == "Paris"
        assert bodies[-1] == bodies[-2]
        assert len(bodies) == calls + 1
        assert conversation(model="n", base_url=url).ask(ASK, IDS) == "Paris"
        assert len(bodies) == 2 * calls + 1


def test_all_that_a_server_refuses_is_left_out_at_once_the_next_time() -> None:
    def strict(to: ChatRequest) -> None:
        unknown = set(to.body) - {"model", "messages", "stream"}
        if unknown:
            to.send(422, {"detail": [{"loc": ["body", name]} for name in sorted(unknown)]})
        else:
            speak(to, chunk("Paris"))

    with recorded(strict) as (url, bodies):
        assert conversation(model="m", base_url=url).ask(ASK, IDS) == "Paris"
        first = len(bodies)
        assert conversation(model="m", base_url=url).ask(ASK, IDS) == "Paris"
    assert len(bodies) == first + 1
    assert first <= 9


def test_a_refusal_of_something_else_is_told_and_not_remembered() -> None:
    play = refuses(lambda body: body["messages"][-1]["content"] == "No.", "cannot do that")
    with recorded(play) as (url, bodies):
        talk = conversation(model="m", base_url=url)
        with pytest.raises(ModelError, match=r"refused the request .*cannot do that"):
            talk.ask([HumanMessage("No.")], IDS)
        assert len(bodies) <= 9
        assert talk.ask(ASK, IDS) == "Paris"
    assert {"temperature", "max_tokens", "response_format"} <= bodies[-1].keys()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "This model's maximum context length is 512 tokens; lower max_tokens"),
        (400, "the model `m` does not exist; response_format"),
        (429, "Too many max_tokens in one minute"),
        (401, "temperature"),
    ],
)
def test_options_are_kept_where_they_are_not_to_blame(status: int, message: str) -> None:
    refuse_all = refuses(lambda body: True, message, status)
    with recorded(refuse_all) as (url, bodies), pytest.raises(ModelError):
        conversation(model="m", base_url=url).ask(ASK, IDS)
    assert all(body == bodies[0] for body in bodies)


def test_the_first_turn_takes_the_systems_text() -> None:
    turns = [("system", "Be brief."), ("user", "A"), ("assistant", "B"), ("user", "C")]
    body = {"messages": [{"role": role, "content": text} for role, text in turns]}
    told = fitted(body, ("system",))["messages"]
    assert [each["content"] for each in told] == ["Be brief.\n\nA", "B", "C"]
    assert [each["role"] for each in told] == ["user", "assistant", "user"]
    assert fitted({"messages": told}, ("system",)) == {"messages": told}


def test_effort_is_dropped_when_the_server_names_it() -> None:
    body = {"reasoning_effort": "none", "temperature": 0}
    assert next_drop(body, (), 400, "'reasoning_effort' does not support 'none'") == "effort"
    assert fitted(body, ("effort",)) == {"temperature": 0}
    assert next_drop({}, (), 400, "'reasoning_effort'") is None


# --- what a server sends in place of a stream, and how a reply ends


def body_of(text: str, reason: str = "stop") -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    return {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}


def test_a_reply_in_one_body_is_read_without_a_second_call() -> None:
    with recorded(lambda to: to.send(200, body_of("Paris"))) as (url, bodies):
        talk = conversation(model="m", base_url=url)
        assert (talk.ask(ASK), talk.finished) == ("Paris", True)
    assert (talk.usage.calls, talk.usage.prompt_tokens, talk.usage.completion_tokens) == (1, 7, 2)
    assert len(bodies) == 1


ENDS: dict[str, tuple[Play, bool]] = {
    "stop": (lambda to: speak(to, chunk("Par"), chunk("", finish_reason="stop")), True),
    "no reason": (lambda to: speak(to, chunk("Par")), True),
    "no mark": (lambda to: to.send(200, chunk("Par", finish_reason="stop"), STREAM), True),
    "length": (lambda to: speak(to, chunk("Par", finish_reason="length")), False),
    "filter": (lambda to: speak(to, chunk("Par", finish_reason="content_filter")), False),
    "body": (lambda to: to.send(200, body_of("Par", "length")), False),
    "closed": (close_after("Par"), False),
    "broken": (break_after("Par"), False),
}


@pytest.mark.parametrize("end", ENDS)
def test_how_a_reply_ended_is_told(end: str) -> None:
    play, finished = ENDS[end]
    with chat_server(play) as (url, _):
        talk = conversation(model="m", base_url=url)
        assert (talk.ask(ASK), talk.finished) == ("Par", finished)


def error_in_stream(to: ChatRequest) -> None:
    speak(to, chunk("Par"), 'data: {"error": {"message": "out of memory"}}\n\n')


ODD: dict[str, tuple[Play, str]] = {
    "error": (lambda to: to.send(200, {"error": "Unexpected endpoint"}), "Unexpected endpoint"),
    "page": (lambda to: to.send(200, "<!doctype html><p>Hi", "text/html"), "a web page"),
    "text": (lambda to: to.send(200, "Hello", "text/plain"), "Hello"),
    "nothing": (lambda to: to.send(200, "", STREAM), "nothing"),
    "list": (lambda to: to.send(200, [1]), "1"),
    "no choices": (lambda to: to.send(200, {"object": "error"}), "no choices"),
    "null choices": (lambda to: to.send(200, {"choices": None}), "no choices"),
    "noise": (lambda to: to.send(200, "data: {{\n\n", STREAM), "a stream with"),
    "no word": (close_after(""), "before a word"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("path", ["/v1", ""])
def test_what_is_no_reply_names_the_url(odd: str, path: str) -> None:
    play, told = ODD[odd]
    with chat_server(play) as (url, _), pytest.raises(ModelError, match=told) as caught:
        conversation(model="m", base_url=url.removesuffix("/v1") + path).ask(ASK)
    line = str(caught.value)
    assert "check RAG_BASE_URL, which mostly ends in /v1, and RAG_MODEL" in line
    assert "\n" not in line


def test_an_error_in_the_middle_of_a_stream_is_told() -> None:
    with chat_server(error_in_stream) as (url, _):
        talk = conversation(model="m", base_url=url)
        with pytest.raises(ModelError, match=r"failed \(out of memory\); try again"):
            talk.ask(ASK)
    assert (talk.reply, talk.finished) == ("Par", False)


def test_a_filter_that_leaves_no_word_is_named() -> None:
    def withhold(to: ChatRequest) -> None:
        speak(to, chunk("", finish_reason="content_filter"))

    with chat_server(withhold) as (url, _), pytest.raises(ModelError, match="withheld its reply"):
        conversation(model="m", base_url=url).ask(ASK)


@pytest.mark.parametrize("counts", [[(9, 1), (9, 2), (9, 3)], [(0, 0), (0, 0), (9, 3)], [(9, 3)]])
def test_of_a_running_count_the_last_is_what_was_used(counts: list[tuple[int, int]]) -> None:
    usages = [{"prompt_tokens": prompt, "completion_tokens": done} for prompt, done in counts]
    events = [json.loads(chunk("a").removeprefix("data: ")) | {"usage": each} for each in usages]
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    with chat_server(lambda to: speak(to, text)) as (url, _):
        talk = conversation(model="m", base_url=url, price="1,10")
        talk.ask(ASK)
    assert (talk.usage.prompt_tokens, talk.usage.completion_tokens) == (9, 3)
    assert talk.usage.cost == pytest.approx(39e-6)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Paris"}]},
        {"content": "Paris", "reasoning_content": "{"},
        {"content": "Paris", "role": None},
    ],
)
def test_the_text_of_a_chunk_is_found_among_its_parts(delta: dict[str, Any]) -> None:
    play = lambda to: speak(to, chunk(None), chunk(delta=delta), chunk(delta=None))  # noqa: E731
    with chat_server(play) as (url, _):
        assert conversation(model="m", base_url=url).ask(ASK) == "Paris"


def test_a_line_break_of_unicode_ends_no_event() -> None:
    event = json.loads(chunk("a\u2028b\x85c").removeprefix("data: "))
    raw = f": ping\n\nevent: x\ndata: {json.dumps(event, ensure_ascii=False)}\r\n"
    with chat_server(lambda to: to.send(200, raw + "\r\n" + DONE, STREAM)) as (url, _):
        assert conversation(model="m", base_url=url).ask(ASK) == "a\u2028b\x85c"


# --- thoughts

THOUGHT = 'If none tells, I reply {"claims": []}. [1] does.'
REPLY = '{"claims": [1]}'
THOUGHTS = [
    f"<think>\n{THOUGHT}\n</think>\n\n{REPLY}",
    f"\n<thinking>{THOUGHT}</thinking>{REPLY}",
    f"<think></think><think>{THOUGHT}</think>{REPLY}",
    f"[THINK]{THOUGHT}[/THINK]{REPLY}",
    f"So. {THOUGHT}\n</think>\n{REPLY}",
]


@pytest.mark.parametrize("text", THOUGHTS)
def test_a_thought_is_no_part_of_the_reply_at_any_time(text: str) -> None:
    pieces = [chunk(text[i : i + 3]) for i in range(0, len(text), 3)]
    with chat_server(lambda to: speak(to, *pieces)) as (url, _):
        talk = conversation(model="m", base_url=url)
        seen = list(talk.stream(ASK, IDS))
    assert talk.reply == REPLY
    assert all(REPLY.startswith(each) for each in seen)


@pytest.mark.parametrize("text", ["<think>I cannot", "  <thinking>", "<THINK>a</thin"])
def test_a_thought_that_never_ends_is_no_reply(text: str) -> None:
    assert without_thoughts(text) == ""


@pytest.mark.parametrize(
    "text", ["a <think> b", '{"text": "ends in </think>"}', "<b>x</b>", " x", "```</think>```", ""]
)
def test_what_only_looks_like_a_thought_stays(text: str) -> None:
    assert without_thoughts(text) == text


def test_words_before_json_are_shown_with_it_once_it_is_whole() -> None:
    with chat_server(lambda to: speak(to, *map(chunk, ("Here: ", "{", "}")))) as (url, _):
        talk = conversation(model="m", base_url=url)
        assert list(talk.stream(ASK, IDS)) == ["Here: {}"]
        assert list(talk.stream(ASK))[-1] == "Here: {}"


# --- a busy server


def busy(wait: str, times: int) -> Play:
    def play(to: ChatRequest) -> None:
        if len(to.requests) > times:
            return speak(to, chunk("Paris"))
        to.send_response(429)
        to.send_header("Retry-After", wait)
        to.send_header("Content-Length", "0")
        return to.end_headers()

    return play


def test_a_server_that_is_busy_for_too_long_is_not_waited_for() -> None:
    started = time.monotonic()
    with chat_server(busy("59", 9)) as (url, requests):
        talk = conversation(model="m", base_url=url, timeout=20.0)
        with pytest.raises(ModelError, match=r"takes no more requests now \(retry after 59 s"):
            talk.ask(ASK)
    assert time.monotonic() - started < 10
    assert len(requests) == 1


def test_too_many_tokens_in_a_minute_are_no_prompt_that_is_too_long() -> None:
    play = refuses(lambda body: True, "Too many tokens; max_tokens counts", 429)
    with (
        chat_server(play) as (url, _),
        pytest.raises(ModelError, match="takes no more requests now"),
    ):
        conversation(model="m", base_url=url).ask(ASK)


@pytest.mark.parametrize("status", [400, 409, 413, 418, 422])
def test_any_other_status_is_a_refusal(status: int) -> None:
    play, told = refuses(lambda body: True, "no", status), r"refused the request .*check RAG_MODEL"
    with chat_server(play) as (url, _), pytest.raises(ModelError, match=told):
        conversation(model="m", base_url=url).ask(ASK)


def test_a_server_that_is_busy_for_a_moment_is_waited_for() -> None:
    started = time.monotonic()
    with chat_server(busy("1", 1)) as (url, requests):
        assert conversation(model="m", base_url=url, timeout=20.0).ask(ASK) == "Paris"
    assert time.monotonic() - started >= 1
    assert len(requests) == 2


def test_a_connection_that_is_lost_at_first_is_tried_again() -> None:
    def lose(to: ChatRequest) -> None:
        reset(to) if len(to.requests) == 1 else speak(to, chunk("Paris"))

    with chat_server(lose) as (url, requests):
        assert conversation(model="m", base_url=url).ask(ASK) == "Paris"
    assert len(requests) == 2


# --- which model, and where


@pytest.mark.parametrize(
    "name",
    ["nomic-embed-text", "bge-m3", "BAAI/bge-reranker-v2", "e5-mistral", "all-MiniLM-L6", "tts-1",
     "whisper-1", "jina-clip-v2", "multilingual-e5-small", "stable-diffusion", "rerank-v3"],
)  # fmt: skip
def test_models_that_write_no_text_are_passed_over(name: str) -> None:
    with chat_server(listing(name, "mini-chat")) as (url, _):
        assert conversation(base_url=url).ask(ASK) == "mini-chat"
        assert ": mini-chat, of 2 that it lists" in check_chat_model(settings(base_url=url))


@pytest.mark.parametrize("name", ["qwen3:8b", "gemma-3-27b-it", "eclipse-7b", "mistral", "gpt-oss"])
def test_models_that_write_are_not_passed_over(name: str) -> None:
    found = read_list({"data": [{"id": name}, {"id": "other", "type": "embedding"}]}, "")
    assert found is not None
    assert found.writers == (name,)


def test_the_next_of_the_list_is_asked_where_the_first_does_not_chat() -> None:
    with recorded(listing("odd-a", "odd-b", "mini", refused="odd")) as (url, bodies):
        talk = conversation(base_url=url)
        assert [talk.ask(ASK), talk.ask(ASK)] == ["mini", "mini"]
        assert [body["model"] for body in bodies] == ["odd-a", "odd-b", "mini", "mini"]
        with pytest.raises(ModelError, match="does not support chat"):
            conversation(base_url=url, model="odd-a").ask(ASK)


def test_a_url_without_its_version_is_mended_and_the_doctor_says_so() -> None:
    with chat_server(listing("mini")) as (url, requests):
        bare = url.removesuffix("/v1")
        for values in ({}, {"model": "mini"}, {}):
            assert conversation(base_url=bare, **values).ask(ASK) == "mini"
        assert requests.count("/models") + requests.count("/chat/completions") == 1
        told = check_chat_model(settings(base_url=bare))
        assert told.endswith(f"mini, of 1 that it lists, found at {url}")


def test_a_url_without_its_version_is_mended_for_a_named_model_too() -> None:
    with chat_server(listing("mini")) as (url, requests):
        talk = conversation(base_url=url.removesuffix("/v1"), model="mini")
        assert [talk.ask(ASK), talk.ask(ASK)] == ["mini", "mini"]
    assert requests == ["/chat/completions", *["/v1/chat/completions"] * 2]


@pytest.mark.parametrize("body", [{"error": "Unexpected endpoint"}, {"detail": "?"}, 7, "<html>"])
def test_what_is_no_list_of_models_names_the_url(body: object) -> None:
    expected = r"no list of models there\); check RAG_BASE_URL, which mostly ends in /v1"
    with chat_server(lambda to: to.send(200, body)) as (url, _):
        with pytest.raises(ModelError, match=expected):
            conversation(base_url=url).ask(ASK)
        with pytest.raises(ModelError, match=expected):
            check_chat_model(settings(base_url=url))


def test_a_models_other_provider_says_how_its_reply_ended() -> None:
    from scripted import ScriptedChat

    talk = Conversation(ScriptedChat(replies=["Paris"]), settings())
    assert (talk.ask(ASK).strip(), talk.finished) == ("Paris", True)


async def test_langchains_other_calls_learn_the_model_and_the_address() -> None:
    def either(to: ChatRequest) -> None:
        if to.path == "/v1/chat/completions" and not to.body.get("stream"):
            to.send(200, {**body_of(to.body["model"]), "id": "1", "model": "m", "created": 1})
        else:
            listing("mini")(to)

    with chat_server(either) as (url, _):
        model = chat_model(settings(base_url=url.removesuffix("/v1")))
        assert model is not None
        assert model.invoke(ASK).text == "mini"
        assert (await model.ainvoke(ASK)).text == "mini"
        assert "".join(part.text for part in model.stream(ASK)) == "mini"


def test_every_role_of_a_conversation_is_sent() -> None:
    with recorded(lambda to: speak(to, chunk("Paris"))) as (url, bodies):
        turns = [SystemMessage("s"), HumanMessage("u"), AIMessage("a"), HumanMessage("v")]
        conversation(model="m", base_url=url).ask(turns)
    assert [(m["role"], m["content"]) for m in bodies[0]["messages"]] == [
        ("system", "s"), ("user", "u"), ("assistant", "a"), ("user", "v")
    ]  # fmt: skip


# --- embeddings

Rows = list[dict[str, Any]]


def embedding(change: Callable[[Rows], Any] = lambda rows: rows, most: int = 99) -> Play:
    """A server whose vectors tell the length of the text, and what it makes of them."""

    def play(to: ChatRequest) -> None:
        texts = to.body["input"]
        rows = [{"index": i, "embedding": [1.0, len(t)]} for i, t in enumerate(texts)]
        if len(texts) > most:
            to.send(400, {"error": {"message": f"batch size is over {most}"}})
        else:
            to.send(200, {"data": change(rows)})

    return play


@contextmanager
def embedding_with(play: Play, folder: Path, path: str = "/v1") -> Iterator[tuple[Embedder, Any]]:
    with recorded(play) as (url, bodies):
        base = url.removesuffix("/v1") + path
        chosen = Settings.read(embeddings="openai:tiny", embeddings_base_url=base, timeout=20.0)
        cache = VectorCache(folder / "v.sqlite")
        yield embedder(chosen, cache), bodies
        cache.close()


def lengths(vectors: np.ndarray[Any, np.dtype[np.float32]]) -> list[int]:
    return [round(float(vector[1] / vector[0])) for vector in vectors]


TEXTS = ["a" * n for n in range(1, 41)]


@pytest.mark.parametrize(
    "change", [lambda rows: rows, lambda rows: rows[::-1],
               lambda rows: [{"embedding": row["embedding"]} for row in rows],
               lambda rows: [row | {"index": 0} for row in rows]],
)  # fmt: skip
def test_each_text_has_its_own_vector_in_whatever_order(
    change: Callable[[Rows], Rows], tmp_path: Path
) -> None:
    with embedding_with(embedding(change), tmp_path) as (model, _):
        assert lengths(model.passages(TEXTS, ["en"] * 40)) == list(range(1, 41))


def spoilt(value: object) -> Callable[[Rows], Rows]:
    return lambda rows: [row | {"embedding": value} if row["index"] == 1 else row for row in rows]


SPOILT: dict[str, tuple[Callable[[Rows], Any], str]] = {
    "fewer": (lambda rows: rows[:-1], "2 vectors for 3 texts"),
    "none": (lambda rows: [], "0 vectors for 3 texts"),
    "null": (spoilt(None), "a vector that is"),
    "nan": (spoilt([float("nan"), 1.0]), "not finite"),
    "huge": (spoilt([1e300, 1.0]), "not finite"),
    "zero": (spoilt([0.0, 0.0]), "a vector that is zero"),
    "empty": (spoilt([]), "a vector that is none"),
    "words": (spoilt(["a", "b"]), "a vector that is none"),
    "nested": (spoilt([[1.0, 2.0]]), "a vector that is none"),
    "longer": (spoilt([1.0, 2.0, 3.0]), "vectors of 2 and of 3 numbers"),
    "null list": (lambda rows: None, "no list of vectors"),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_vector_that_is_none_is_refused_and_none_is_kept(fault: str, tmp_path: Path) -> None:
    change, told = SPOILT[fault]
    with embedding_with(embedding(change), tmp_path) as (model, bodies):
        for _ in range(2):
            with pytest.raises(ModelError, match=told) as caught:
                model.passages(["a", "bb", "ccc"], ["en"] * 3)
        assert [len(body["input"]) for body in bodies] == [3, 3]
    line = str(caught.value)
    assert line.startswith("openai:tiny@http://127.0.0.1:")
    assert line.endswith("RAG_EMBEDDINGS")
    assert "\n" not in line


def test_a_server_that_mends_itself_is_asked_again(tmp_path: Path) -> None:
    faults = [[0.0, 0.0]]

    def once(rows: Rows) -> Rows:
        return spoilt(faults.pop())(rows) if faults else rows

    with embedding_with(embedding(once), tmp_path) as (model, _):
        with pytest.raises(ModelError, match="a vector that is zero"):
            model.passages(["a", "bb"], ["en"] * 2)
        assert lengths(model.passages(["a", "bb"], ["en"] * 2)) == [1, 2]


@pytest.mark.parametrize("most", [1, 3, 10, 31])
def test_a_batch_is_halved_until_the_server_takes_it(most: int, tmp_path: Path) -> None:
    with embedding_with(embedding(most=most), tmp_path) as (model, bodies):
        assert lengths(model.passages(TEXTS, ["en"] * 40)) == list(range(1, 41))
        sizes = [len(body["input"]) for body in bodies]
        refused = [size for size in sizes if size > most]
        assert refused == [32 >> n for n in range(len(refused))]
        more = [f"b{n:02}" for n in range(40)]
        model.passages(more, ["en"] * 40)
        assert max(len(body["input"]) for body in bodies[len(sizes) :]) <= most


def test_a_single_text_that_is_refused_is_told(tmp_path: Path) -> None:
    with (
        embedding_with(embedding(most=0), tmp_path) as (model, bodies),
        pytest.raises(ModelError, match=r"refused the request .*; check RAG_EMBEDDINGS"),
    ):
        model.passages(TEXTS[:4], ["en"] * 4)
    assert [len(body["input"]) for body in bodies] == [4, 2, 1]


def test_the_version_is_found_for_embeddings_too(tmp_path: Path) -> None:
    def versioned(to: ChatRequest) -> None:
        embedding()(to) if to.path == "/v1/embeddings" else to.send(404, "no such page")

    with embedding_with(versioned, tmp_path, path="") as (model, bodies):
        assert lengths(model.passages(TEXTS, ["en"] * 40)) == list(range(1, 41))
    assert len(bodies) == 3


def test_packed_vectors_are_read(tmp_path: Path) -> None:
    import base64

    def packed(rows: Rows) -> Rows:
        data = [np.array(row["embedding"], "<f4").tobytes() for row in rows]
        return [{"index": i, "embedding": base64.b64encode(d).decode()} for i, d in enumerate(data)]

    with embedding_with(embedding(packed), tmp_path) as (model, _):
        assert lengths(model.passages(["a", "bb"], ["en"] * 2)) == [1, 2]


def test_vectors_of_two_lengths_are_never_compared(tmp_path: Path) -> None:
    asked: list[int] = []

    def growing(rows: Rows) -> Rows:
        asked.append(len(rows))
        return [row | {"embedding": [1.0] * (1 + len(asked))} for row in rows]

    with (
        embedding_with(embedding(growing), tmp_path) as (model, _),
        pytest.raises(ModelError, match=r"vectors of 2 and of 3 numbers; check RAG_EMBEDDINGS"),
    ):
        model.passages(TEXTS, ["en"] * 40)


def test_a_busy_embedding_server_is_not_waited_for_too_long(tmp_path: Path) -> None:
    started = time.monotonic()
    with (
        embedding_with(busy("59", 9), tmp_path) as (model, _),
        pytest.raises(ModelError, match=r"takes no more requests now \(retry after 59 s"),
    ):
        model.question("When?", "en")
    assert time.monotonic() - started < 10
