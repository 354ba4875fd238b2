"""What a question names exactly is looked for in the passage, in whatever language."""

import unicodedata

import pytest

from rag.retrieval.particulars import lacking, unnamed

CASES = [
    # question, its language, passage, its language, how many it lacks
    ("How much was it in 2024?", "en", "במחצית 2024 עלה היצוא", "he", 0),
    ("How much was it in 2024?", "en", "במחצית 2023 עלה היצוא", "he", 1),
    ("كم كان في عام ٢٠٢٤؟", "ar", "W 2024 roku eksport wzrósł", "pl", 0),
    ("Did it reach 57 billion?", "en", "57 milyar dolara ulaştı", "tr", 0),
    ("Did it reach 57 billion?", "en", "57 milyon dolara ulaştı", "tr", 1),
    ("Trade between Norway and Chile", "en", "Товарооборот Норвегии и Чили", "ru", 0),
    ("Trade between Norway and Chile", "en", "Товарооборот Норвегии и Перу", "ru", 1),
    ("Handel Norwegii z Chile w 1999 r.", "pl", "Bread is dearer.", "en", 3),
    ("Who opened the bridge?", "en", "Köprü 1987 yılında açıldı.", "tr", 0),
    ("挪威与智利的贸易额是多少？", "zh", "Trade between Norway and Chile grew.", "en", 0),
    ("", "en", "", "en", 0),
    ("Trade with Norway in 1999", "en", "", "xx", 1),
]


@pytest.mark.parametrize(("question", "lang", "text", "text_lang", "lacks"), CASES)
def test_counts_what_a_passage_does_not_name(
    question: str, lang: str, text: str, text_lang: str, lacks: int
) -> None:
    assert lacking(question, lang, text, text_lang) == lacks


def test_what_stands_twice_in_a_passage_counts_once() -> None:
    assert lacking("1999 or 2001?", "en", "1999 and 1999 again", "en") == 1


UNNAMED = [
    # question, its language, what of it a text without names lacks
    ("Did New Zealand pay 57 bn in 1999?", "en", ["New Zealand", "57 bn", "1999"]),
    ("كم كان التبادل مع النرويج في عام ٢٠٢٤؟", "ar", ["النرويج", "٢٠٢٤"]),
    ("挪威与智利2024年的贸易额是570亿吗？", "zh", ["挪威", "智利", "2024", "570亿"]),
    ("2023'te Norveç'le ticaret 57 milyar mıydı?", "tr", ["2023", "Norveç'le", "57 milyar"]),
    ("Was it billions?", "en", ["billions"]),
    ("1999 or 1999?", "en", ["1999"]),
    ("Which 2 ships, and why?", "en", []),
    ("", "xx", []),
]


@pytest.mark.parametrize(("question", "lang", "names"), UNNAMED)
def test_lists_what_no_text_names_as_the_question_writes_it(
    question: str, lang: str, names: list[str]
) -> None:
    found = unnamed(question, lang, [("", lang), ("", "en")])
    assert [each.text for each in found] == names
    assert all(question[each.start : each.end] == each.text for each in found)


def test_what_one_of_the_texts_names_is_not_listed() -> None:
    texts = [("Handel Norwegii", "pl"), ("تجارة عام ٢٠٢٤", "ar")]
    found = unnamed("Norway and Chile in 2024 or 2025?", "en", texts)
    assert [(each.text, each.country) for each in found] == [("Chile", "CL"), ("2025", "")]


def test_a_country_is_not_missed_in_a_language_without_known_names() -> None:
    assert unnamed("Norway?", "en", [("…", "qqq")]) == ()


def test_a_decomposed_question_is_pointed_at_in_its_own_form() -> None:
    question = unicodedata.normalize("NFD", "Handel Norwegii i Łotwy w 1999 r., również Włoch")
    found = unnamed(question, "pl", [("", "pl")])
    assert {each.country for each in found} == {"NO", "LV", "IT", ""}
    assert all(question[each.start : each.end] == each.text for each in found)
