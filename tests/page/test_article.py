"""An article in the source panel: its text to the letter, its quotes where they stand."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from page_html import HOSTILE, MIXED, Node, read_html, shown

from rag.page.chat.article import article_html
from rag.page.html.words import LANGUAGES, words
from rag.records import Document

SAY = words("en")
TEXT = "הנמל נפתח (2024)\r\n\r\nבאו 17 דייגים עם Rossi ושילמו 41 billion $.\nסוף [1]\r"
SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(-5, 60), st.integers(-5, 60)), max_size=6)


def shown_article(text: str, *spans: tuple[int, int, int], lang: str = "he") -> Node:
    return read_html(article_html(Document("a.txt", text, lang), spans, SAY))


def part(node: Node, number: int) -> str:
    """The text that is marked with a number."""
    return "".join(m.text for m in node.all("mark") if m["data-number"] == str(number))


def without_breaks(text: str) -> str:
    return text.replace("\r", "").replace("\n", "")


@given(MIXED, SPANS)
@settings(deadline=None)
@example("a\r\n\x00b\ud800\r\u2028c\x0b\x85", [(1, 0, 5), (2, 3, 99)])
def test_text_is_that_of_the_store_whatever_is_marked(
    text: str, spans: list[tuple[int, int, int]]
) -> None:
    article = shown_article(text, *spans)
    assert article.one(".text").text == shown(text)
    for number in {number for number, _, _ in spans}:
        held = {
            at
            for each, start, end in spans
            if each == number
            for at in range(max(0, start), min(end, len(text)))
        }
        marked = "".join(text[at] for at in sorted(held))
        assert part(article, number) == without_breaks(shown(marked))


def test_each_line_is_a_paragraph_and_line_breaks_stand_between() -> None:
    text = shown_article(TEXT).one(".text")
    lines = [each if isinstance(each, str) else each.text for each in text.children]
    assert "".join(lines) == TEXT
    assert [each.text for each in text.all("p")] == TEXT.splitlines()
    assert {each["lang"] for each in text.all("p")} == {"he"}


def test_line_without_letters_runs_as_the_article_does() -> None:
    lines = shown_article("שלום לכם\n12.7.2024\nhello", lang="he").one(".text").all("p")
    assert [each["dir"] for each in lines] == ["rtl", "rtl", "ltr"]


def test_overlapping_quotes_lie_within_each_other_and_keep_their_numbers() -> None:
    article = shown_article("one two three", (1, 0, 7), (2, 4, 13))
    assert (part(article, 1), part(article, 2)) == ("one two", "two three")
    both = [m for m in article.all("mark") if m.all("mark")]
    assert [(m.text, m.one("mark")["data-number"]) for m in both] == [("two", "2")]


def test_quote_over_paragraphs_is_marked_in_each_and_named_once() -> None:
    start, end = TEXT.index("נפתח"), TEXT.index("ושילמו")
    article = shown_article(TEXT, (3, start, end))
    assert part(article, 3) == without_breaks(TEXT[start:end])
    named = [m for m in article.all("mark") if "id" in m.attrs]
    assert [(m["id"], m["tabindex"]) for m in named] == [("quote-3", "-1")]
    assert named[0] is article.all("mark")[0]
    assert {m["class"] for m in article.all("mark")} == {"quote q3"}


def test_foreign_words_are_isolated_within_and_beside_marks() -> None:
    start = TEXT.index("Rossi") + 2
    article = shown_article(TEXT, (1, start, TEXT.index("billion") + 3))
    runs = [each for each in article.one(".text").all("bdi") if each["dir"] == "ltr"]
    assert [each.text for each in runs] == ["Rossi", "41 billion $"]
    assert [m.text for each in runs for m in each.all("mark")] == ["ssi", "41 bil"]


def test_buttons_lead_to_quotes_where_there_are_several() -> None:
    assert not shown_article(TEXT, (1, 0, 3)).all("button")
    several = shown_article(TEXT, (2, 4, 6), (1, 0, 3), (0, 8, 9), (1, 7, 8))
    assert [(b["data-go"], b["aria-label"], b.text) for b in several.all("button")] == [
        ("1", "Quote 1", "[1]"),
        ("2", "Quote 2", "[2]"),
    ]


def test_own_brackets_of_an_article_are_text() -> None:
    assert not shown_article("So it was [1] [2].").all("mark")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_heading_and_place_are_told_in_the_language_of_the_page(lang: str) -> None:
    document = Document("port.txt", "שלום", "he", "הנמל", "2024-07-01", "The Herald")
    article = read_html(article_html(document, [], words(lang)))
    heading = article.one("h2")
    assert (heading.text, heading["dir"], heading["lang"]) == ("הנמל", "rtl", "he")
    told = [each.text for each in article.one(".place").all("bdi")]
    names = {"en": "Hebrew", "tr": "İbranice", "ar": "العبرية", "he": "עברית", "pl": "hebrajski",
             "ru": "иврит"}  # fmt: skip
    assert told[0] == names[lang]
    assert "2024" in told[1]
    assert told[1] != "2024-07-01"
    assert told[2:] == ["The Herald", "port.txt"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_of_an_article_is_never_markup(hostile: str) -> None:
    def article(text: str) -> Node:
        document = Document(text, text, text, text, text, text)
        return read_html(article_html(document, [(1, 0, 3), (2, 1, 4)], SAY))

    assert article(hostile).skeleton == article("plain words").skeleton
    assert article(hostile).one(".text").text == hostile
    assert article(hostile).one(".place").text.count(hostile) == 4
