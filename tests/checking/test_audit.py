"""Every particular of a sentence follows from its quotes, across languages and scripts."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evals.audit import main, sentence_pairs
from rag.checking.audit import audit, audit_begun, has_particulars
from rag.errors import InputError

SAID = {
    "en": "On 5 July 2023 trade with Norway rose by 32% to 41 billion dollars in four years.",
    "tr": "5 Temmuz 2023'te Norveç ile ticaret dört yılda yüzde 32 artarak 41 milyar dolara"
    " ulaştı.",
    "he": "ב-5 ביולי 2023 עלה הסחר עם נורווגיה ב-32 אחוזים ל-41 מיליארד דולר בארבע שנים.",
    "ar": "في ٥ يوليو ٢٠٢٣ ارتفعت التجارة مع النرويج بنسبة ٣٢٪ إلى ٤١ مليار دولار في أربع سنوات.",
    "pl": "5 lipca 2023 r. handel z Norwegią wzrósł o 32 procent, do 41 mld dolarów w cztery lata.",
    "ru": "5 июля 2023 года торговля с Норвегией выросла на 32 процента, до 41 млрд долларов за"
    " четыре года.",
    "uk": "5 липня 2023 року торгівля з Норвегією зросла на 32 відсотки, до 41 млрд доларів за"
    " чотири роки.",
    "kk": "2023 жылғы 5 шілдеде Норвегиямен сауда 32 пайызға өсіп, төрт жылда 41 миллиард долларға"
    " жетті.",
    "de": "Am 5. Juli 2023 stieg der Handel mit Norwegen um 32 Prozent auf 41 Milliarden Dollar in"
    " vier Jahren.",
    "fr": "Le 5 juillet 2023, le commerce avec la Norvège a augmenté de 32 %, à 41 milliards de"
    " dollars en quatre ans.",
    "es": "El 5 de julio de 2023 el comercio con Noruega subió un 32 %, a 41 mil millones de"
    " dólares"
    " en cuatro años.",
    "it": "Il 5 luglio 2023 il commercio con la Norvegia è salito del 32% a 41 miliardi di"
    " dollari in"
    " quattro anni.",
    "pt": "Em 5 de julho de 2023 o comércio com a Noruega subiu 32%, para 41 bilhões de dólares em"
    " quatro anos.",
    "zh": "2023年7月5日，与挪威的贸易额在四年内增长32%，达到410亿美元。",
    "ja": "2023年7月5日、ノルウェーとの貿易は4年間で32%増の410億ドルに達した。",
    "fa": "در ۵ ژوئیه ۲۰۲۳ تجارت با نروژ در چهار سال ۳۲ درصد افزایش یافت و به ۴۱ میلیارد دلار"
    " رسید.",
}
PAIRS = [(one, other) for one in SAID for other in SAID]


@pytest.mark.parametrize(("lang", "quote_lang"), PAIRS)
def test_a_translation_has_no_finding(lang: str, quote_lang: str) -> None:
    assert audit(SAID[lang], lang, [(SAID[quote_lang], quote_lang)]) == ()


WRONG = [
    ("en", "41 billion", "21 billion", "figure"),
    ("en", "41 billion", "41 million", "figure"),
    ("en", "2023", "2024", "figure"),
    ("en", "July", "June", "date"),
    ("en", "four years", "fourteen years", "figure"),
    ("en", "32%", "32 years", "percent"),
    ("en", "dollars", "euros", "currency"),
    ("en", "Norway", "Brazil", "country"),
    ("tr", "41 milyar", "41 milyon", "figure"),
    ("tr", "Temmuz", "Haziran", "date"),
    ("tr", "dolara", "euroya", "currency"),
    ("tr", "Norveç", "Brezilya", "country"),
    ("he", "41 מיליארד", "41 מיליון", "figure"),
    ("he", "ביולי", "ביוני", "date"),
    ("he", "דולר", "אירו", "currency"),
    ("he", "נורווגיה", "ברזיל", "country"),
    ("ar", "٤١ مليار", "٤١ مليون", "figure"),
    ("ar", "يوليو", "حزيران", "date"),
    ("ar", "دولار", "يورو", "currency"),
    ("ar", "النرويج", "البرازيل", "country"),
    ("pl", "2023", "2024", "figure"),
    ("pl", "lipca", "czerwca", "date"),
    ("pl", "cztery", "czternaście", "figure"),
    ("pl", "dolarów", "franków", "currency"),
    ("pl", "Norwegią", "Brazylią", "country"),
    ("ru", "июля", "июня", "date"),
    ("ru", "долларов", "рублей", "currency"),
    ("uk", "липня", "червня", "date"),
    ("kk", "шілдеде", "тамызда", "date"),
    ("kk", "миллиард", "миллион", "figure"),
    ("de", "41 Milliarden", "41 Billionen", "figure"),
    ("de", "Juli", "Juni", "date"),
    ("fr", "juillet", "juin", "date"),
    ("es", "dólares", "euros", "currency"),
    ("it", "luglio", "giugno", "date"),
    ("pt", "julho", "junho", "date"),
    ("zh", "7月", "6月", "date"),
    ("zh", "410亿", "41亿", "figure"),
    ("zh", "挪威", "巴西", "country"),
    ("ja", "410億ドル", "410億ユーロ", "currency"),
    ("fa", "۴۱", "۲۱", "figure"),
]


@pytest.mark.parametrize(("lang", "right", "wrong", "kind"), WRONG)
@pytest.mark.parametrize("quote_lang", ["en", "he", "ar", "pl", "tr"])
def test_one_wrong_particular_is_found_where_it_stands(
    lang: str, right: str, wrong: str, kind: str, quote_lang: str
) -> None:
    text = SAID[lang].replace(right, wrong)
    assert text != SAID[lang]
    (finding,) = audit(text, lang, [(SAID[quote_lang], quote_lang)])
    assert finding.kind == kind
    assert text[finding.start : finding.end] == finding.text
    at = text.index(wrong)
    if kind != "currency":  # that is the figure beside the changed word
        assert finding.start < at + len(wrong)
        assert at < finding.end


@pytest.mark.parametrize(
    ("text", "lang", "quote", "quote_lang", "names"),
    [
        ("Here Kowalski met Novak.", "en", "Kowalski spotkał Dvořáka.", "pl", ["Novak"]),
        ("Here Kowalski met Dvorak.", "en", "Kowalski spotkał Dvořáka.", "pl", []),
        ("Anna Wendel leads it.", "en", "את הארגון מובילה אנה ונדל.", "he", []),
        ("Anna Tolvar leads it.", "en", "את הארגון מובילה אנה ונדל.", "he", ["Tolvar"]),
        ("Kurumu Anna Wendel yönetiyor.", "tr", "تدير المنظمة آنا فندل.", "ar", []),
        ("Kurumu Anna Tolvar yönetiyor.", "tr", "تدير المنظمة آنا فندل.", "ar", ["Tolvar"]),
        ("Им руководит Анна Вендель.", "ru", "Anna Wendel leads it.", "en", []),
        ("Им руководит Анна Толвар.", "ru", "Anna Wendel leads it.", "en", ["Толвар"]),
        ("It is in Warsaw, said Wendel.", "en", "זה בוורשה, אמר ונדל.", "he", []),
        ("The Foreign Ministry of Norway spoke.", "en", "دلى وزير خارجية النرويج.", "ar", []),
        ("Der Minister Tolvar sprach.", "de", "Wendel konuştu.", "tr", []),
        ("Then Anna Tolvar spoke.", "en", "安娜发言。", "zh", []),
    ],
)
def test_a_name_needs_a_counterpart(
    text: str, lang: str, quote: str, quote_lang: str, names: list[str]
) -> None:
    found = audit(text, lang, [(quote, quote_lang)])
    assert [each.text for each in found] == names
    assert {each.kind for each in found} <= {"name"}


def test_a_name_of_the_question_is_no_finding_and_its_figure_is() -> None:
    quote, asked = [("הסחר עלה", "he")], ("Did Tolvar sell 57 boats to Norway?", "en")
    text = "Trade of Tolvar with Norway rose by 57."
    assert [each.text for each in audit(text, "en", quote, asked)] == ["57"]


@pytest.mark.parametrize(
    ("text", "quote", "lang"),
    [
        ("in 2019", "שָׁלוֹם ב-2019", "he"),
        ("34 thousand", "بَلَغَ العدد ٣٤ ألفًا", "ar"),
        ("in Istanbul on Tuesday", "I\u0307stanbul'da salı günü", "tr"),
        ("in I\u0307stanbul", "İstanbul'da", "tr"),
        ("the 7\u2066th\u2069 day", "7. gün", "tr"),
        ("said Zo\u0308lly", "powiedział Zölly", "pl"),
    ],
)
def test_marks_and_forms_of_letters_make_no_finding(text: str, quote: str, lang: str) -> None:
    assert audit(text, "en", [(quote, lang)]) == ()


@pytest.mark.parametrize(
    "text", ["One of them may march on.", "The second of the two left.", "Both came at once."]
)
def test_common_words_are_no_particulars(text: str) -> None:
    assert audit(text, "en", [("Hiçbir şey yok.", "tr")]) == ()


PIECES = [
    "41", "billion", "forty-one", "%", "percent", "$", "July", "5", "2024-07-05", "Norway", "Anna",
    "Tolvar", "the", "of", "יולי", "٤١", "مليار", "İ", "e\u0301", "\u200f", "410亿", "7月", ".",
    "Pazartesi", "lipca", "[1]", "\r\n",
]  # fmt: skip
texts = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES)).map(" ".join))
langs = st.sampled_from([*SAID, "", "xx", "hi"])


@settings(deadline=None)  # names of a language are read when it is first met
@given(texts, langs)
def test_a_text_follows_from_itself(text: str, lang: str) -> None:
    assert audit(text, lang, [(text, lang)]) == ()


@settings(deadline=None)
@given(texts, langs, texts, langs)
def test_findings_stand_in_the_text_in_order(
    text: str, lang: str, quote: str, quote_lang: str
) -> None:
    found = audit(text, lang, [(quote, quote_lang)])
    assert all(text[each.start : each.end] == each.text and each.text for each in found)
    assert [each.start for each in found] == sorted(each.start for each in found)


@settings(deadline=None)
@given(st.sampled_from(sorted(SAID)), st.sampled_from(sorted(SAID)), st.integers(0, 120))
def test_what_is_shown_early_is_a_beginning_that_is_not_refused(
    lang: str, quote_lang: str, size: int
) -> None:
    text = SAID[lang]
    shown, found = audit_begun(text[:size], lang, [(SAID[quote_lang], quote_lang)])
    assert text.startswith(shown)
    assert found == ()


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES)).map(" ".join), langs, st.integers(0, 80))
@example("Norway Tolvar 41 Norway Norway Norway", "en", 31)
def test_what_is_found_early_is_found_in_the_end(text: str, lang: str, size: int) -> None:
    quote = [("5 lipca, 41 mld", "pl")]
    _, early = audit_begun(text[:size], lang, quote)
    whole = audit(text, lang, quote)
    spans = [(each.start, each.end) for each in whole]
    assert all(any(a < each.end and each.start < b for a, b in spans) for each in early)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))


def test_the_measurement_counts_wrong_findings_and_caught_faults(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": lang, "lang": lang, "text": SAID[lang], "group": "a", "sentences": [[0, 999]]}
        for lang in ("en", "pl")
    ]
    rows += [
        {"id": f"{lang}2", "lang": lang, "text": text, "group": "b", "sentences": [[0, 99]]}
        for lang, text in (("en", "It was 12 boats."), ("pl", "Było 13 łodzi."))
    ]
    _write(tmp_path / "ntrex.passages.jsonl.gz", rows)
    result = CliRunner().invoke(main, [str(tmp_path), "--show", "1"])
    assert result.exit_code == 0, result.output
    assert "| ntrex | 4 | 50.0 | 50.0 |" in result.output
    assert "| magnitude | 1 | 100.0 |" in result.output
    assert "figure: 1" in result.output


def test_a_file_without_pairs_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(InputError, match=r"pairs\.jsonl\.gz holds no sentence pairs"):
        sentence_pairs(path)


def test_a_country_is_not_excused_by_another_that_is_spelt_alike() -> None:
    quote = ("Filozof Özbekistan'da doğdu.", "tr")
    assert audit("He was born in Uzbekistan.", "en", [quote]) == ()
    (found,) = audit("He was born in Pakistan.", "en", [quote])
    assert (found.kind, found.text) == ("country", "Pakistan")


@pytest.mark.parametrize(
    ("text", "lang", "quote", "quote_lang"),
    [
        ("It lies on the old Silk Road.", "en", "Eski İpek Yolu üzerindedir.", "tr"),
        ("Путь шёл по Великому Шёлковому пути.", "ru", "طريق الحرير", "ar"),
        ("Ол Рамирез Қызыл Крестінің өкілі деді.", "kk", "Ramírez, Kızılhaç", "tr"),
        ("Сауда Ковальскиймен талқыланды.", "kk", "Kowalski spotkał się z nim.", "pl"),
        ("Он встретил Ковальского.", "ru", "הוא פגש את קובלסקי", "he"),
        ("Kowalski'nin evi", "tr", "dom Kowalskiego", "pl"),
    ],
)
def test_names_that_are_translated_or_inflected_are_not_doubted(
    text: str, lang: str, quote: str, quote_lang: str
) -> None:
    assert audit(text, lang, [(quote, quote_lang)]) == ()


@pytest.mark.parametrize(
    ("text", "lang", "tells"),
    [
        ("It rose by 7 percent.", "en", True),
        ("Er wohnt in Chicago.", "de", True),
        ("ביום שלישי", "he", True),
        ("One of them left it.", "en", False),
        ("", "kk", False),
    ],
)
def test_a_text_without_particulars_is_told(text: str, lang: str, tells: bool) -> None:
    assert has_particulars(text, lang) is tells


def test_what_is_around_supports_no_figure() -> None:
    around = [("Handel wzrósł o 18 procent.", "pl")]
    (finding,) = audit("It rose by 18 percent.", "en", [("Wzrósł.", "pl")], around=around)
    assert finding.kind == "figure"


def test_a_country_is_found_where_spaces_are_lost() -> None:
    quote = [("اتخذتالولاياتالمتحدةتدابير", "ar")]
    assert audit("The United States took measures.", "en", quote) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Касим-Жомарт Токаєв — президент.",
        "Президент — Касим-Жомарт Токаєв.",
        "Це сказав Жомарт Токаєв.",
    ],
)
def test_a_forename_that_is_spelt_in_another_way_is_not_doubted(text: str) -> None:
    quote = [("Cumhurbaşkanı Kasım Cömert Tokayev konuştu.", "tr")]
    assert audit(text, "uk", quote) == ()
    assert audit("Це сказав Петро Іванченко.", "uk", quote)
