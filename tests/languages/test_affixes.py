"""Words are found with what Hebrew and Arabic write together with them."""

import pytest

from rag.languages.affixes import without_articles, without_prefixes, words_pattern


@pytest.mark.parametrize(
    ("word", "lang", "forms"),
    [
        ("שבחיפה", "he", ["שבחיפה", "בחיפה", "חיפה"]),
        ("ובו", "he", ["ובו"]),
        ("وبباريس", "ar", ["وبباريس", "بباريس", "باريس"]),
        ("besser", "de", ["besser"]),
        ("", "he", [""]),
    ],
)
def test_prefixes_come_off(word: str, lang: str, forms: list[str]) -> None:
    assert without_prefixes(word, lang)[:3] == forms


def test_the_article_comes_off_in_arabic_alone() -> None:
    words = ["النهر", "الله", "نهر"]
    assert without_articles(words, "ar") == ["نهر"]
    assert without_articles(words, "fa") == []


@pytest.mark.parametrize(
    ("words", "lang", "text", "found"),
    [
        ("אב|אם", "he", "ושהאב שלו", "ושהאב"),
        ("اب|ام", "ar", "وللام", "وللام"),
        ("father", "en", "grandfather, father", "father"),
        ("父", "zh", "他的父亲", "父"),
        ("mother", "en", "motherland", ""),
    ],
)
def test_whole_words_are_found(words: str, lang: str, text: str, found: str) -> None:
    match = words_pattern(words, lang).search(text)
    assert (match[0] if match else "") == found
