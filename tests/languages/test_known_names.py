"""Names are known where no capital letter tells them."""

import pytest

from rag.languages.known_names import known_names


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
