"""The tutorials' chatbot answers from the same articles and models, and is measured alike."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from filled_store import filled_store
from scripted import ScriptedChat

from evals import run_folder
from evals.run import main
from evals.tutorial import CHUNK, NEAREST, PROMPT, Tutorial, answer, says_nothing
from rag.engine import Rag
from rag.errors import InputError
from rag.records import AnswerEvent, CallEvent, Hit, HitsEvent, Usage
from rag.settings import Settings

pytestmark = pytest.mark.slow

HARBOUR = "Der Umsatz des Hafens stieg um 12 Prozent auf 3 Milliarden Euro."
ARTICLES = {
    "harbour.txt": "\n\n".join(
        [*(f"Am Steg {n} in Lindau lagen {n * 7} Boote." for n in range(120)), HARBOUR]
    ),
    "school.txt": "Szkoła w Brzegu ma 640 uczniów.\n\nJej dyrektorką jest Anna Kowalska.",
}
QUESTION = "How many pupils does the school in Brzeg have?"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return filled_store(tmp_path_factory.mktemp("tutorial"), ARTICLES)


@pytest.fixture
def product(store: Settings) -> Iterator[Rag]:
    """The product with a scripted chat model in the place of its own."""
    named = {"model": "openai:scripted", "base_url": "http://127.0.0.1:9/v1"}
    with Rag(store.model_copy(update=named)) as engine:
        engine.parts.chat_model = ScriptedChat(replies=[])
        yield engine


def script(product: Rag, *replies: str) -> ScriptedChat:
    model = ScriptedChat(replies=list(replies))
    product.parts.chat_model = model
    return model


def test_finds_the_chunk_and_cites_what_it_marked(product: Rag) -> None:
    model = script(product, "The school has 640 pupils [1][9].")
    with Tutorial(product) as tutorial:
        hits, call, last = tutorial.stream(QUESTION, [("Who is Anna?", "The head.")])
    assert isinstance(hits, HitsEvent)
    assert isinstance(call, CallEvent)
    assert isinstance(last, AnswerEvent)
    (citation,) = last.answer.citations
    assert citation.source == "school.txt"
    assert ARTICLES["school.txt"][citation.start : citation.end] == citation.quote
    assert (last.answer.abstained, last.answer.language) == (False, "en")
    roles, said = zip(*call.prompt, strict=True)
    assert roles == ("system", "human", "ai", "human")
    assert said[0].startswith(PROMPT + "[1] ")
    assert said[1:] == ("Who is Anna?", "The head.", QUESTION)
    assert len(model.asked) == 1


def test_chunks_are_those_of_tutorials(product: Rag) -> None:
    with Tutorial(product) as tutorial:
        hits = tutorial.search("Hafen")
    assert len(hits) == NEAREST
    assert max(len(hit.text) for hit in hits) <= CHUNK
    assert all(hit.text == ARTICLES[hit.source][hit.start : hit.end] for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_two_tutorials_do_not_share_their_chunks(product: Rag) -> None:
    for _ in range(2):
        with Tutorial(product) as tutorial:
            hits = tutorial.search("school", 100)
        assert len({(hit.source, hit.start) for hit in hits}) == len(hits)


def test_without_a_chat_model_one_line_says_so(store: Settings) -> None:
    with Rag(store) as engine, pytest.raises(InputError, match=r"needs a chat model .*--model"):
        Tutorial(engine)


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "The context does not mention who signed it.",
        "Bu bilgi metinde yer almıyor, bilmiyorum.",
        "אין מידע על כך בטקסט.",
        "לא מוזכר בהקשר.",
        "لا أعرف.",
        "لم يُذكر ذلك في النص.",
        "Nie wiem.",
        "W tekście nie podano tej liczby.",
        "Я не знаю.",
        "В тексте нет информации об этом.",
        "Я не знаю, про це в тексті немає інформації.",
        "Білмеймін.",
        "我不知道。",
        "文中没有提到这一点。",
        "Das weiß ich nicht.",
        "Im Text wird das nicht erwähnt.",
        "Je ne sais pas.",
        "No lo sé.",
        "Non lo so.",
        "わかりません。",
        "मुझे नहीं पता।",
        "نمی‌دانم.",
        "  ",
    ],
)
def test_sees_in_each_language_that_it_is_not_known(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "It has 640 pupils [1].",
        "Szkoła ma 640 uczniów. Nie wiem, ilu jest nauczycieli.",
        "学校有640名学生。",
        "В школе 640 учеников.",
        "המחזור עלה ב-12 אחוזים.",
        "بلغ عدد التلاميذ 640.",
        "Okulda 640 öğrenci var.",
    ],
)
def test_an_answer_is_no_abstention(text: str) -> None:
    assert not says_nothing(text)


def test_an_abstention_cites_nothing() -> None:
    hit = Hit("a.txt", 0, 4, "Text", score=1.0, lang="en")
    given = answer("I don't know [1].", [hit], "en", Usage())
    assert (given.abstained, given.mode, given.citations) == (True, "abstained", ())


def test_both_systems_are_run_by_one_command_and_a_rerun_asks_no_model(
    product: Rag,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(run_folder, "evals_folder", lambda: tmp_path / "installed")
    proof = [{"source": "school.txt", "quote": "Szkoła w Brzegu ma 640 uczniów."}]
    row = {"id": "one", "lang": "en", "kind": "figure", "group": "g", "question": QUESTION}
    rest = {"evidence": proof, "must": [["640"]], "must_not": []}
    file = tmp_path / "questions.jsonl"
    file.write_text(json.dumps(row | rest) + "\n", encoding="utf-8")
    arguments = ["--questions", str(file), "--system", "tutorial", "--system", "rag"]
    draft = json.dumps({"claims": [{"ids": [1], "text": "The school has 640 pupils."}]})
    model = script(product, "The school has 640 pupils [1].", draft, draft)
    assert main([*arguments, "--out", str(tmp_path / "a")], engine=product) == 0
    printed = capsys.readouterr().out
    assert "tutorial" in printed
    assert "right in language" in printed
    asked = len(model.asked)
    assert asked >= 2
    assert main([*arguments, "--out", str(tmp_path / "b")], engine=product) == 0
    assert len(model.asked) == asked
    for system in ("tutorial", "rag"):
        first, again = (
            json.loads((tmp_path / name / system / "results.jsonl").read_text("utf-8"))
            for name in "ab"
        )
        assert first["answer"]["text"] == again["answer"]["text"]
        assert {call["cached"] for call in first["calls"]} == {False}
        assert {call["cached"] for call in again["calls"]} == {True}
    measured = json.loads((tmp_path / "b" / "tutorial" / "summary.json").read_text("utf-8"))
    assert measured["seconds"]["n"] == 0
    assert measured["figures"]["facts_right"]["mean"] == 1.0
