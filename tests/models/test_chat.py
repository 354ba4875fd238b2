"""Settings choose the model, and every failure of it is one clear line."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from chat_servers import (
    ASK,
    IDS,
    ChatRequest,
    break_after,
    chat_server,
    chunk,
    conversation,
    refusing,
    reset,
    settings,
)
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata

from rag.errors import ModelError, SettingsError
from rag.models.chat import chat_model, check_chat_model
from rag.models.choice import OPENAI_DEFAULT, choose, context_budget, model_label, words_answers
from rag.models.conversation import Conversation, json_reply_kwargs
from rag.models.errors import model_errors
from rag.models.replies import Reply
from rag.models.usage import usage_of
from rag.records import Usage

pytestmark = pytest.mark.slow

KEY = "sk-test-0123456789abcdef"
SOON = 20.0
LONG: list[BaseMessage] = [HumanMessage("Tell me more about this. " * 650)]


# --- which model

HERE = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("model", "url", "key", "kind", "name"),
    [
        ("none", "", "", "none", ""),
        ("embedded", "", KEY, "embedded", ""),
        ("embedded", HERE, "", "embedded", ""),
        ("gguf:/models/a.gguf", "", "", "gguf", "/models/a.gguf"),
        ("hf:owner/repo-GGUF/a.q4.gguf", "", "", "hf", "owner/repo-GGUF/a.q4.gguf"),
        ("hf:owner/repo/q4/a.gguf", HERE, KEY, "hf", "owner/repo/q4/a.gguf"),
        ("openai:gpt-4o", "", KEY, "openai", "gpt-4o"),
        ("openai:mine", HERE, "", "openai", "mine"),
        ("gpt-4o", "", KEY, "openai", "gpt-4o"),
        ("mine", HERE, "", "openai", "mine"),
        ("qwen2.5:7b", HERE, "", "openai", "qwen2.5:7b"),
        ("org/model", HERE, "", "openai", "org/model"),
        ("anthropic:claude", "", "", "provider", "anthropic:claude"),
        ("anthropic:claude", HERE, "", "provider", "anthropic:claude"),
        ("", "", "", "none", ""),
        ("", "", KEY, "openai", OPENAI_DEFAULT),
        ("", HERE, "", "served", ""),
        ("", HERE, KEY, "served", ""),
    ],
)
def test_settings_choose_the_model(model: str, url: str, key: str, kind: str, name: str) -> None:
    chosen = choose(settings(model=model, base_url=url, openai_api_key=key or None))
    assert (chosen.kind, chosen.name) == (kind, name)


@pytest.mark.parametrize("model", ["mine", "openai:", "gguf:", "anthropic: "])
def test_a_name_that_says_nothing_is_refused(model: str) -> None:
    with pytest.raises(SettingsError, match=r"RAG_MODEL=.*; give one of"):
        choose(settings(model=model))


@pytest.mark.parametrize(
    "name",
    ["repo/a.gguf", "o/r/a.bin", "o//a.gguf", "../r/a.gguf", "o/r/../a.gguf", "o/r/.gguf"],
)
def test_a_name_that_is_no_file_of_the_hub_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"give it as hf:OWNER/REPO/FILE\.gguf") as caught:
        choose(settings(model=f"hf:{name}"))
    assert f"RAG_MODEL='hf:{name}'" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "tokens", "words"),
    [
        ({}, 3000, False),
        ({"model": "embedded"}, 400, False),
        ({"model": "embedded", "answers": "words"}, 400, True),
        ({"model": "gguf:/a.gguf"}, 1200, True),
        ({"model": "hf:o/r/a.gguf"}, 1200, True),
        ({"base_url": HERE}, 3000, True),
        ({"model": "anthropic:claude"}, 3000, True),
        ({"model": "openai:m", "openai_api_key": KEY}, 3000, True),
        ({"context": 77}, 77, False),
        ({"base_url": HERE, "context": 77, "answers": "quotes"}, 77, False),
    ],
)
def test_what_a_model_is_shown_and_whether_it_words_answers(
    values: dict[str, Any], tokens: int, words: bool
) -> None:
    assert context_budget(settings(**values)) == tokens
    assert words_answers(settings(**values)) == words


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({"model": "none"}, "none (quotes alone)"),
        ({}, "none (quotes alone)"),
        ({"model": "embedded"}, "embedded Qwen2.5-Coder-1.5B-Instruct Q4_K_M"),
        ({"model": "openai:gpt-4o"}, "openai:gpt-4o"),
        ({"model": "hf:o/r/a.gguf"}, "hf:o/r/a.gguf"),
        (
            {"model": "m", "base_url": "http://me:pw@127.0.0.1:1/v1"},
            "openai:m at http://127.0.0.1:1/v1",
        ),
        ({"base_url": HERE}, f"the server's own model at {HERE}"),
    ],
)
def test_a_label_names_the_model_and_no_secret(values: dict[str, str], label: str) -> None:
    assert model_label(settings(**values)) == label


def test_no_model_is_no_model() -> None:
    assert chat_model(settings(model="none")) is None
    assert chat_model(settings()) is None


def test_nothing_is_loaded_or_sent_to_make_one() -> None:
    for values in (
        {"model": "embedded"},
        {"model": "gguf:/absent.gguf"},
        {"model": "hf:o/r/absent.gguf"},
        {"base_url": HERE},
        {"model": "m", "base_url": HERE},
    ):
        assert chat_model(settings(**values)) is not None


def test_a_missing_key_is_named_before_any_request() -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not set"):
        chat_model(settings(model="openai:gpt-4o"))


def test_a_missing_package_is_named_with_its_mend() -> None:
    with pytest.raises(ModelError, match="pip install langchain-anthropic"):
        chat_model(settings(model="anthropic:claude-x"))


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(ModelError, match=r"nobody:x cannot be used: .*; give one of"):
        chat_model(settings(model="nobody:x"))


def test_openai_is_asked_as_the_model_lets_itself_be_asked() -> None:
    thinking: Any = chat_model(settings(model="openai:gpt-6-luna", openai_api_key=KEY))
    assert (thinking.temperature, thinking.reasoning_effort, thinking.max_tokens) == (
        None,
        "none",
        24,
    )
    plain: Any = chat_model(settings(model="openai:gpt-4.1-mini", openai_api_key=KEY))
    assert (plain.temperature, plain.reasoning_effort, plain.max_tokens) == (0.0, None, 24)


# --- a real server


def test_a_real_server_answers_and_counts(llama_chat_url: str) -> None:
    talk = conversation(base_url=llama_chat_url, price="1,10")
    seen = list(talk.stream(ASK))
    assert "Paris" in talk.reply
    assert seen[-1] == talk.reply
    assert all(later.startswith(earlier) for earlier, later in pairwise(seen))
    usage = talk.usage
    assert usage.calls == 1
    assert usage.cost == pytest.approx((usage.prompt_tokens + 10 * usage.completion_tokens) / 1e6)
    assert usage.prompt_tokens > 10


def test_the_servers_own_model_is_asked_for(llama_chat_url: str) -> None:
    model: Any = chat_model(settings(base_url=llama_chat_url))
    assert model.model_name == ""
    assert "Paris" in model.invoke(ASK).text
    assert model.model_name == "qwen"


async def test_langchains_own_calls_work_on_it(llama_chat_url: str) -> None:
    for values in ({"base_url": llama_chat_url}, {"base_url": llama_chat_url, "model": "qwen"}):
        model = chat_model(settings(**values))
        assert model is not None
        assert "Paris" in "".join(chunk.text for chunk in model.stream(ASK))
        assert "Paris" in (await model.ainvoke(ASK)).text
        assert "Paris" in "".join([chunk.text async for chunk in model.astream(ASK)])


def test_a_schema_is_kept_by_a_real_server(llama_chat_url: str) -> None:
    model = chat_model(settings(base_url=llama_chat_url))
    assert model is not None
    options = json_reply_kwargs(model, IDS)
    whole = model.invoke("Reply in JSON with the ids 3 and 4.", **options)
    parts = list(model.stream("Reply in JSON with the ids 3 and 4.", **options))
    for text in (whole.text, "".join(part.text for part in parts)):
        assert set(json.loads(text)["ids"]) <= {7}
    assert sum(part.usage_metadata is not None for part in parts) == 1


def test_a_reply_that_is_cut_off_is_still_a_reply(llama_chat_url: str) -> None:
    talk = conversation(base_url=llama_chat_url, max_tokens=16)
    many = {"type": "array", "items": {"type": "integer"}, "minItems": 50}
    schema = {"type": "object", "properties": {"all": many}, "required": ["all"]}
    count = HumanMessage('Reply in JSON as {"all": [1, 2, 3, ...]} with all numbers up to 99.')
    assert talk.ask([count], schema).startswith("{")
    assert talk.usage.completion_tokens == 16


def test_stop_ends_a_call_that_is_still_reading(llama_chat_url: str) -> None:
    talk, stop = conversation(base_url=llama_chat_url), threading.Event()
    threading.Timer(1, stop.set).start()
    started = time.monotonic()
    assert list(talk.stream(LONG, stop=stop)) == []
    assert "Paris" in conversation(base_url=llama_chat_url).ask(ASK)
    assert time.monotonic() - started < 2 * SOON


def test_what_a_dropped_call_took_is_estimated(embedded_gguf: Path) -> None:
    talk = conversation(model="embedded", max_tokens=400)
    for _ in talk.stream([HumanMessage("Write a long poem about the sea.")]):
        break
    assert talk.usage.calls == 1
    assert talk.usage.prompt_tokens > 5
    assert talk.usage.completion_tokens >= 1


# --- a server with faults


FAULTS: dict[str, tuple[Callable[[ChatRequest], None], str]] = {
    "wrong key": (
        refusing(401, f"Incorrect API key: {KEY}"),
        "refused the key; check OPENAI_API_KEY",
    ),
    "no right": (refusing(403), "check OPENAI_API_KEY and RAG_MODEL"),
    "no model": (refusing(404, "no model m"), r"no model m.*; check RAG_MODEL, and RAG_BASE_URL"),
    "bad request": (
        refusing(400, f"bad\nheader {KEY}"),
        r"refused the request .*; check RAG_MODEL",
    ),
    "too long": (
        refusing(400, "context_length_exceeded"),
        "cannot read a prompt this long; lower RAG_CONTEXT, or choose a model",
    ),
    "quota": (refusing(429, "quota is used up"), r"quota is used up.*; wait, check your quota"),
    "broken": (refusing(500, "out of memory"), r"out of memory.*; try again"),
    "a page": (lambda to: to.send(200, "<html>Hello</html>", "text/html"), "check RAG_BASE_URL"),
    "noise": (lambda to: to.send(200, "data: {{{\n\n", "text/event-stream"), "check RAG_BASE_URL"),
    "reset": (reset, "cannot be reached; check RAG_BASE_URL"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_with_the_setting_to_change(fault: str) -> None:
    play, expected = FAULTS[fault]
    with chat_server(play) as (url, _):
        talk = conversation(model="m", base_url=url, openai_api_key=KEY)
        with pytest.raises(ModelError, match=expected) as caught:
            talk.ask(ASK)
    line = str(caught.value)
    assert line.startswith(f"openai:m at {url} ")
    assert "\n" not in line
    assert KEY not in line
    assert caught.value.__cause__ is not None


def test_a_closed_port_is_named() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
    with pytest.raises(ModelError, match=f"{url} cannot be reached; check RAG_BASE_URL"):
        conversation(base_url=url).ask(ASK)


def test_a_server_that_is_busy_for_a_moment_is_asked_again() -> None:
    def busy_once(to: ChatRequest) -> None:
        if len(to.requests) == 1:
            to.send(429, {"error": {"message": "slow down"}})
        else:
            to.send(200, chunk("Paris") + "data: [DONE]\n\n", "text/event-stream")

    with chat_server(busy_once) as (url, requests):
        assert conversation(model="m", base_url=url).ask(ASK) == "Paris"
    assert len(requests) == 2


@contextmanager
def hanging() -> Iterator[str]:
    """A server that takes requests and says nothing."""
    done = threading.Event()

    def wait(to: ChatRequest) -> None:
        done.wait(120)

    with chat_server(wait) as (url, _):
        yield url
        done.set()


def test_a_server_that_hangs_is_given_up_in_time() -> None:
    started = time.monotonic()
    with hanging() as url:
        for values in ({"model": "m"}, {}):
            talk = conversation(base_url=url, timeout=1.0, **values)
            with pytest.raises(ModelError, match=r"did not answer in time; raise RAG_TIMEOUT"):
                talk.ask(ASK)
    assert time.monotonic() - started < SOON


def test_a_server_that_trickles_is_given_up_in_time() -> None:
    def trickle(to: ChatRequest) -> None:
        to.send_response(200)
        to.send_header("Content-Type", "text/event-stream")
        to.end_headers()
        for _ in range(100):
            to.wfile.write(chunk("a").encode())
            to.wfile.flush()
            time.sleep(0.3)

    with chat_server(trickle) as (url, _):
        talk = conversation(model="m", base_url=url, timeout=1.5)
        with pytest.raises(ModelError, match="did not answer in time"):
            talk.ask(ASK)
    assert talk.reply.startswith("a")


def test_stop_leaves_a_server_that_hangs() -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    started = time.monotonic()
    with hanging() as url:
        assert list(conversation(model="m", base_url=url).stream(ASK, stop=stop)) == []
    assert time.monotonic() - started < SOON


def test_thinking_that_uses_up_the_reply_is_named() -> None:
    def think(to: ChatRequest) -> None:
        to.send(200, chunk("", finish_reason="length") + "data: [DONE]\n\n", "text/event-stream")

    with (
        chat_server(think) as (url, _),
        pytest.raises(ModelError, match="24 tokens before it wrote a word; raise RAG_MAX_TOKENS"),
    ):
        conversation(model="m", base_url=url).ask(ASK)


def test_the_limit_is_sent_under_the_name_that_servers_heed() -> None:
    bodies: list[dict[str, Any]] = []

    def keep(to: ChatRequest) -> None:
        bodies.append(to.body)
        to.send(200, chunk("Paris") + "data: [DONE]\n\n", "text/event-stream")

    with chat_server(keep) as (url, _):
        conversation(model="m", base_url=url).ask(ASK, IDS)
        conversation(model="gpt-6-luna", base_url=url, openai_api_key=KEY).ask(ASK, IDS)
    own, openai = bodies
    assert own["max_tokens"] == openai["max_completion_tokens"] == 24
    assert "max_completion_tokens" not in own
    assert own["temperature"] == 0
    assert "temperature" not in openai
    assert own["response_format"] == openai["response_format"]
    assert own["response_format"]["json_schema"]["schema"] == IDS
    assert own["stream_options"] == {"include_usage": True}


def test_embedding_models_are_passed_over_for_the_servers_own() -> None:
    def several(to: ChatRequest) -> None:
        if to.path == "/v1/models":
            data = [{"id": "text-embedding-x", "object": "model"}, {"id": "m", "object": "model"}]
            to.send(200, {"object": "list", "data": data})
        else:
            to.send(200, chunk(to.body["model"]) + "data: [DONE]\n\n", "text/event-stream")

    with chat_server(several) as (url, requests):
        talk = conversation(base_url=url)
        assert [talk.ask(ASK), talk.ask(ASK)] == ["m", "m"]
    assert requests.count("/v1/models") == 1


@pytest.mark.parametrize("data", [[], None])
def test_a_server_without_models_is_named(data: object) -> None:
    with chat_server(lambda to: to.send(200, {"object": "list", "data": data})) as (url, _):
        talk = conversation(base_url=url)
        with pytest.raises(ModelError, match=f"{url} serves no model; load one there"):
            talk.ask(ASK)


# --- replies that are kept


class Shelf:
    """Replies in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Reply] = {}

    def get(self, key: str) -> Reply | None:
        return self.kept.get(key)

    def put(self, key: str, reply: Reply) -> None:
        self.kept[key] = reply


def keeping(shelf: Shelf, url: str, **values: Any) -> Conversation:
    chosen = settings(**{"model": "m", "base_url": url, "price": "1,10", **values})
    model = chat_model(chosen)
    assert model is not None
    return Conversation(model, chosen, shelf)


def speaking(*words: str) -> Callable[[ChatRequest], None]:
    """Sends the words one by one, and then what was counted."""
    counted = {"prompt_tokens": 7, "completion_tokens": len(words), "total_tokens": 7 + len(words)}
    end = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    text = "".join(map(chunk, words)) + f"data: {json.dumps({**end, 'usage': counted})}\n\n"
    return lambda to: to.send(200, text + "data: [DONE]\n\n", "text/event-stream")


def test_a_kept_reply_comes_at_once_with_its_first_usage() -> None:
    shelf = Shelf()
    with chat_server(speaking("Par", "is")) as (url, requests):
        first = keeping(shelf, url)
        assert (first.ask(ASK, IDS), first.cached) == ("Paris", False)
        again = keeping(shelf, url)
        assert list(again.stream(ASK, IDS)) == ["Paris"]
        assert (again.reply, again.cached, again.usage) == ("Paris", True, first.usage)
        assert again.usage.prompt_tokens == 7
        assert len(requests) == 1
        assert keeping(shelf, url).ask(ASK) == "Paris"
        assert len(requests) == 2


@pytest.mark.parametrize(
    "values", [{"max_tokens": 25}, {"model": "other"}, {"base_url": "here"}], ids=str
)
def test_a_reply_is_kept_for_its_own_model_alone(values: dict[str, Any]) -> None:
    shelf = Shelf()
    with chat_server(speaking("Paris")) as (url, requests):
        keeping(shelf, url).ask(ASK)
        changed = {**values, "base_url": f"{url}/"} if "base_url" in values else values
        keeping(shelf, url, **changed).ask(ASK)
        assert len(requests) == (1 if "base_url" in values else 2)
        keeping(shelf, url).ask([HumanMessage(str(message.text)) for message in ASK])
        assert len(requests) == (2 if "base_url" in values else 3)


def test_a_reply_that_failed_was_cut_or_was_stopped_is_not_kept() -> None:
    shelf, stop = Shelf(), threading.Event()
    with chat_server(break_after("Par")) as (url, _):
        assert keeping(shelf, url).ask(ASK) == "Par"
    with chat_server(refusing(401)) as (url, _), pytest.raises(ModelError):
        keeping(shelf, url).ask(ASK)
    with chat_server(speaking("Par", "is")) as (url, _):
        for _reply in keeping(shelf, url).stream(ASK, stop=stop):
            stop.set()
    assert shelf.kept == {}


def test_a_reply_that_its_reader_left_serves_whoever_leaves_it_there() -> None:
    shelf = Shelf()
    with chat_server(speaking("Par", "is")) as (url, requests):
        for _ in range(2):
            talk = keeping(shelf, url)
            replies = talk.stream(ASK)
            assert next(replies).startswith("Par")
            replies.close()
        assert (talk.cached, len(requests)) == (True, 1)
        left = talk.reply
        talk = keeping(shelf, url)
        seen = list(talk.stream(ASK))
        assert seen[0] == left
        assert (seen[-1], talk.reply) == ("Paris", "Paris")
        assert (talk.cached, talk.usage.calls, len(requests)) == (False, 1, 2)
        assert keeping(shelf, url).ask(ASK) == "Paris"
        assert len(requests) == 2


def test_the_servers_own_model_is_known_before_its_replies_are_sought() -> None:
    shelf, served = Shelf(), ["one"]

    def serve(to: ChatRequest) -> None:
        if to.path == "/v1/models":
            to.send(200, {"object": "list", "data": [{"id": served[0], "object": "model"}]})
        else:
            to.send(200, chunk(to.body["model"]) + "data: [DONE]\n\n", "text/event-stream")

    with chat_server(serve) as (url, _):
        assert keeping(shelf, url, model="").ask(ASK) == "one"
        served[0] = "two"
        assert keeping(shelf, url, model="").ask(ASK) == "two"


# --- what the doctor asks


def test_the_doctor_sees_a_model_without_asking_it(
    embedded_gguf: Path, llama_chat_url: str
) -> None:
    assert check_chat_model(settings(model="none")) == "none (quotes alone)"
    assert check_chat_model(settings(model="embedded")).endswith("Q4_K_M, ready")
    assert check_chat_model(settings(model=f"gguf:{embedded_gguf}")) == f"gguf:{embedded_gguf}"
    own = check_chat_model(settings(base_url=llama_chat_url))
    assert own == f"the server's own model at {llama_chat_url}: qwen, of 1 that it lists"
    named = check_chat_model(settings(base_url=llama_chat_url, model="qwen"))
    assert named == f"openai:qwen at {llama_chat_url}, which its server lists"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"model": "gguf:/absent.gguf"}, "cannot read the model file /absent.gguf"),
        ({"model": "openai:gpt-4o"}, "OPENAI_API_KEY is not set"),
        ({"base_url": HERE}, "cannot be reached; check RAG_BASE_URL"),
    ],
)
def test_the_doctor_names_the_mend(values: dict[str, str], expected: str) -> None:
    with pytest.raises((ModelError, SettingsError), match=expected) as caught:
        check_chat_model(settings(**values))
    assert "; " in str(caught.value)


# --- small pieces


@pytest.mark.parametrize(
    ("price", "free", "cost"),
    [("", False, None), ("", True, 0.0), ("2,8", True, 0.0), ("2.50,10.00", False, 0.0035)],
)
def test_cost_is_known_only_with_a_price(price: str, free: bool, cost: float | None) -> None:
    counted = UsageMetadata(
        input_tokens=1000,
        output_tokens=100,
        total_tokens=1100,
        input_token_details={"cache_read": 800},
    )
    usage = usage_of(AIMessage("x", usage_metadata=counted), price, free)
    assert usage == Usage(1, 1000, 100, 800, cost)


def test_a_reply_without_a_count_has_no_cost() -> None:
    assert usage_of(AIMessage("x"), "1,1") == Usage(calls=1, cost=None)


def test_other_models_are_asked_in_words_alone() -> None:
    assert json_reply_kwargs(FakeListChatModel(responses=["x"]), IDS) == {}


def test_errors_of_embeddings_name_their_own_settings() -> None:
    with (
        pytest.raises(
            ModelError, match=r"^openai:e cannot be reached; check RAG_EMBEDDINGS_BASE_URL"
        ),
        model_errors("openai:e", setting="RAG_EMBEDDINGS"),
    ):
        raise ConnectionRefusedError("refused")
