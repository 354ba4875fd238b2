"""An extractive answer is the stored sentences themselves, framed in the asker's language."""

import re
from dataclasses import replace

from rag.answering.quote import quote
from rag.languages.frames import frame
from rag.records import Hit, Sentence
from rag.retrieval.sentence_selection import Evidence

ARTICLE = (
    "İstanbul'da 12 köprü var.\r\nשָׁלוֹם, אמר המנהל ב-2019.\n"
    "بَلَغَ العدد ٣٤ ألفًا.\nZo\u0308e płaci 1.234,56 zł. 价值410亿美元。"
)


def evidence() -> list[Evidence]:
    spans = [m.span() for m in re.finditer(r"[^\r\n]+", ARTICLE)]
    hit = Hit("a.txt", 0, len(ARTICLE), ARTICLE, score=0.5, lang="tr")
    return [
        Evidence(i, Sentence(a, b, ARTICLE[a:b]), hit, 0.5) for i, (a, b) in enumerate(spans, 1)
    ]


def test_the_quoted_form_holds_the_sentence_itself() -> None:
    checked = quote(evidence()[1:2], "en")
    assert "שָׁלוֹם, אמר המנהל ב-2019." in checked.text
    assert checked.citations[0].quote in ARTICLE


def test_quotes_several_sentences_under_numbers_of_their_own() -> None:
    checked = quote(evidence()[2:4], "en")
    assert checked.text.splitlines()[0].endswith("[1]")
    assert checked.text.splitlines()[1].endswith("[2]")
    assert [c.number for c in checked.citations] == [1, 2]
    assert all(ARTICLE[c.start : c.end] == c.quote for c in checked.citations)


def test_a_quote_in_the_askers_language_needs_no_list_of_names() -> None:
    assert quote(evidence()[:1], "tr").text.endswith("12 köprü var.” [1]")
    assert "12" in quote(evidence()[:1], "en").text.partition("”")[2]


def test_quotes_that_differ_are_led_by_their_articles() -> None:
    first, second, *_ = evidence()
    hits = [
        replace(first.hit, title="Bridges [1] of\nthe town", date="2021-05-03", lang="de"),
        replace(first.hit, title="Ponts", lang="fr", source="b.txt"),
    ]
    pair = [replace(first, hit=hits[0]), replace(second, hit=hits[1])]
    told = quote(pair, "en", frame("sources_differ", "en"), by_article=True)
    lead, *lines = told.text.splitlines()
    assert lead == frame("sources_differ", "en")
    assert "Bridges of the town" in lines[0]
    assert "May 3, 2021" in lines[0]
    assert lines[0].endswith("[1]")
    assert "Ponts" in lines[1]
    assert lines[1].endswith("[2]")
