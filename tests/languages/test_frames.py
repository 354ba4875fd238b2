"""What the program says itself is complete in every language, and only text."""

import re

import pytest

from rag.languages.frames import Article, Frame, dated_title, frame, listed, listed_articles
from rag.languages.locales import FALLBACK, framed_languages, phrases, territory_name

LANGUAGES = ["en", "tr", "he", "ar", "pl", "ru", "uk", "kk", "zh",
             "ja", "de", "fr", "es", "it", "pt", "fa", "hi"]  # fmt: skip
PLACEHOLDER = re.compile(r"\$([a-z]+)")
FILLED = {"quote", "names", "nearest", "missing", "title", "details", "corpus_count",
          "corpus_languages", "corpus_list", "corpus_more", "corpus_oldest", "corpus_newest",
          "corpus_undated"}  # fmt: skip
SEPARATORS = {"comma", "semicolon"}
ALIKE = {"title", "details", *SEPARATORS}
"""Frames of signs alone, which languages share."""


def nearest(articles: list[Article], lang: str) -> str:
    return frame("nearest", lang, titles=listed_articles(articles, lang))


def test_all_languages_are_there() -> None:
    assert sorted(framed_languages()) == sorted(LANGUAGES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_every_frame_with_its_placeholders(lang: str) -> None:
    frames, english = phrases()[lang], phrases()[FALLBACK]
    assert list(frames) == list(english)
    for key, text in frames.items():
        asked = set(PLACEHOLDER.findall(text))
        assert asked == set(PLACEHOLDER.findall(english[key])), key
        assert bool(asked) == (key in FILLED), key
    assert "42" in frame("quote", lang, quote="42")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_frame_holds_marks_of_markdown_or_html(lang: str) -> None:
    for key, text in phrases()[lang].items():
        assert not re.search(r"[<>&*_`#\[\]|~\\]|^\s*(?:[-+]|\d+\.)\s", text), key
        assert text == text.strip() or key in SEPARATORS | {"details"}, key
        assert text, key


@pytest.mark.parametrize("lang", [each for each in LANGUAGES if each != FALLBACK])
def test_no_language_is_left_in_english(lang: str) -> None:
    for key, text in phrases()[lang].items():
        assert key in ALIKE or text != phrases()[FALLBACK][key], key


def test_values_are_put_in_as_they_are() -> None:
    article = Article("$title $date", "he", "2021-05-03")
    assert "\u2068$title $date\u2069" in dated_title(article, "en")
    assert "\u2068$titles\u2069" in nearest([Article("$titles")], "en")
    missing = frame("missing", "en", missing=listed(["$missing"], "en"))
    assert "\u2068$missing\u2069" in missing
    assert "$quote" in frame("quote", "pl", quote="$quote")


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("2021-05-03", "“\u2068Bread\u2069”, May 3, 2021"),
        ("2021-05-03T10:00:00Z", "“\u2068Bread\u2069”, May 3, 2021"),
        ("2021-05", "“\u2068Bread\u2069”, 2021-05"),
        ("2021", "“\u2068Bread\u2069”, 2021"),
        ("", "“\u2068Bread\u2069”"),
        ("2021-13-99", "“\u2068Bread\u2069”"),
        ("yesterday $date", "“\u2068Bread\u2069”"),
    ],
)
def test_a_source_has_its_date_where_one_is_known(date: str, told: str) -> None:
    assert dated_title(Article("Bread", date=date), "en") == told


def test_a_language_without_frames_gets_english_throughout() -> None:
    keys: tuple[Frame, ...] = ("abstain", "sources_differ", "translation")
    for key in keys:
        assert frame(key, "qq") == frame(key, FALLBACK)
    assert frame("order", "nl") == frame("order", FALLBACK)
    assert nearest([Article("A", "he")], "nl") == nearest([Article("A", "he")], "en")
    assert territory_name("NO", "nl") == "Norway"
