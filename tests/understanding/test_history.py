"""Earlier turns are taken in every form that chat programs keep them in, and cost little."""

import sys
import unicodedata
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

import rag
from rag.engine import Rag
from rag.errors import InputError
from rag.records import Answer
from rag.settings import Settings
from rag.understanding.history import KEPT_TURNS, MAX_QUESTION, cut, read_history

TURNS = (("Who built the mill?", "Ewa Lis did."), ("And the bridge?", "Nobody says."))
ROLES = ("user", "assistant")
SYSTEM = {"role": "system", "content": "Be brief."}
ANSWER = Answer("Ewa Lis did.", (), False, "en", ())


def role_dicts(*, parts: bool = False) -> list[dict[str, Any]]:
    said = [(role, text) for turn in TURNS for role, text in zip(ROLES, turn, strict=True)]
    return [
        {"role": role, "content": [{"type": "text", "text": text}] if parts else text}
        for role, text in said
    ]


FORMS: dict[str, Any] = {
    "pairs": list(TURNS),
    "lists": [list(turn) for turn in TURNS],
    "tuple": TURNS,
    "deque": deque(TURNS),
    "answers of ours": [("Who built the mill?", ANSWER), TURNS[1]],
    "OpenAI": [SYSTEM, *role_dicts()],
    "OpenAI's newer role": [{"role": "developer", "content": "Be brief."}, *role_dicts()],
    "Gradio": [message | {"metadata": None, "options": []} for message in role_dicts()],
    "parts": role_dicts(parts=True),
    "human and ai": [
        ("system", "Be brief."),
        ("human", "Who built the mill?"),
        ("ai", "Ewa Lis did."),
        ["human", "And the bridge?"],
        ["ai", "Nobody says."],
    ],
    "LangChain": [
        SystemMessage("Be brief."),
        HumanMessage("Who built the mill?"),
        AIMessage("", tool_calls=[{"name": "search", "args": {}, "id": "1"}]),
        ToolMessage("three passages", tool_call_id="1"),
        AIMessageChunk(content="Ewa Lis did."),
        HumanMessage([{"type": "text", "text": "And the bridge?"}]),
        ChatMessage(content="Nobody says.", role="assistant"),
    ],
    "mixed": [
        ("system", "Be brief."),
        ("Who built the mill?", "Ewa Lis did."),
        HumanMessage("And the bridge?"),
        {"role": "tool", "content": "nothing", "tool_call_id": "1"},
        ("ai", "Nobody says."),
    ],
}


@pytest.mark.parametrize("history", FORMS.values(), ids=FORMS.keys())
def test_every_form_gives_the_same_turns(history: Any) -> None:
    assert read_history(history) == TURNS


@pytest.mark.parametrize("history", [None, (), [], [SYSTEM], [("ai", "Hello!"), ("user", "")]])
def test_nothing_said_is_no_turn_with_words(history: Any) -> None:
    assert not [words for turn in read_history(history) for words in turn if words]


def test_a_question_without_an_answer_has_an_empty_one() -> None:
    asked: list[Any] = [("user", "One?"), HumanMessage("Two?"), ("Three?", None), ("Four?", "")]
    assert read_history(asked) == tuple(
        (f"{word}?", "") for word in ["One", "Two", "Three", "Four"]
    )


def test_an_answer_in_several_messages_is_one() -> None:
    said = [("user", "Who?"), ("ai", "Let me look."), ("tool", "1 hit"), ("ai", "Ewa Lis did.")]
    assert read_history(said) == (("Who?", "Let me look.\nEwa Lis did."),)


def test_what_is_said_before_any_question_is_passed_over() -> None:
    assert read_history([(None, "Welcome!"), *TURNS]) == TURNS
    assert read_history([{"role": "assistant", "content": "Welcome!"}, *TURNS]) == TURNS


def test_a_role_is_a_question_where_no_user_speaks() -> None:
    assert read_history([("ai", "AI is …"), ("model", "A model is …")]) == (
        ("ai", "AI is …"),
        ("model", "A model is …"),
    )
    assert read_history([("user", "ai"), ("ai", "AI is …")]) == (("ai", "AI is …"),)
    assert read_history([("User", "A user is …")]) == (("User", "A user is …"),)


def test_images_and_files_say_nothing() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts = [{"type": "text", "text": "What is"}, image, "this?"]
    assert read_history([{"role": "user", "content": parts}]) == (("What is\nthis?", ""),)
    assert read_history([{"role": "user", "content": {"path": "/tmp/a.png"}}]) == (("", ""),)


# --- what is refused


@pytest.mark.parametrize(
    ("history", "named"),
    [
        ("ab", "history is the text 'ab'"),
        (b"ab", "history is a bytes"),
        ({"role": "user", "content": "hi"}, "history is a dict"),
        (7, "history is a int"),
        (iter(TURNS), "history is a tuple_iterator"),
        (["ab", "cd"], "history holds the text 'ab'"),
        (("Who?", "Ewa."), "history holds the text 'Who?'"),
        ([("one", "two", "three")], "history holds a tuple"),
        ([("one",)], "history holds a tuple"),
        ([None], "history holds a NoneType"),
        ([{"question": "Who?"}], "history holds a dict"),
        ([{"role": "user"}], "history holds a dict"),
        ([{"role": "wizard", "content": "hi"}], "a message of the role the text 'wizard'"),
        ([{"role": 3, "content": "hi"}], "a message of the role a int"),
        ([("Who?", 3)], "history holds a int where a text belongs"),
        ([(HumanMessage("Who?"), "Ewa.")], "history holds a HumanMessage where a text belongs"),
        ([tuple(role_dicts()[:2])], "history holds a dict where a text belongs"),
        ("x" * 10**7, "history is the text 'xxxxxxxx"),
    ],
)
def test_anything_else_is_refused_in_one_line(history: Any, named: str) -> None:
    with pytest.raises(InputError) as refused:
        read_history(history)
    line = str(refused.value)
    assert named in line
    assert "(question, answer) pairs" in line
    assert "\n" not in line
    assert len(line) < 250


# --- what is kept


def test_the_last_turns_are_kept() -> None:
    turns = tuple((f"Question {number}?", "Yes.") for number in range(9))
    assert read_history(turns) == turns[-KEPT_TURNS:]


def test_a_text_is_cut_at_a_word() -> None:
    ((question, answer),) = read_history([("When was it? " * 500, "word " * 10_000)])
    assert MAX_QUESTION - 20 < len(question) <= MAX_QUESTION
    assert question.endswith((" it?", " was", " When"))
    assert len(answer) == MAX_QUESTION - 1
    assert set(answer.split()) == {"word"}


@pytest.mark.parametrize(
    "letter",
    ["e\u0301", "ש\u05c1\u05b8", "👩\u200d👩\u200d👧", "🇵🇱", "👍🏽", "ที่", "각", "क्षि"],
)
def test_no_letter_is_torn(letter: str) -> None:
    whole = cut("ab" + letter * MAX_QUESTION).removeprefix("ab")
    assert MAX_QUESTION - 2 - len(letter) <= len(whole) <= MAX_QUESTION - 2
    assert not whole.replace(letter, "")


@pytest.mark.parametrize("length", [MAX_QUESTION - 1, MAX_QUESTION, MAX_QUESTION + 1])
def test_only_what_is_too_long_is_cut(length: int) -> None:
    assert cut("語" * length) == "語" * min(length, MAX_QUESTION)


def test_what_is_no_text_is_removed() -> None:
    said = "Who\0 built\x1b\ud83d it\x85\udfff?\nand\twhen\u200c \u202b?"
    assert read_history([(said, "")]) == (("Who built it?\nand\twhen\u200c \u202b?", ""),)
    assert cut("\0" * 10**6 + "late") == ""


@settings(deadline=None)
@given(
    st.text(st.sampled_from("aé\u0301語 \0\ud800👩\u200d🇵🇱\n"), max_size=60), st.integers(1, 200)
)
def test_every_cut_text_is_short_and_a_beginning(piece: str, times: int) -> None:
    text = piece * times
    short = cut(text)
    kept = [char for char in text if unicodedata.category(char) not in ("Cc", "Cs") or char == "\n"]
    assert len(short) <= MAX_QUESTION
    assert "".join(kept).strip().startswith(short)


# --- what it costs


class Watched(str):
    """A text that can only be sliced short, as long as one of 15 MB is."""

    def __getitem__(self, part: Any) -> str:
        assert part.stop <= 2 * MAX_QUESTION
        return str(super().__getitem__(part))

    def _refuse(self, *_: object) -> Any:
        raise AssertionError("all of it was read")

    __iter__ = strip = translate = _refuse


LONG = Watched("When was the old mill by the river built? " * 360_000)


def test_of_a_text_of_any_length_only_the_beginning_is_read() -> None:
    assert len(LONG) > 15_000_000
    part = [{"type": "text", "text": LONG}] * 1_000_000
    for history in ([(LONG, LONG)], [{"role": "user", "content": part}, ("ai", LONG)]):
        ((question, answer),) = read_history(history)
        assert MAX_QUESTION - 50 < len(question) <= MAX_QUESTION
        assert MAX_QUESTION - 50 < len(answer) <= MAX_QUESTION


class Counted(list[Any]):
    """A list that tells how many of its entries were looked at."""

    looked = 0

    def __reversed__(self) -> Iterator[Any]:
        for entry in super().__reversed__():
            self.looked += 1
            yield entry

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("all entries were looked at")


@pytest.mark.parametrize("entry", [("Who?", "Ewa."), SYSTEM, {"role": "user", "content": "Who?"}])
def test_of_a_million_entries_only_the_last_are_looked_at(entry: Any) -> None:
    history = Counted([entry] * 1_000_000)
    assert len(read_history(history)) in (0, KEPT_TURNS)
    assert history.looked <= 64


def test_content_of_any_depth_is_read_one_deep() -> None:
    deep: Any = "deep"
    for _ in range(10 * sys.getrecursionlimit()):
        deep = [deep] if isinstance(deep, dict) else {"text": deep}
    history = [{"role": "user", "content": [deep, {"type": "text", "text": "Who?"}]}]
    assert read_history(history) == (("Who?", ""),)


# --- in a conversation


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    corpus: Path = tmp_path_factory.mktemp("corpus")
    (corpus / "mill.txt").write_text("Młyn nad rzeką zbudowano w 1871 roku.", "utf-8")
    chosen = Settings.read(model="none", embeddings="e5", corpus=corpus)
    with rag.open(tmp_path_factory.mktemp("store"), chosen) as engine:
        yield engine


def test_a_long_earlier_question_is_searched_as_its_beginning(engine: Rag) -> None:
    asked = "And by whom?"
    long, short = (engine.ask(asked, [(text, LONG)]) for text in (LONG, cut(LONG)))
    assert long.query == short.query
    assert long.hits == short.hits
    assert len(long.query) <= MAX_QUESTION + 1 + len(asked)


@pytest.mark.parametrize(
    "history",
    [
        [{"role": "user", "content": "When was the mill by the river built?"}],
        [HumanMessage("When was the mill by the river built?"), AIMessage("In 1871. [1]")],
    ],
)
def test_a_follow_up_leans_on_a_message(engine: Rag, history: Any) -> None:
    answer = engine.ask("And by whom?", history)
    assert answer.query == "When was the mill by the river built? And by whom?"
