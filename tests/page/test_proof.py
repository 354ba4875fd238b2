"""The panel under an answer says honestly who made it, from what, and how it was checked."""

import math
from dataclasses import replace

import pytest
from page_html import (
    CITATION,
    HIT,
    HOSTILE,
    OTHER,
    Node,
    abstained,
    answered,
    hostile_turn,
    read_html,
    statement,
    whole,
)

from rag.page.chat.proof import proof
from rag.page.chat.transcript import transcript
from rag.page.chat.turns import Turn
from rag.page.html.words import LANGUAGES, words
from rag.records import Answer, Mode, Statement, Usage


def panel(answer: Answer, lang: str = "en", **changes: object) -> Node:
    return read_html(proof(whole(answer, **changes), words(lang)))


def facts(node: Node) -> dict[str, str]:
    terms = [each.text for each in node.one("dl").all("dt")]
    return dict(zip(terms, [each.text for each in node.one("dl").all("dd")], strict=True))


QUOTED = answered(mode="quoted", usage=Usage())


def test_panel_is_folded_and_named() -> None:
    details = panel(answered()).one("details")
    assert details["class"] == "proof"
    assert "open" not in details.attrs
    assert details.children[0] is details.one("summary")
    assert details.one("summary").text == "How this was checked"


@pytest.mark.parametrize(
    "turn",
    [
        Turn("q"),
        Turn("q", state="stopped", text="So far"),
        Turn("q", state="failed", fault="x"),
        whole(answered("I answer.", mode="small_talk", hits=())),
    ],
)
def test_what_is_not_proved_has_no_panel(turn: Turn) -> None:
    assert proof(turn, words("en")) == ""


@pytest.mark.parametrize(
    ("answer", "origin", "names_model"),
    [
        (answered(), "A model worded the answer.", True),
        (QUOTED, "No model was asked.", False),
        (replace(QUOTED, usage=Usage(2, 900, 40)), "A model was asked, but", True),
        (abstained(), "Nothing that was found seemed to hold the answer.", False),
        (abstained(usage=Usage(1, 900, 9)), "A model read what was found", True),
    ],
)
def test_model_is_named_only_where_it_was_asked(
    answer: Answer, origin: str, names_model: bool
) -> None:
    found = panel(answer)
    assert found.one("details").all("p")[0].text.startswith(origin)
    assert ("some-model" in found.text) == names_model
    assert ("Model asked" in facts(found)) == names_model


def test_tokens_calls_and_seconds_are_told() -> None:
    used = Usage(2, 12345, 67, 11000, 0.002134)
    assert facts(panel(answered(usage=used))) == {
        "Model asked": "some-model",
        "Times it was asked": "2",
        "Tokens read": "12,345",
        "Of these, from the cache": "11,000",
        "Tokens written": "67",
        "Cost": "$0.0021",
        "Seconds": "3.2",
    }


@pytest.mark.parametrize("cost", [0.0, None])
def test_cost_is_told_only_where_there_is_one(cost: float | None) -> None:
    assert "Cost" not in facts(panel(answered(usage=Usage(1, 2, 3, 0, cost))))


def test_figures_follow_the_language_of_the_page() -> None:
    told = facts(panel(answered(usage=Usage(2, 12345, 67)), "tr"))
    assert told["Okunan belirteçler"] == "12.345"
    assert told["Saniye"] == "3,2"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("What did the boat cost?", None),
        ("What did  the boat\ncost?", None),
        ("Who? What did the boat cost?", "Who? What did the boat cost?"),
    ],
)
def test_query_is_told_where_it_differs(query: str, told: str | None) -> None:
    assert facts(panel(answered(query=query))).get("Searched for") == told


def test_filter_is_told() -> None:
    told = facts(panel(answered(), where={"lang": ["he"]}))
    assert told["Limited to"] == "\u2068Hebrew\u2069"


def test_table_has_each_passage_with_its_score_and_marks() -> None:
    second = replace(CITATION, number=2, start=HIT.end - 1, end=HIT.end + 9)
    beyond = replace(CITATION, number=3, start=HIT.end, end=HIT.end + 9)
    found = panel(answered(citations=(CITATION, second, beyond)))
    heads = found.one("thead").all("th")
    assert [each["scope"] for each in heads] == ["col"] * 5
    rows = found.one("tbody").all("tr")
    assert [[cell.text for cell in row.all("td")] for row in rows] == [
        ["1", "Hebrew", "91%", "[1] [2]"],
        ["2", "English", "20%", "not quoted"],
    ]
    assert [row.one("th")["scope"] for row in rows] == ["row", "row"]
    assert [each.text for each in rows[0].all("td")[-1].all("bdi")] == ["[1]", "[2]"]
    for row, hit in zip(rows, (HIT, OTHER), strict=True):
        button = row.one(".passage")
        place = button["data-source"], button["data-start"], button["data-end"]
        assert place == (hit.source, str(hit.start), str(hit.end))
        assert button.text.startswith(hit.title)
        assert {each["lang"] for each in button.all("bdi") if "lang" in each.attrs} == {hit.lang}


def test_table_can_be_scrolled_by_keyboard_and_has_a_name() -> None:
    found = panel(answered())
    area = found.one(".scrolls")
    assert (area["tabindex"], area["role"]) == ("0", "group")
    named = [each for each in found.walk() if each.attrs.get("id") == area["aria-labelledby"]]
    assert [each.text for each in named] == ["Passages found"]
    assert found.one("table")["aria-labelledby"] == area["aria-labelledby"]


def test_nothing_found_is_said() -> None:
    assert "No passages were found." in panel(abstained(hits=())).text
    assert not panel(abstained(hits=())).all("table")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_figures_that_are_none_are_dashes(value: float) -> None:
    answer = answered(
        hits=(replace(HIT, score=value),), seconds=value, usage=Usage(1, 2, 3, 0, value)
    )
    assert facts(panel(answer))["Seconds"] == facts(panel(answer))["Cost"] == "–"
    assert panel(answer).one("tbody").all("td")[2].text == "–"


def test_each_sentence_has_its_status() -> None:
    first, second = "The boat cost 3 shekels.", "It sank in 1999."
    refused = Statement(second, (), "refused", reason="1999 is not in what it cites")
    answer = answered(statements=(statement(first, (1,), "checked"), refused))
    shown, not_shown = panel(answer).one(".statements").all("li")
    assert shown["class"] == "checked"
    assert [p.text for p in shown.all("p")] == [
        first,
        "Worded by a model. Its figures, dates and names were found in: [1]",
    ]
    assert not_shown["class"] == "refused"
    text, why = not_shown.all("p")
    assert text.text == second
    assert why.text == (
        "Not shown in the answer. A model wrote it and the check refused it: "
        "1999 is not in what it cites"
    )
    assert why.one("bdi")["lang"] == "en"


def test_a_sentence_without_particulars_says_that_none_was_checked() -> None:
    text = "The boat was lovely."
    answer = answered(text, statements=(statement(text, (1,), "unchecked"),))
    shown = panel(answer).one(".unchecked")
    assert "no figure, date or name that code could check" in shown.text


@pytest.mark.parametrize("mode", ["quoted", "generated"])
def test_a_model_that_failed_is_told_in_the_readers_words(mode: Mode) -> None:
    turn = whole(answered(mode=mode, notice="openai:x refused the key; check OPENAI_API_KEY"))
    shown = read_html(transcript((turn,), words("pl"))).one(".note")
    assert shown.text == words("pl")("turn.model_failed")
    assert "OPENAI" not in transcript((turn,), words("pl"))


def test_quoted_sentence_keeps_the_quote_in_its_own_direction() -> None:
    hebrew = "הסירה עלתה 3 שקלים."
    text = f"The article says: “{hebrew}”"
    answer = answered(
        text, citations=(replace(CITATION, quote=hebrew),), mode="quoted", usage=Usage(),
        statements=(statement(text, (1,), "quoted"),),
    )  # fmt: skip
    said, status = panel(answer).one(".quoted").all("p")
    assert (said.text, said["dir"], said["lang"]) == (text, "ltr", "en")
    assert (said.one("bdi").text, said.one("bdi")["dir"]) == (hebrew, "rtl")
    assert status.text == "Quotes the article's own words: [1]"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_panel_is_in_the_language_of_the_page(lang: str) -> None:
    say = words(lang)
    found = panel(answered(), lang)
    assert found.one("summary").text == say("proof.summary")
    assert found.one("thead").all("th")[3].text == say("proof.score")
    assert say("proof.not_cited") in found.text


@pytest.mark.parametrize("mode", ["generated", "quoted", "abstained"])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_of_others_is_never_markup(hostile: str, mode: str) -> None:
    def hostile_panel(text: str) -> Node:
        return read_html(proof(hostile_turn(text, "whole", mode), words("en")))

    assert hostile_panel(hostile).skeleton == hostile_panel("plain words").skeleton
    told = facts(hostile_panel(hostile))
    assert told["Model asked"] == hostile
    assert told["Searched for"] == f"{hostile} {hostile}"
    assert hostile_panel(hostile).one(".refused").text.count(hostile) == 2
