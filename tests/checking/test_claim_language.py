"""A claim is refused for its language only where that is clear."""

import pytest

from rag.checking.claim_language import other_language

SAID = {
    "en": "The bridge was opened again in the spring of that year, after long repairs.",
    "de": "Die Brücke wurde im Frühling jenes Jahres nach langen Arbeiten wieder geöffnet.",
    "zh": "这座桥经过长期维修后于当年春天重新开放。",
    "kk": "Көпір ұзақ жөндеуден кейін сол жылдың көктемінде қайта ашылды.",
    "ru": "Мост снова открыли весной того же года после долгого ремонта.",
    "he": "הגשר נפתח מחדש באביב של אותה שנה לאחר שיפוץ ממושך.",
    "pl": "Most otwarto ponownie wiosną tego roku po długim remoncie.",
    "tr": "Köprü uzun bir onarımdan sonra o yılın ilkbaharında yeniden açıldı.",
    "ar": "أعيد افتتاح الجسر في ربيع ذلك العام بعد إصلاحات طويلة.",
}


@pytest.mark.parametrize("asked", SAID)
@pytest.mark.parametrize("lang", SAID)
def test_a_sentence_in_another_language_is_refused(lang: str, asked: str) -> None:
    assert other_language(SAID[lang], asked) is (lang != asked)


@pytest.mark.parametrize("asked", SAID)
@pytest.mark.parametrize(
    "text", ["", "42", "Anna Wendel", "Adriftmorn Limited, 2019", "BBC", "Das Ziel.", "№ 7 — 18:30"]
)
def test_a_short_claim_may_be_in_any_language(text: str, asked: str) -> None:
    assert not other_language(text, asked)


def test_names_in_another_script_do_not_make_a_claim_foreign() -> None:
    assert not other_language("Көпірді Anna Wendel Construction Group Limited салды.", "kk")
    assert not other_language("הגשר נבנה על ידי Anna Wendel Construction Group Limited.", "he")
