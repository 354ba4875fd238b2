"""What a quote names is said in the asker's language, by code."""

import pytest

from rag.answering.gloss import MOST_NAMED, gloss


@pytest.mark.parametrize(
    ("text", "lang", "to", "said"),
    [
        ("In Polen stieg er um 18 Prozent.", "de", "tr", ("Polonya", "%18")),
        ("w maju 2021 r. wydano 57 mld zł", "pl", "en", ("May 2021", "57 billion zł")),
        ("3 Temmuz 1998'de İsveç'te açıldı", "tr", "fr", ("3 juillet 1998", "Suède")),
        ("עלה ב-18 אחוזים ל-57 מיליארד דולר", "he", "ru", ("18%", "57 миллиардов $")),
        ("بلغ ٥٧ مليار يورو في النرويج", "ar", "zh", ("570亿 €", "挪威")),
        ("Im Mai kamen 340 Boote.", "de", "es", ("mayo", "340")),
        ("1.234 Boote", "de", "en", ()),
        ("die dritte von 4 Reisen", "de", "en", ()),
        ("", "de", "en", ()),
    ],
)
def test_what_has_one_name_in_every_language_is_said(
    text: str, lang: str, to: str, said: tuple[str, ...]
) -> None:
    assert gloss(text, lang, to) == said


def test_marks_and_forms_of_letters_do_not_matter() -> None:
    assert gloss("U Norves\u030cce? 18\u00a0%", "de", "en") == ("18%",)
    assert gloss("\u200fב\u200eנוֹרווגיה", "he", "en") == ("Norway",)


def test_names_in_latin_letters_are_told_from_a_text_of_another_script() -> None:
    text = "את הדברים האלה אמר אתמול Ana Tolvar בעיתון People's Daily ב-Oslo בנורווגיה"
    assert gloss(text, "he", "zh") == ("Ana Tolvar", "People's Daily", "Oslo", "挪威")
    assert gloss("Ana Tolvar mówi w Oslo, w Norwegii.", "pl", "zh") == ("挪威",)


@pytest.mark.parametrize(
    ("text", "lang"),
    [("בשלושת העשורים האחרונים", "he"), ("in the past three decades, forty-one times", "en"),
     ("خلال العقود الثلاثة", "ar"), ("siedemnaście razy", "pl"), ("otuz iki yıl", "tr")],
)  # fmt: skip
def test_numbers_in_words_are_not_put_into_figures(text: str, lang: str) -> None:
    assert gloss(text, lang, "de") == ()


def test_each_is_said_once_and_not_too_many() -> None:
    assert gloss("Polen, Polen und Polen", "de", "en") == ("Poland",)
    assert len(gloss(", ".join(map(str, range(100, 140))), "de", "en")) == MOST_NAMED


def test_a_language_that_nobody_knows_gets_figures() -> None:
    assert gloss("qqq 57 qqq", "qq", "qq") == ("57",)
