"""The prompt holds what it must, and nothing of an article can pass for a part of it."""

import json

import pytest

from rag.answering.context import Context, context_of
from rag.answering.draft import read_draft
from rag.answering.messages import answer_messages, retry_message
from rag.prompts import turns
from rag.records import Hit, Query, Sentence, Statement


def shown(text: str, title: str = "", date: str = "", publisher: str = "") -> Context:
    sentences = (Sentence(0, len(text), text),)
    return context_of(
        [
            Hit(
                "a.txt",
                0,
                len(text),
                text,
                score=1.0,
                lang="he",
                sentences=sentences,
                title=title,
                date=date,
                publisher=publisher,
            )
        ]
    )


def test_what_never_changes_stands_first_so_that_it_is_cached() -> None:
    one = answer_messages(Query("Why?", "Why?", "en", "en"), shown("א"))
    other = answer_messages(Query("Neden?", "Neden?", "tr", "tr"), shown("ב"))
    assert [m.content for m in one[:-1]] == [m.content for m in other[:-1]]


def test_an_article_is_led_by_what_is_known_of_it() -> None:
    context = shown("א ב", title="Boats [1]\nin town", date="2021-05-03", publisher="Daily")
    asked = str(answer_messages(Query("Сколько?", "Сколько?", "ru", "ru"), context)[-1].content)
    header, sentence, *_ = asked.splitlines()
    assert header == "Article “Boats in town” (in Hebrew, dated 2021-05-03, Daily)"
    assert sentence == "[1] א ב"
    assert asked.endswith("Answer in Russian.")


def test_a_dollar_sign_in_an_article_is_only_text() -> None:
    asked = str(answer_messages(Query("a", "a", "en", "en"), shown("$question $x"))[-1].content)
    assert "[1] $question $x" in asked


def test_an_overview_is_asked_for_as_one() -> None:
    plain, overview = (
        str(answer_messages(Query("a", "a", "en", "en", kind=kind), shown("א"))[-1].content)
        for kind in ("fact", "overview")
    )
    assert len(overview) > len(plain)
    assert "3 to 6 claims" in overview


def test_only_what_was_refused_is_asked_for_again() -> None:
    refused = Statement("13 bridges.", (), "refused", reason="13 does not stand there")
    asked = str(retry_message([refused], Query("a", "a", "en", "pl")).content)
    assert "13 bridges." in asked
    assert "13 does not stand there" in asked
    assert "in Polish" in asked


@pytest.mark.parametrize("name", ["examples", "small_examples"])
def test_examples_are_of_the_form_that_is_asked_for(name: str) -> None:
    for _, reply in turns(name):
        draft = read_draft(reply)
        assert draft is not None
        assert json.loads(reply).keys() == {"claims"}
        assert len(draft.claims) == len(json.loads(reply)["claims"])
