"""Whatever a model replies, a citation is a span of the stored article."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.cite import cite, cited, settled_text
from rag.answering.context import Context, Excerpt
from rag.answering.draft import Claim, Draft, read_draft
from rag.records import Hit, Query, Sentence
from rag.retrieval.sentence_selection import Evidence

ARTICLE = (
    "İstanbul'da 12 köprü var.\r\nשָׁלוֹם, אמר המנהל ב-2019.\n"
    "بَلَغَ العدد ٣٤ ألفًا.\nZo\u0308e płaci 1.234,56 zł. 价值410亿美元。"
)
QUERY = Query("How many?", "How many?", "en", "en")


def evidence() -> list[Evidence]:
    spans = [m.span() for m in re.finditer(r"[^\r\n]+", ARTICLE)]
    hit = Hit("a.txt", 0, len(ARTICLE), ARTICLE, score=0.5, lang="tr")
    return [
        Evidence(i, Sentence(a, b, ARTICLE[a:b]), hit, 0.5) for i, (a, b) in enumerate(spans, 1)
    ]


def context(shown: Sequence[Evidence] = ()) -> Context:
    """The evidence as a model is shown it."""
    given = tuple(shown or evidence())
    return Context((Excerpt(given[0].hit, given),))


claims = st.lists(
    st.builds(
        Claim,
        ids=st.lists(st.integers(-2, 9), max_size=4).map(tuple),
        text=st.one_of(
            st.text(max_size=60),
            st.sampled_from(["12 bridges", "in 2019", "[3] 34 thousand", "41 billion", "99"]),
        ),
    ),
    max_size=4,
)


@settings(deadline=None)  # names of a language are read when it is first met
@given(claims)
def test_every_quote_is_the_article_at_its_offsets(drafted: list[Claim]) -> None:
    checked = cite(Draft(tuple(drafted)), context(), QUERY)
    for citation in checked.citations:
        assert ARTICLE[citation.start : citation.end] == citation.quote
    assert [c.number for c in checked.citations] == list(range(1, len(checked.citations) + 1))


@settings(deadline=None)  # names of a language are read when it is first met
@given(claims)
def test_every_mark_of_ours_has_its_citation(drafted: list[Claim]) -> None:
    checked = cite(Draft(tuple(drafted)), context(), QUERY)
    marks = {int(n) for n in re.findall(r"\[([0-9]+)\]", checked.text)}
    assert marks == {citation.number for citation in checked.citations}


@settings(deadline=None)  # names of a language are read when it is first met
@given(claims)
def test_each_claim_is_shown_or_told_of_as_refused(drafted: list[Claim]) -> None:
    checked = cite(Draft(tuple(drafted)), context(), QUERY)
    for each in checked.statements:
        assert (each.status == "refused") == bool(each.reason) == (not each.marks)
        assert each.status == "refused" or checked.text[each.start : each.end] == each.text


@settings(deadline=None)
@given(claims, st.data())
def test_a_stream_cut_anywhere_shows_no_claim_that_the_end_refuses(
    drafted: list[Claim], data: st.DataObject
) -> None:
    reply = json.dumps(
        {"claims": [{"ids": list(c.ids), "text": c.text} for c in drafted]}, ensure_ascii=False
    )
    whole = cite(read_draft(reply) or Draft(()), context(), QUERY)
    cut = data.draw(st.integers(0, len(reply)))
    begun = cite(read_draft(reply[:cut]) or Draft(()), context(), QUERY)
    assert whole.text.startswith(begun.text)


@pytest.mark.parametrize(
    ("text", "ids"),
    [("34 thousand", [3]), ("12 bridges", [1]), ("1,234.56 zł", [4]), ("41 billion dollars", [4])],
)
def test_a_figure_of_another_script_is_supported(text: str, ids: list[int]) -> None:
    assert cite(Draft((Claim(tuple(ids), text),)), context(), QUERY).citations


@pytest.mark.parametrize(
    ("text", "ids"),
    [("34 million", [3]), ("13 bridges", [1]), ("12 bridges", [2]), ("in 2020", [2]), ("x", [7])],
)
def test_a_claim_that_its_quote_does_not_hold_is_refused(text: str, ids: list[int]) -> None:
    checked = cite(Draft((Claim(tuple(ids), text),)), context(), QUERY)
    assert (checked.text, checked.citations) == ("", ())
    assert [each.text for each in checked.refused] == [text]


def test_a_sentence_cited_twice_has_one_number() -> None:
    draft = Draft((Claim((1,), "12 bridges."), Claim((2, 1), "12 bridges in 2019.")))
    checked = cite(draft, context(), QUERY)
    assert checked.text == "12 bridges. [1] 12 bridges in 2019. [2][1]"


def test_a_claim_that_is_refused_is_told_of_and_the_others_are_kept() -> None:
    draft = Draft((Claim((1,), "12 bridges."), Claim((1,), "13 bridges.")))
    checked = cite(draft, context(), QUERY)
    assert checked.text == "12 bridges. [1]"
    kept, refused = checked.statements
    assert (kept.text, kept.start, kept.end, kept.status) == ("12 bridges.", 0, 11, "checked")
    assert (refused.text, refused.marks, refused.status) == ("13 bridges.", (), "refused")
    assert "13" in refused.reason


def test_a_claim_without_particulars_says_that_nothing_was_checked() -> None:
    checked = cite(Draft((Claim((1,), "There are bridges there."),)), context(), QUERY)
    assert [each.status for each in checked.statements] == ["unchecked"]


def test_a_claim_that_was_cut_off_is_left_out() -> None:
    draft = Draft((Claim((1,), "12 bridges."), Claim((1,), "There are 12", closed=False)))
    assert cite(draft, context(), QUERY).text == "12 bridges. [1]"


def test_a_claim_that_is_doubted_for_other_reasons_is_not_shown() -> None:
    draft = Draft((Claim((1,), "12 bridges."), Claim((4,), "41 billion dollars.")))
    checked = cite(draft, context(), QUERY, {"12 bridges.": "it is turned round"})
    assert checked.text == "41 billion dollars. [1]"
    assert [each.reason for each in checked.refused] == ["it is turned round"]


def test_a_name_may_come_from_the_passage_around_the_sentence() -> None:
    text = "Spotkanie prowadził Jan Nowakowski. Mówił o 12 mostach."
    hit = Hit("b.txt", 0, len(text), text, score=0.5, lang="pl")
    shown = [
        Evidence(1, Sentence(0, 35, text[:35]), hit, 0.5),
        Evidence(2, Sentence(36, len(text), text[36:]), hit, 0.5),
    ]
    draft = Draft((Claim((2,), "In a meeting Nowakowski spoke of 12 bridges."),))
    assert cite(draft, context(shown), QUERY).text.endswith("[1]")


def test_the_sentences_that_a_draft_cites_are_told_once_in_its_order() -> None:
    draft = Draft((Claim((3, 9), "a"), Claim((1, 3), "b")))
    assert [each.number for each in cited(draft, context())] == [3, 1]


def test_a_figure_that_may_still_grow_is_held_back() -> None:
    begun = "The price of it is said to be 41"
    assert settled_text(Draft((Claim((4,), begun, closed=False),)), context(), QUERY) == (
        "The price of it is"
    )


@pytest.mark.parametrize("size", range(1, 60))
def test_no_beginning_of_a_true_text_is_refused(size: int) -> None:
    text = "It is worth forty-one billion US dollars, said Zoë in the interview."
    begun = Draft((Claim((4,), text[:size], closed=False),))
    assert text.startswith(settled_text(begun, context(), QUERY))


def test_a_wrong_figure_is_never_shown_while_the_text_is_written() -> None:
    begun = "It is worth 42 billion US dollars according to the"
    assert settled_text(Draft((Claim((4,), begun, closed=False),)), context(), QUERY) == ""


def test_a_country_that_no_quote_names_is_refused() -> None:
    text = "Norwegen zählte 340 Boote."
    hit = replace(evidence()[0].hit, text=text, lang="de")
    shown = context([Evidence(1, Sentence(0, len(text), text), hit, 0.5)])
    assert cite(Draft((Claim((1,), "Norway counted 340 boats."),)), shown, QUERY).text
    (refused,) = cite(Draft((Claim((1,), "Brazil counted 340 boats."),)), shown, QUERY).refused
    assert "Brazil" in refused.reason
