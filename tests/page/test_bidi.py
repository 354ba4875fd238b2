"""Which way texts run, and that what is set off keeps its order and its every letter."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from page_html import MIXED, read_html, shown

from rag.page.html.bidi import Way, direction, foreign_runs
from rag.page.html.markup import (
    escaped,
    isolate_foreign,
    isolated,
    lang_attribute,
    markup,
    paragraphs,
)

Form = Literal["NFC", "NFD"]


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("Dziękuję, 12 mld zł [1].", "ltr"),
        ("Xi Jinping ו-Tokayev נפגשו באסטנה [1].", "rtl"),
        ("(2024) قال الرئيس", "rtl"),
        ("The paper אל-יומא wrote of it", "ltr"),
        ("سفينة", "rtl"),
        ("İstanbul'dan ışık", "ltr"),
        ("双方一致同意", "ltr"),
        ("", "ltr"),
    ],
)
def test_direction_follows_the_letters(text: str, way: str) -> None:
    assert direction(text) == way


def test_text_without_letters_runs_as_what_it_stands_in() -> None:
    assert direction("12.7.2024 — 3%", "rtl") == "rtl"
    assert direction("12.7.2024 — 3%") == "ltr"


def test_names_set_apart_do_not_turn_the_sentence_around_them() -> None:
    title = "\u2068ידיעות ארוכות מאוד על נמל שנפתח בצפון הארץ\u2069"
    assert direction(f"Nearest: “{title}”.") == "ltr"
    assert direction(title) == "rtl"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("text", "way", "runs"),
    [
        # A figure and what it counts keep their order.
        ("המחיר היה 41 billion $ אתמול", "rtl", ["41 billion $"]),
        ("נסעו 3.5 km ועוד 5G", "rtl", ["3.5 km", "5G"]),
        ("כ 12 mln zł בלבד", "rtl", ["12 mln zł"]),
        ("ירד ב -3% אתמול", "rtl", ["-3%"]),
        # What stands rightly by itself is left alone.
        ("בשנת (2024) ו-17 איש, 41% ו-$5 [1]", "rtl", []),
        ("עלה ב-41 billion היום", "rtl", ["billion"]),
        ("בשנת 2024 Rossi אמר", "rtl", ["Rossi"]),
        # Names with what belongs to them.
        ("OPEC+ הודיעה ל-C++ ול-F-16", "rtl", ["OPEC+", "C++", "F-16"]),
        ("ה-iPhone 15 הושק", "rtl", ["iPhone 15"]),
        ("Łódź Żeglarska (WHO) ו“Rossi”", "rtl", ["Łódź Żeglarska", "WHO", "Rossi"]),
        ("אמר İstanbul'dan Işık Gül", "rtl", ["İstanbul'dan Işık Gül"]),
        ("وصل في 2024-07-01 مع ٣٤٠ قاربًا", "rtl", ["2024-07-01"]),
        # And the reverse.
        ('The paper "אל-יומא" 3 times', "ltr", ["אל-יומא"]),
        ('to jest ארה"ב 17 וסִירוֹת, 3.', "ltr", ['ארה"ב 17 וסִירוֹת']),
        ("Opis: «سلام ٣٤٠ قاربًا» [1]", "ltr", ["سلام ٣٤٠ قاربًا"]),
        ("plain 41 billion $ (2024)", "ltr", []),
    ],
)
def test_words_of_the_other_direction_are_found_whole(
    text: str, way: Way, runs: list[str], form: Form
) -> None:
    text = unicodedata.normalize(form, text)
    found = [text[start:end] for start, end in foreign_runs(text, way)]
    assert found == [unicodedata.normalize(form, run) for run in runs]


@given(MIXED, st.sampled_from(["ltr", "rtl"]))
def test_runs_are_apart_and_split_no_letter_from_its_points(text: str, way: Way) -> None:
    past = 0
    for start, end in foreign_runs(text, way):
        assert past <= start < end <= len(text)
        assert unicodedata.bidirectional(text[end : end + 1] or " ") != "NSM"
        past = end


@given(MIXED, st.sampled_from(["ltr", "rtl"]))
@example("a\r\n\x00\ud800\r", "ltr")
def test_setting_off_changes_no_text(text: str, way: Way) -> None:
    assert read_html(isolate_foreign(text, way)).text == shown(text)


@given(st.text())
def test_attributes_hold_the_text(text: str) -> None:
    node = read_html(markup('<p title="{text}"></p>', text=text)).one("p")
    assert node["title"] == shown(text)


def test_what_is_markup_already_is_not_escaped_again() -> None:
    inside = escaped("a & b")
    assert markup("<p>{inside}</p>", inside=inside) == "<p>a &amp; b</p>"


def test_each_line_is_a_paragraph_in_its_own_direction() -> None:
    lines = read_html(paragraphs("שלום\r\n\n  \nhello\r2024", "he", "rtl")).all("p")
    assert [(each.text, each["dir"]) for each in lines] == [
        ("שלום", "rtl"),
        ("hello", "ltr"),
        ("2024", "rtl"),
    ]


@pytest.mark.parametrize(
    ("code", "said"), [("tr", "tr"), ("zh-Hant", "zh-Hant"), ("", ""), ('"x', ""), ("qqq", "")]
)
def test_only_languages_that_exist_are_told_to_screen_readers(code: str, said: str) -> None:
    assert lang_attribute(code) == said
    assert read_html(isolated("x", code)).one("bdi")["lang"] == said
