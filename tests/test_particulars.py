"""What a question names exactly is looked for in the passage, in whatever language."""

import pytest

from rag.particulars import lacking

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
