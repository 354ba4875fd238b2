"""A word of a closed class is not put in the place of another."""

import pytest

from rag.checking.audit import audit


@pytest.mark.parametrize(
    ("text", "lang", "quote", "quote_lang", "wrong"),
    [
        ("Her mother found him.", "en", "Znalazła go matka.", "pl", "Her father found him."),
        ("Seine Brüder.", "de", "İki kardeşi.", "tr", "Seine Mutter."),
        ("Его сестра.", "ru", "אחותו.", "he", "Его отец."),
        ("Arrested: two women.", "en", "امرأتان", "ar", "Arrested: two men."),
        ("秋天决定。", "zh", "יוחלט בסתיו.", "he", "冬天决定。"),
        ("Күзде шешіледі.", "kk", "Jesienią.", "pl", "Қыста шешіледі."),
        ("Na północnym brzegu.", "pl", "kuzey kıyısında", "tr", "Na południowym brzegu."),
    ],
)
def test_one_for_another_is_refused(
    text: str, lang: str, quote: str, quote_lang: str, wrong: str
) -> None:
    assert audit(text, lang, [(quote, quote_lang)]) == ()
    assert [each.kind for each in audit(wrong, lang, [(quote, quote_lang)])] != []


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("His mother said it.", "Powiedziała o swoim synu."),
        ("The father came.", "Przyszedł z nim."),
        ("Her father and her brother came.", "Przyszedł brat."),
    ],
)
def test_the_other_side_of_a_relation_is_no_contradiction(text: str, quote: str) -> None:
    assert audit(text, "en", [(quote, "pl")]) == ()


def test_what_the_passage_says_supports() -> None:
    quote, around = ("Przyszedł brat.", "pl"), [("Ojciec i brat.", "pl")]
    assert audit("Her father came.", "en", [quote], around=around) == ()
