"""Countries are found under the names that each language has for them."""

import pytest

from rag.languages.facts import facts_of


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
    assert facts_of(text, lang).countries == frozenset(codes)


@pytest.mark.parametrize("lang", ["", "xx", "not a language"])
def test_says_nothing_of_a_language_without_names(lang: str) -> None:
    assert facts_of("Norway", lang).countries is None


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("הגיע לכיוון הנכון", "he"),
        ("دراسة الهندسة", "ar"),
        ("Malcolm przyjechał", "pl"),
        ("مدينة نيويورك", "ar"),
    ],
)
def test_a_word_that_only_begins_like_a_country_is_none(text: str, lang: str) -> None:
    assert facts_of(text, lang).countries == frozenset()


@pytest.mark.parametrize(
    ("text", "lang", "code"),
    [
        ("norweski minister", "pl", "NO"),
        ("הדגל האמריקאי", "he", "US"),
        ("ממשלת ארה“ב", "he", "US"),
        ("ABD'li şirket", "tr", "US"),
        ("британский посол", "ru", "GB"),
        ("النرويجي", "ar", "NO"),
    ],
)
def test_an_adjective_or_another_name_tells_of_the_country(text: str, lang: str, code: str) -> None:
    assert code in facts_of(text, lang).hinted_countries


@pytest.mark.parametrize(
    ("text", "lang"), [("do Norwegii", "pl"), ("İsveç'te", "tr"), ("في النَّرويج", "ar")]
)
def test_a_country_is_pointed_at_where_it_stands(text: str, lang: str) -> None:
    (named,) = facts_of(text, lang).country_mentions
    assert text[named.start : named.end] == text.split()[-1]
