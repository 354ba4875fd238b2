"""What programs may call, through Gradio's own client."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import gradio_client  # type: ignore[import-untyped]
import huggingface_hub.constants
import pytest
from scripted_rag import DOCUMENT, QUOTE, ScriptedRag

from evals.browsing import serving
from rag.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> ScriptedRag:
    folder = tmp_path_factory.mktemp("corpus")
    return ScriptedRag(Settings.read(corpus=folder, store=folder / "store"))


@pytest.fixture(scope="module")
def url(engine: ScriptedRag) -> Iterator[str]:
    with serving(engine) as url:
        yield url


@pytest.fixture
def client(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Gradio's own client, kept from calling its makers."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    client = gradio_client.Client(url, verbose=False, analytics_enabled=False)
    yield client
    client.close()


def test_endpoints_are_named_and_documented(url: str) -> None:
    with urllib.request.urlopen(f"{url}/gradio_api/info") as reply:
        told = json.load(reply)
    assert set(told["named_endpoints"]) == {
        "/ask",
        "/search",
        "/articles",
        "/article",
        "/translate",
    }
    assert all(len(each["description"]) > 40 for each in told["named_endpoints"].values())
    assert told["unnamed_endpoints"] == {}


def test_ask_gives_the_answer_as_json(client: Any) -> None:
    answer = client.predict("How long?", api_name="/ask")
    assert answer["citations"][0]["quote"] == QUOTE
    assert answer["abstained"] is False


def test_ask_takes_language_filter_and_history(client: Any, engine: ScriptedRag) -> None:
    client.predict(
        "And then?",
        where={"lang": ["he"]},
        history=[["How long?", "3 hours"]],
        api_name="/ask",
    )
    assert engine.filters["And then?"] == {"lang": ["he"]}
    assert engine.histories["And then?"] == [["How long?", "3 hours"]]


def test_article_is_given_whole(client: Any) -> None:
    assert client.predict(DOCUMENT.source, api_name="/article")["text"] == DOCUMENT.text
    (listed,) = client.predict(api_name="/articles")
    assert listed == {
        "source": DOCUMENT.source, "title": DOCUMENT.title, "lang": "he",
        "date": DOCUMENT.date, "publisher": "", "characters": len(DOCUMENT.text),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("call", "arguments", "line"),
    [
        ("/ask", {"question": "fail"}, "does not answer; start it"),
        ("/ask", {"question": " "}, "the question is empty"),
        ("/ask", {"question": "a", "history": [["b"]]}, "history holds a list; give"),
        ("/article", {"source": "no.txt"}, "there is no article 'no.txt'; /articles lists them"),
        ("/translate", {"text": "Hallo", "lang": "de", "to": "?"}, "'?'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    client: Any, call: str, arguments: dict[str, Any], line: str
) -> None:
    with pytest.raises(gradio_client.exceptions.AppError) as fault:
        client.predict(**arguments, api_name=call)
    assert line in str(fault.value)
