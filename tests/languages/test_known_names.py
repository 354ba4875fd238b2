"""Names are known where no capital letter tells them, and in every script."""

import pytest

from rag.checking.audit import audit
from rag.languages.common_words import is_common
from rag.languages.known_names import is_held, known_names, strange_known_names


@pytest.mark.parametrize(
    ("text", "lang", "found"),
    [
        ("Emma wohnt jetzt in Chicago.", "de", ["Emma", "Chicago"]),
        ("אנדרסון גר באדינבורו", "he", ["אנדרסון", "באדינבורו"]),
        ("وصل أندرسون إلى شيكاغو", "ar", ["أندرسون", "شيكاغو"]),
        ("他住在芝加哥的北边。", "zh", ["芝加哥"]),
        ("Emma, Chicago", "pl", ["Emma", "Chicago"]),
        ("Der Tisch ist rund.", "de", []),
        ("", "he", []),
    ],
)
def test_names_are_found_without_help_of_capitals(text: str, lang: str, found: list[str]) -> None:
    assert [name.text for name in known_names(text, lang)] == found


@pytest.mark.parametrize(
    ("text", "lang", "told"),
    [
        ("芝加哥", "zh", ("w Chicago", "pl")),
        ("芝加哥", "zh", ("הוא גר בשיקגו", "he")),
        ("Чикагода", "kk", ("Chicago'da", "tr")),
        ("באדינבורו", "he", ("w Edynburgu", "pl")),
    ],
)
def test_a_name_is_held_in_another_script(text: str, lang: str, told: tuple[str, str]) -> None:
    (name,) = known_names(text, lang)
    assert is_held(name, lang, told)


@pytest.mark.parametrize(
    ("text", "lang", "quote", "strange"),
    [
        ("Emma lebt in Chicago.", "de", ("Emma Boston'da yaşıyor.", "tr"), ["Chicago"]),
        ("他住在芝加哥。", "zh", ("הוא גר בבוסטון.", "he"), ["芝加哥"]),
        ("הוא גר בשיקגו", "he", ("Mieszka w Bostonie.", "pl"), ["בשיקגו"]),
        ("Chicago was her home.", "en", ("Mieszkała w Bostonie.", "pl"), ["Chicago"]),
    ],
)
def test_a_name_in_the_place_of_another_is_strange(
    text: str, lang: str, quote: tuple[str, str], strange: list[str]
) -> None:
    assert [name.text for name in strange_known_names(text, lang, [quote])] == strange
    assert [found.text for found in audit(text, lang, [quote])] == strange


def test_a_name_for_a_pronoun_is_not_strange() -> None:
    quote = ("Mieszkała tam dwa lata.", "pl")
    assert audit("Emma wohnte dort zwei Jahre.", "de", [quote]) == ()


def test_what_was_shown_around_the_quotes_supports_a_name() -> None:
    quote, around = ("Wyjechał z Bostonu.", "pl"), ("Fredrik Holm z Chicago", "pl")
    text = "In Chicago lebte er nicht."
    assert audit(text, "de", [quote])
    assert audit(text, "de", [quote], around=[around]) == ()


@pytest.mark.parametrize(
    ("word", "lang", "common"),
    [("Peninsula", "en", True), ("Literackiej", "pl", True), ("Kowalski", "pl", False)],
)
def test_ordinary_words_are_no_names(word: str, lang: str, common: bool) -> None:
    assert is_common(word, lang) is common
