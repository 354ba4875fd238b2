"""What code can tell of a question: its kind, its parts, and whether a model should be asked."""

import pytest

from rag.parts import Parts
from rag.understanding.by_model import MOST_SEARCHES
from rag.understanding.question import to_query
from rag.understanding.question_kinds import wanted
from rag.understanding.understand import by_code, wants_model
from training.exemplars import own_rows


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is the article on bees about?", "overview"),
        ("Streść artykuł o pszczołach", "overview"),
        ("Compare the two articles on trade.", "overview"),
        ("summarise the news", "digest"),
        ("מה כתוב בכתבות, בקיצור?", "digest"),
        ("How many articles are there?", "corpus"),
        ("Which languages are the articles in?", "corpus"),
        ("Мақалалардың ең ескісі қайсы?", "corpus"),
        ("记事有几篇文章？", "corpus"),
        ("Who built the bridge?", "fact"),
        ("What does the article on bees say about honey prices?", "fact"),
        ("What is the oldest bridge in Riga?", "fact"),
        ("Compare the rainfall of the north and the south.", "fact"),
    ],
)
def test_code_tells_what_is_wanted(question: str, kind: str, parts: Parts) -> None:
    assert by_code(to_query(question), parts).kind == kind


@pytest.mark.slow
def test_at_most_one_in_two_hundred_questions_for_facts_is_taken_for_another(parts: Parts) -> None:
    rows = list(own_rows("questions"))
    queries = [to_query(row["question"]) for row in rows]
    assert queries
    facts = [wanted(query, parts.embedder) for query in queries]
    taken = [kind for kind in facts if kind not in ("fact", "comparison")]
    assert len(taken) <= len(queries) / 200
    asked = [query for query in queries if wants_model(query, parts)]
    assert len(asked) <= len(queries) / 10


def test_a_model_is_asked_where_a_question_may_be_no_plain_one(parts: Parts) -> None:
    def asks(question: str, history: object = ()) -> bool:
        return wants_model(by_code(to_query(question, history), parts), parts)

    assert not asks("Who built the bridge?")
    assert not asks("How many articles are there?", [("Who built it?", "Ada Stone.")])
    assert asks("Compare the rainfall of the north and the south.")
    assert asks("What is the article on bees about?")
    assert asks("When was it opened? Who built it?")
    assert asks("And who built it?", [("When was the bridge opened?", "In 1903.")])


def test_a_text_of_several_questions_is_searched_question_by_question(parts: Parts) -> None:
    query = by_code(to_query("I saw the bridge in Riga. When was it opened? Who built it?"), parts)
    first, second = query.searches
    assert first == "I saw the bridge in Riga. When was it opened?"
    assert "bridge in Riga" in second
    assert second.endswith("Who built it?")
    assert query.text == query.question


def test_at_most_three_questions_are_searched_and_one_is_not_split(parts: Parts) -> None:
    many = by_code(to_query("如何开始？谁参加了？在哪里？花了多少钱？"), parts)
    assert len(many.searches) == MOST_SEARCHES
    assert by_code(to_query("When was it opened and how long is it?"), parts).searches == ()
    assert by_code(to_query("Hm. Who built it?"), parts).searches == ()
