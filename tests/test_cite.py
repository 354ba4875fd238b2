"""Whatever a model replies, a citation is a span of the stored article."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import Claim, Draft, read_draft
from rag.cite import Refused, check_choice, cite, quote, settled_text
from rag.evidence import Evidence
from rag.records import Hit, Query, Sentence

ARTICLE = (
    "İstanbul'da 12 köprü var.\r\nשָׁלוֹם, אמר המנהל ב-2019.\n"
    "بَلَغَ العدد ٣٤ ألفًا.\nZo\u0308e płaci 1.234,56 zł. 价值410亿美元。"
)
QUERY = Query("How many?", "How many?", "en", "en")


def evidence() -> list[Evidence]:
    spans = [m.span() for m in re.finditer(r"[^\r\n]+", ARTICLE)]
    hit = Hit("a.txt", 0, len(ARTICLE), ARTICLE, 0.5, "tr")
    return [
        Evidence(i, Sentence(a, b, ARTICLE[a:b]), hit, 0.5) for i, (a, b) in enumerate(spans, 1)
    ]


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


@given(claims)
def test_every_quote_is_the_article_at_its_offsets(drafted: list[Claim]) -> None:
    try:
        checked = cite(Draft(tuple(drafted)), evidence(), QUERY)
    except Refused:
        return
    for citation in checked.citations:
        assert ARTICLE[citation.start : citation.end] == citation.quote
    assert [c.number for c in checked.citations] == list(range(1, len(checked.citations) + 1))


@given(claims)
def test_every_mark_of_ours_has_its_citation(drafted: list[Claim]) -> None:
    try:
        checked = cite(Draft(tuple(drafted)), evidence(), QUERY)
    except Refused:
        return
    marks = {int(n) for n in re.findall(r"\[([0-9]+)\]", checked.text)}
    assert marks == {citation.number for citation in checked.citations}


@given(claims, st.data())
def test_a_stream_cut_anywhere_shows_a_beginning_of_the_end(
    drafted: list[Claim], data: st.DataObject
) -> None:
    reply = json.dumps(
        {"claims": [{"ids": list(c.ids), "text": c.text} for c in drafted]}, ensure_ascii=False
    )
    try:
        whole = cite(read_draft(reply) or Draft(()), evidence(), QUERY).text
    except Refused:
        return
    cut = data.draw(st.integers(0, len(reply)))
    shown = settled_text(read_draft(reply[:cut]) or Draft(()), evidence(), QUERY)
    assert whole.startswith(shown)


@pytest.mark.parametrize(
    ("text", "ids"),
    [("34 thousand", [3]), ("12 bridges", [1]), ("1,234.56 zł", [4]), ("41 billion dollars", [4])],
)
def test_a_figure_of_another_script_is_supported(text: str, ids: list[int]) -> None:
    assert cite(Draft((Claim(tuple(ids), text),)), evidence(), QUERY).citations


@pytest.mark.parametrize(
    ("text", "ids"),
    [("34 million", [3]), ("13 bridges", [1]), ("12 bridges", [2]), ("in 2020", [2]), ("x", [7])],
)
def test_a_claim_that_its_quote_does_not_hold_is_refused(text: str, ids: list[int]) -> None:
    with pytest.raises(Refused):
        cite(Draft((Claim(tuple(ids), text),)), evidence(), QUERY)


def test_a_sentence_cited_twice_has_one_number() -> None:
    draft = Draft((Claim((1,), "12 bridges."), Claim((2, 1), "12 bridges in 2019.")))
    checked = cite(draft, evidence(), QUERY)
    assert checked.text == "12 bridges. [1] 12 bridges in 2019. [2][1]"


def test_the_quoted_form_holds_the_sentence_itself() -> None:
    checked = quote(evidence()[1:2], QUERY)
    assert "שָׁלוֹם, אמר המנהל ב-2019." in checked.text
    assert checked.citations[0].quote in ARTICLE


def test_quotes_several_sentences_under_numbers_of_their_own() -> None:
    checked = quote(evidence()[2:4], QUERY)
    assert checked.text.splitlines()[0].endswith("[1]")
    assert checked.text.splitlines()[1].endswith("[2]")
    assert [c.number for c in checked.citations] == [1, 2]
    assert all(ARTICLE[c.start : c.end] == c.quote for c in checked.citations)


def test_a_draft_from_a_sentence_that_hardly_answers_is_refused() -> None:
    first, second, *_ = evidence()
    shown = [replace(first, score=0.8), replace(second, score=0.1)]
    with pytest.raises(Refused, match="sentence 1 answers the question better"):
        check_choice(Draft((Claim((2,), "It was 2019."),)), shown)
    check_choice(Draft((Claim((2,), "It was 2019."), Claim((1,), "12 bridges."))), shown)
    check_choice(Draft((Claim((2,), "It was 2019."),)), [shown[0], replace(second, score=0.5)])
    check_choice(Draft(()), shown)


def test_a_figure_that_may_still_grow_is_held_back() -> None:
    draft = Draft((Claim((4,), "It is worth 41"),))
    assert settled_text(draft, evidence(), QUERY) == "It is worth"


def test_a_country_that_no_quote_names_is_refused() -> None:
    text = "Norwegen zählte 340 Boote."
    hit = replace(evidence()[0].hit, text=text, lang="de")
    shown = [Evidence(1, Sentence(0, len(text), text), hit, 0.5)]
    assert cite(Draft((Claim((1,), "Norway counted 340 boats."),)), shown, QUERY).text
    with pytest.raises(Refused, match="a country that the sentences do not name"):
        cite(Draft((Claim((1,), "Brazil counted 340 boats."),)), shown, QUERY)
