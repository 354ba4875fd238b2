"""The corpus works as a LangChain retriever and as a runnable whose message cites."""

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda

import rag
from rag.engine import Rag
from rag.errors import InputError
from rag.records import Answer, Citation, Statement, Usage
from rag.settings import Settings

TEXTS = {
    "kopru.txt": "Orlen köprüsü 1987 yılında açıldı.\r\n\r\nKöprü taştandır.",
    "namal.txt": "הנמל נסגר בשנת 1990.",
    "most.txt": "Most w Orlen zbudowano z kamienia.",
}
QUESTION = "When was the Orlen bridge opened?"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    folder = tmp_path_factory.mktemp("langchain")
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / name).write_bytes(text.encode())
    settings = Settings.read(model="none", corpus=folder / "corpus")
    with rag.open(folder / "store", settings) as engine:
        engine.ingest()
        yield engine


def annotations(message: AIMessage) -> list[dict[str, Any]]:
    (block,) = message.content_blocks
    assert block["type"] == "text"
    return [dict(each) for each in block["annotations"]]


def assert_cites(message: AIMessage) -> None:
    found = annotations(message)
    assert found
    for each in found:
        assert each["type"] == "citation"
        assert message.text[each["start_index"] : each["end_index"]] == "[1]"
        extras = each["extras"]
        stored = TEXTS[extras["source"]]
        assert each["cited_text"] == stored[extras["start"] : extras["end"]]
        assert extras["status"] == "exact"


def assert_slices(documents: list[Document]) -> None:
    for each in documents:
        text = TEXTS[each.metadata["source"]]
        assert text[each.metadata["start"] : each.metadata["end"]] == each.page_content
        assert each.id == f"{each.metadata['source']}:{each.metadata['start']}"


def test_retrieves_k_documents_with_their_offsets(engine: Rag) -> None:
    documents = engine.as_retriever(k=2).invoke(QUESTION)
    assert len(documents) == 2
    assert documents[0].metadata["lang"] == "tr"
    assert documents[0].metadata["score"] >= documents[1].metadata["score"]
    assert_slices(documents)


def test_k_and_filter_can_be_given_at_the_call(engine: Rag) -> None:
    retriever = engine.as_retriever()
    assert len(retriever.invoke(QUESTION)) == 4
    assert len(retriever.invoke(QUESTION, k=1)) == 1
    hebrew = retriever.invoke(QUESTION, filter={"lang": "he"})
    assert [each.metadata["source"] for each in hebrew] == ["namal.txt"]
    narrow = engine.as_retriever(where={"source": ["most.txt", "namal.txt"]})
    assert len(narrow.invoke(QUESTION)) == 2
    assert len(narrow.invoke(QUESTION, filter={"source": "most.txt"})) == 1


@pytest.mark.parametrize(
    ("given", "sources"),
    [
        ({"lang": {"$in": ["he", "tr"]}}, {"namal.txt", "kopru.txt"}),
        ({"lang": {"$eq": "he"}}, {"namal.txt"}),
        ({"$and": [{"lang": ["tr", "he"]}, {"source": {"$in": ["namal.txt"]}}]}, {"namal.txt"}),
        ({"date": {"$gte": "2024-01-01"}}, set()),
        ({"$and": [{"date": {"$gte": "2024-01-01"}}, {"date": {"$lt": "2025-01-01"}}]}, set()),
        ({"lang": "xx"}, set()),
        ({}, {"kopru.txt", "namal.txt", "most.txt"}),
    ],
)
def test_filters_in_the_form_of_chroma_are_taken(
    engine: Rag, given: dict[str, Any], sources: set[str]
) -> None:
    for found in (
        engine.as_retriever().invoke(QUESTION, filter=given),
        engine.as_retriever(where=given).invoke(QUESTION),
    ):
        assert {each.metadata["source"] for each in found} == sources


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"city": "Orlen"}, "cannot filter by 'city'"),
        ({"$or": [{"lang": "he"}, {"lang": "tr"}]}, r"cannot filter by '\$or'"),
        ({"lang": {"$ne": "he"}}, "cannot filter lang"),
        ({"date": {"$gte": "soon"}}, "'soon' is not a date"),
        ({"$and": [{"lang": "he"}, {"lang": "tr"}]}, "two things of lang"),
        ({"$and": ["lang"]}, "'lang' is not a dict"),
    ],
)
def test_a_filter_that_means_nothing_is_an_error(
    engine: Rag, given: dict[str, Any], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        engine.as_retriever().invoke(QUESTION, filter=given)


async def test_the_retriever_works_in_an_event_loop(engine: Rag) -> None:
    assert_slices(await engine.as_retriever(k=3).ainvoke(QUESTION))


@pytest.mark.parametrize("asked", [QUESTION, {"question": QUESTION, "k": 3, "language": "en"}])
def test_answers_a_text_or_a_dict(engine: Rag, asked: str | dict[str, Any]) -> None:
    message = engine.as_runnable().invoke(asked)
    assert "1987" in message.text
    assert_cites(message)
    assert message.response_metadata["rag"]["mode"] == "quoted"
    assert message.response_metadata["model_name"]


async def test_answers_in_an_event_loop(engine: Rag) -> None:
    assert_cites(await engine.as_runnable().ainvoke({"question": QUESTION}))


def test_a_filter_that_leaves_no_passage_is_an_abstention(engine: Rag) -> None:
    message = engine.as_runnable().invoke({"question": QUESTION, "where": {"lang": "xx"}})
    assert message.response_metadata["rag"]["abstained"]


def test_answers_a_batch(engine: Rag) -> None:
    for message in engine.as_runnable().batch([QUESTION, {"question": "מתי נסגר הנמל?"}]):
        assert_cites(message)


def test_streams(engine: Rag) -> None:
    *_, last = engine.as_runnable().stream(QUESTION)
    assert_cites(last)


async def test_streams_in_an_event_loop(engine: Rag) -> None:
    messages = [message async for message in engine.as_runnable().astream(QUESTION)]
    assert_cites(messages[-1])


def test_stands_in_a_chain(engine: Rag) -> None:
    chain = RunnableLambda(str.strip) | engine.as_runnable() | StrOutputParser()
    assert "1987" in chain.invoke(f"  {QUESTION} ")


@pytest.mark.parametrize("asked", [{}, {"question": QUESTION, "temperature": 1}, 7])
def test_arguments_that_do_not_exist_are_bad_input(engine: Rag, asked: Any) -> None:
    with pytest.raises(InputError, match="question"):
        engine.as_runnable().invoke(asked)


def test_every_mark_is_annotated_and_none_is_mistaken_for_another() -> None:
    from rag.langchain import to_message

    citations = tuple(
        Citation(number, f"{number}.txt", 0, 2, f"q{number}") for number in range(1, 12)
    )
    marks = "".join(f"[{number}]" for number in range(1, 12))
    # The article's own "[2]" is no mark.
    one, two = "One “of [2]”.", "Two."
    text = f"{one} {marks} {two} [1][11]"
    statements = (
        Statement(one, tuple(range(1, 12)), "quoted", 0, len(one)),
        Statement("Three.", (), "refused"),
        Statement(two, (1, 11), "checked", text.index(two), text.index(two) + len(two)),
    )
    answer = Answer(text, citations, False, "en", (), Usage(1, 20, 5), statements=statements)
    message = to_message(answer)
    spans = [
        (message.text[each["start_index"] : each["end_index"]], each["cited_text"])
        for each in annotations(message)
    ]
    assert sorted(spans) == sorted(
        [(f"[{n}]", f"q{n}") for n in range(1, 12)] + [("[1]", "q1"), ("[11]", "q11")]
    )
    starts = [each["start_index"] for each in annotations(message)]
    assert starts == sorted(starts)
    assert message.usage_metadata == {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25}


def test_an_abstention_cites_nothing() -> None:
    from rag.langchain import to_message

    message = to_message(Answer("The articles do not say.", (), True, "en", ()))
    assert message.text == "The articles do not say."
    assert annotations(message) == []
