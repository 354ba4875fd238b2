"""Whatever a model replies, a citation is a span of the stored article."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import Claim, Draft, read_draft
from rag.cite import Refused, cite, quote, settled_text
from rag.evidence import Evidence
from rag.prompts import sources_differ_lead
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


def test_a_claim_that_is_refused_is_told_of_when_the_others_are_kept() -> None:
    draft = Draft((Claim((1,), "12 bridges."), Claim((1,), "13 bridges.")))
    checked = cite(draft, evidence(), QUERY, partly=True)
    assert checked.text == "12 bridges. [1]"
    kept, refused = checked.statements
    assert (kept.text, kept.start, kept.end, kept.status) == ("12 bridges.", 0, 11, "checked")
    assert (refused.text, refused.marks) == ("13 bridges.", ())
    assert "13" in refused.status


def test_a_claim_that_the_judge_refuses_is_not_shown() -> None:
    def judge(text: str, sources: Sequence[Evidence]) -> None:
        if "bridges" in text and sources[0].number == 1:
            raise Refused("it is said too often")

    with pytest.raises(Refused, match="too often"):
        cite(Draft((Claim((1,), "12 bridges."),)), evidence(), QUERY, judge)


def test_a_quote_in_the_askers_language_needs_no_list_of_names() -> None:
    asked = replace(QUERY, answer_lang="tr")
    assert quote(evidence()[:1], asked).text.endswith("12 köprü var.” [1]")
    assert "12" in quote(evidence()[:1], QUERY).text.partition("”")[2]


def test_quotes_that_differ_are_led_by_their_articles() -> None:
    first, second, *_ = evidence()
    hits = [
        replace(first.hit, title="Bridges [1] of\nthe town", date="2021-05-03", lang="de"),
        replace(first.hit, title="Ponts", lang="fr", source="b.txt"),
    ]
    pair = [replace(first, hit=hits[0]), replace(second, hit=hits[1])]
    lead, *lines = quote(pair, QUERY, differ=True).text.splitlines()
    assert lead == sources_differ_lead("en")
    assert "Bridges of the town" in lines[0]
    assert "May 3, 2021" in lines[0]
    assert lines[0].endswith("[1]")
    assert "Ponts" in lines[1]
    assert lines[1].endswith("[2]")


def test_a_figure_that_may_still_grow_is_held_back() -> None:
    begun = "The price of it is said to be 41"
    assert settled_text(Draft((Claim((4,), begun),)), evidence(), QUERY) == "The price of it is"


@pytest.mark.parametrize("size", range(1, 60))
def test_no_beginning_of_a_true_text_is_refused(size: int) -> None:
    text = "It is worth forty-one billion US dollars, said Zoë in the interview."
    begun = Draft((Claim((4,), text[:size]),))
    assert text.startswith(settled_text(begun, evidence(), QUERY))


def test_a_wrong_figure_is_refused_before_the_text_ends() -> None:
    begun = "It is worth 42 billion US dollars according to the"
    with pytest.raises(Refused, match="the figure 42 billion does not stand"):
        settled_text(Draft((Claim((4,), begun),)), evidence(), QUERY)


def test_a_country_that_no_quote_names_is_refused() -> None:
    text = "Norwegen zählte 340 Boote."
    hit = replace(evidence()[0].hit, text=text, lang="de")
    shown = [Evidence(1, Sentence(0, len(text), text), hit, 0.5)]
    assert cite(Draft((Claim((1,), "Norway counted 340 boats."),)), shown, QUERY).text
    with pytest.raises(Refused, match="a country that the sentences do not name"):
        cite(Draft((Claim((1,), "Brazil counted 340 boats."),)), shown, QUERY)
