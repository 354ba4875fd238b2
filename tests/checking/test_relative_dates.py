"""What a quote says of dates without writing it follows from its article's date."""

from decimal import Decimal

import pytest

from rag.checking.audit import audit
from rag.checking.relative_dates import anniversaries, reckon
from rag.languages.facts import facts_of

DATE = "2021-03-10"
"""A Wednesday."""


@pytest.mark.parametrize(
    ("quote", "lang", "years"),
    [
        ("בשנה הבאה", "he", {2022}),
        ("السنة الماضية", "ar", {2020}),
        ("w zeszłym roku", "pl", {2020}),
        ("gelecek yıl", "tr", {2022}),
        ("this year", "en", {2021}),
        ("в прошлом году", "ru", {2020}),
        ("келесі жылы", "kk", {2022}),
        ("去年", "zh", {2020}),
        ("לפני שנתיים", "he", {2019}),
        ("قبل ثلاث سنوات", "ar", {2018}),
        ("za dwa lata", "pl", {2023}),
        ("vor fünf Jahren", "de", {2016}),
        ("para 3 vuotta sitten", "fi", {2018}),
    ],
)
def test_years_are_reckoned_from_the_article(quote: str, lang: str, years: set[int]) -> None:
    found = reckon([facts_of(quote, lang)], [DATE]).figures
    assert {int(year) for year in found if isinstance(year, Decimal)} == years


@pytest.mark.parametrize(
    ("claim", "quote", "lang", "wrong"),
    [
        ("On 9 March 2021 it fell.", "Dün düştü.", "tr", "On 19 March 2021 it fell."),
        ("On Tuesday it fell.", "אתמול זה נפל.", "he", "On Friday it fell."),
        ("On 12 March it falls.", "Spadnie w piątek.", "pl", "On 15 March it falls."),
        ("In February 2021 it fell.", "سقط الشهر الماضي.", "ar", "In June 2021 it fell."),
    ],
)
def test_a_day_that_follows_is_supported_and_another_is_not(
    claim: str, quote: str, lang: str, wrong: str
) -> None:
    quotes = [(quote, lang)]
    assert audit(claim, "en", quotes, dates=[DATE]) == ()
    assert audit(wrong, "en", quotes, dates=[DATE])
    assert audit(claim, "en", quotes)


def test_relative_words_need_no_date() -> None:
    assert audit("It fell two years ago, yesterday.", "en", [("İki yıl önce, dün.", "tr")]) == ()


def test_the_year_may_stand_in_the_passage_where_the_quote_has_day_and_month() -> None:
    quote, around = ("Spadł 9 marca.", "pl"), [("Zima 2021 była długa, 40 dni.", "pl")]
    assert audit("It fell on 9 March 2021.", "en", [quote], around=around) == ()
    assert audit("It fell on 9 March 2020.", "en", [quote], around=around)
    assert audit("It fell on 9 March after 40 days.", "en", [quote], around=around)


def test_an_anniversary_tells_a_year() -> None:
    quotes = (("Founded in 1910, it kept its 25th birthday.", "en"),)
    assert anniversaries([facts_of(*quotes[0])]) >= {Decimal(1935)}
    assert audit("W 1935 roku.", "pl", quotes) == ()


@pytest.mark.parametrize("date", ["", "2021", "yesterday", "0001-01-01", "9999-12-31"])
def test_any_date_is_borne(date: str) -> None:
    assert reckon([facts_of("two hundred years ago, in 3 weeks, on Monday", "en")], [date])


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The report of 5 July 2024 tells of a rise of 32 percent.", "en"),
        ("Статья от 5 июля 2024 года говорит о росте на 32 процента.", "ru"),
        ("2024年7月5日的文章说增长了32%。", "zh"),
        ("W artykule z 05.07.2024 mowa o wzroście o 32 procent.", "pl"),
        ("W artykule z lipca 2024 mowa o wzroście o 32 procent.", "pl"),
    ],
)
def test_a_claim_may_name_the_date_of_its_article(text: str, lang: str) -> None:
    quote = [("עלה ב-32 אחוזים", "he")]
    assert audit(text, lang, quote, dates=["2024-07-05"]) == ()
    assert audit(text, lang, quote, dates=["2021-03-09"])
    assert audit(text.replace("32", "33"), lang, quote, dates=["2024-07-05"])
