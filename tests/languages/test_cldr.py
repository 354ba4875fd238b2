"""What is known of languages from CLDR."""

import pytest

from rag.languages.cldr import script_direction


@pytest.mark.parametrize(
    ("lang", "direction"),
    [("ar", "rtl"), ("he", "rtl"), ("fa-IR", "rtl"), ("tr", "ltr"), ("", "ltr")],
)
def test_knows_the_direction_of_a_language(lang: str, direction: str) -> None:
    assert script_direction(lang) == direction
