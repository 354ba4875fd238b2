"""The prompt holds what it must, and replies are read leniently."""

import json

import pytest

from rag.answer import MAX_CLAIMS, Claim, Draft, language_name, read_draft, reader_messages
from rag.errors import RagError
from rag.evidence import Evidence
from rag.prompts import abstention, fill, framed_languages, quote_frame, turns
from rag.records import Hit, Query, Sentence

LANGUAGES = ("en", "tr", "he", "ar", "pl", "ru", "kk", "zh", "de", "fr", "es")


def shown(text: str) -> list[Evidence]:
    hit = Hit("a.txt", 0, len(text), text, 1.0, "he")
    return [Evidence(1, Sentence(0, len(text), text), hit, 1.0)]


def test_what_never_changes_stands_first_so_that_it_is_cached() -> None:
    one = reader_messages(Query("Why?", "Why?", "en", "en"), shown("א"))
    other = reader_messages(Query("Neden?", "Neden?", "tr", "tr"), shown("ב"))
    assert [m.content for m in one[:-1]] == [m.content for m in other[:-1]]


def test_figures_are_written_in_the_language_of_the_answer() -> None:
    query = Query("Сколько?", "Сколько?", "ru", "ru")
    asked = str(reader_messages(query, shown("41 מיליארד דולר"))[-1].content)
    assert "(figures: 41 миллиард)" in asked
    assert "Answer in Russian." in asked


def test_a_dollar_sign_in_an_article_is_only_text() -> None:
    asked = str(reader_messages(Query("a", "a", "en", "en"), shown("$question $x"))[-1].content)
    assert "[1] $question $x" in asked


@pytest.mark.parametrize(
    ("reply", "draft"),
    [
        ('{"claims": []}', Draft(())),
        ('```json\n{"claims": []}\n```', Draft(())),
        ('Here: {"claims": [{"ids": [1, 1], "text": "a"}]}', Draft((Claim((1,), "a"),))),
        ('{"claims": [{"ids": ["1", 2.5, true, 3], "text": "a"}]}', Draft((Claim((3,), "a"),))),
        ('{"claims": [{"ids": 1, "text": "a"}, 7, null]}', Draft(())),
        ('{"claims": [{"ids": [1], "text": "half a sen', Draft((Claim((1,), "half a sen"),))),
    ],
)
def test_reads_a_reply(reply: str, draft: Draft) -> None:
    assert read_draft(reply) == draft


@pytest.mark.parametrize("reply", ["", "no", "[]", "{", '{"claims": 1}', '{"x": []}', "7"])
def test_a_reply_of_another_form_is_none(reply: str) -> None:
    assert read_draft(reply) is None


def test_claims_beyond_the_most_are_left_out() -> None:
    reply = '{"claims": [' + ",".join(['{"ids": [1], "text": "a"}'] * 20) + "]}"
    draft = read_draft(reply)
    assert draft is not None
    assert len(draft.claims) == MAX_CLAIMS


@pytest.mark.parametrize("lang", LANGUAGES)
def test_frames_exist_for_each_promised_language(lang: str) -> None:
    assert lang in framed_languages()
    assert "42" in quote_frame("42", lang)
    assert lang == "en" or abstention(lang) != abstention("en")


def test_a_missing_value_of_a_prompt_is_an_error() -> None:
    with pytest.raises(RagError, match="retry"):
        fill("retry", language="English")


def test_examples_are_of_the_form_that_is_asked_for() -> None:
    for _, reply in turns("examples"):
        draft = read_draft(reply)
        assert draft is not None
        assert json.loads(reply).keys() == {"claims"}
        assert len(draft.claims) == len(json.loads(reply)["claims"])


def test_languages_have_english_names() -> None:
    assert (language_name("kk"), language_name("qqq")) == ("Kazakh", "qqq")
