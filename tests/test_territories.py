"""Countries are found under the names that each language has for them."""

import pytest

from rag.territories import territories


@pytest.mark.parametrize(
    ("text", "lang", "codes"),
    [
        ("Trade of Norway with the United States grew.", "en", {"NO", "US"}),
        ("נורווגיה סחרה עם ברזיל ובשוודיה", "he", {"NO", "BR", "SE"}),
        ("زار وفد من النرويج والبرازيل", "ar", {"NO", "BR"}),
        ("Norveç'in ve Brezilya’nın heyetleri", "tr", {"NO", "BR"}),
        ("Delegacje Norwegii i Brazylii", "pl", {"NO", "BR"}),
        ("Переговоры с Норвегией и Бразилией", "ru", {"NO", "BR"}),
        ("挪威和巴西的代表团", "zh", {"NO", "BR"}),
        ("A woman read a manual.", "en", set()),
        ("", "pl", set()),
    ],
)
def test_finds_countries(text: str, lang: str, codes: set[str]) -> None:
    assert territories(text, lang) == codes


@pytest.mark.parametrize("lang", ["", "xx", "not a language"])
def test_says_nothing_of_a_language_without_names(lang: str) -> None:
    assert territories("Norway", lang) is None
