"""The evaluation's questions are true to the articles, and a faulty one is refused."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from fake_engine import (
    answer,
    row,
)

from evals.cases import Case, Evidence, Quote, Temptation, load_cases
from evals.metrics import (
    facts_right,
)
from rag.errors import InputError
from rag.resources import evals_folder, seeds_folder

QUESTIONS = evals_folder() / "questions.jsonl"


LANGUAGE_OF = {"000": "tr", "001": "he", "002": "ar", "003": "pl", "004": "tr"}


TRADE_LANGUAGES = {"en", "tr", "ar", "pl", "he", "ru", "kk", "zh", "de"}


@pytest.fixture(scope="module")
def articles() -> dict[str, str]:
    return {path.name: path.read_bytes().decode("utf-8") for path in seeds_folder().glob("*.txt")}


@pytest.fixture(scope="module")
def questions(articles: dict[str, str]) -> tuple[Case, ...]:
    return load_cases(QUESTIONS, articles)


def test_every_quote_stands_in_its_article_at_its_offsets(
    questions: tuple[Case, ...], articles: dict[str, str]
) -> None:
    for case in questions:
        distractors = case.distractor.quotes if case.distractor else ()
        for quote in (*(q for item in case.evidence for q in item.quotes), *distractors):
            assert articles[quote.source][quote.start : quote.end] == quote.text


def test_questions_are_many_and_in_many_languages(questions: tuple[Case, ...]) -> None:
    languages = Counter(case.lang for case in questions)
    assert len(questions) >= 100
    assert len(languages) >= 10
    assert {"en", "kk", "ru", "zh", "tr", "ar", "he", "pl", "de", "fr", "es"} <= set(languages)


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("unanswerable", 20),
        ("false_premise", 6),
        ("follow_up", 8),
        ("two_article", 6),
        ("list", 8),
        ("figure", 8),
        ("date", 8),
        ("who", 8),
        ("fact", 8),
    ],
)
def test_each_kind_has_enough_questions(questions: tuple[Case, ...], kind: str, least: int) -> None:
    assert sum(case.kind == kind for case in questions) >= least


def test_many_questions_are_asked_in_three_languages(questions: tuple[Case, ...]) -> None:
    languages = defaultdict(set)
    for case in questions:
        if case.answerable:
            languages[case.group].add(case.lang)
    assert sum(len(group) >= 3 for group in languages.values()) >= 8


def test_members_of_a_group_share_kind_and_evidence(questions: tuple[Case, ...]) -> None:
    shared = defaultdict(set)
    for case in questions:
        shared[case.group].add((case.kind, case.evidence, len(case.must), case.distractor))
    assert [group for group, forms in shared.items() if len(forms) > 1] == []


def test_most_questions_are_not_in_the_language_of_the_article(
    questions: tuple[Case, ...],
) -> None:
    foreign = [
        case.lang not in {LANGUAGE_OF[q.source[:3]] for item in case.evidence for q in item.quotes}
        for case in questions
        if case.answerable
    ]
    assert sum(foreign) / len(foreign) > 0.8


def test_the_trade_of_2023_is_asked_in_nine_languages(questions: tuple[Case, ...]) -> None:
    trade = {case.lang: case for case in questions if case.group == "trade-2023"}
    assert set(trade) == TRADE_LANGUAGES
    assert trade["en"].question == "what was 2023 bilateral trade?"
    for case in trade.values():
        (item,) = case.evidence
        assert item.quotes[0].source.startswith("001")
        assert "41 מיליארד דולר" in item.quotes[0].text


def test_unanswerable_questions_tempt_in_every_way(questions: tuple[Case, ...]) -> None:
    types = {case.distractor.type for case in questions if case.distractor}
    assert types == set(get_args(Temptation))


def test_quoting_the_proof_alone_is_a_right_answer(questions: tuple[Case, ...]) -> None:
    for case in questions:
        for chosen in itertools.product(*(item.quotes for item in case.evidence)):
            quoted = answer(" ".join(quote.text for quote in chosen))
            assert facts_right(case, quoted) in (1.0, None), case.id


def test_no_question_or_history_holds_its_own_answer(questions: tuple[Case, ...]) -> None:
    for case in questions:
        said = [case.question, *itertools.chain.from_iterable(case.history)]
        assert facts_right(case, answer(" ".join(said))) in (0.0, None), case.id


TRADE_ANSWERS = {
    "en": "Bilateral trade reached 41 billion US dollars, up 32 percent [1].",
    "tr": "İkili ticaret yüzde 32 artışla 41 milyar dolara ulaştı [1].",
    "ar": "بلغت التجارة الثنائية ٤١ مليار دولار [1].",
    "pl": "Wymiana handlowa wyniosła 41 mld dolarów [1].",
    "he": "הסחר הדו-צדדי הגיע ל-41 מיליארד דולר [1].",
    "ru": "Объём торговли составил 41 млрд долларов [1].",
    "kk": "Сауда көлемі 41 миллиард долларға жетті [1].",
    "zh": "双边贸易额达到410亿美元[1]。",
    "de": "Der Handel erreichte 41 Milliarden Dollar [1].",
}


TRADE_MISTAKES = {
    "en": ["It was 21 billion dollars [1].", "It rose by 32 percent [1].", "41 million dollars."],
    "tr": ["21 milyar dolar [1].", "Yüzde 32 arttı [1].", "41 milyon dolar."],
    "ar": ["٢١ مليار دولار [1].", "ارتفعت بنسبة 32 في المائة [1].", "41 مليون دولار"],
    "pl": ["21 miliardów dolarów [1].", "Wzrosła o 32 procent [1].", "41 milionów dolarów"],
    "he": ["21 מיליארד דולר [1].", "עלה ב-32 אחוזים [1].", "41 מיליון דולר"],
    "ru": ["21 миллиард долларов [1].", "Выросла на 32 процента [1].", "41 миллион"],
    "kk": ["21 миллиард доллар [1].", "32 пайызға өсті [1].", "41 миллион доллар"],
    "zh": ["210亿美元[1]。", "增长32%[1]。", "41亿美元[1]。"],
    "de": ["21 Milliarden Dollar [1].", "Er stieg um 32 Prozent [1].", "41 Millionen Dollar"],
}


@pytest.mark.parametrize("lang", sorted(TRADE_LANGUAGES))
def test_trade_labels_tell_right_answers_from_traps(questions: tuple[Case, ...], lang: str) -> None:
    case = next(case for case in questions if case.id == f"fact-trade-2023-{lang}")
    assert facts_right(case, answer(TRADE_ANSWERS[lang])) == 1.0
    assert [facts_right(case, answer(text)) for text in TRADE_MISTAKES[lang]] == [0.0] * 3


def load(tmp_path: Path, *rows: Mapping[str, Any] | str) -> tuple[Case, ...]:
    path = tmp_path / "questions.jsonl"
    lines = [item if isinstance(item, str) else json.dumps(item) for item in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_cases(path, {"a.txt": "It was 41 billion. No, no.", "b.txt": "Other."})


def test_loads_alternatives_with_their_offsets(tmp_path: Path) -> None:
    other = {"source": "b.txt", "quote": "Other"}
    (case,) = load(
        tmp_path, row(evidence=[{"source": "a.txt", "quote": "41 billion", "or": [other]}])
    )
    quotes = (Quote("a.txt", 7, 17, "41 billion"), Quote("b.txt", 0, 5, "Other"))
    assert case.evidence == (Evidence(quotes),)


TEMPTING = {"source": "a.txt", "quote": "41 billion", "type": "other_year"}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"kind": "guess"}, "kind 'guess' is none of"),
        ({"lang": "English"}, "not ISO 639-1"),
        ({"question": " "}, "question must be text"),
        ({"group": None}, "these fields are missing: group"),
        ({"musts": []}, "these fields are unknown: musts"),
        ({"evidence": []}, "evidence and must may not be empty"),
        ({"must": [[]]}, "a must group has no alternatives"),
        ({"must": [["41", ""]]}, "must must hold texts"),
        ({"must": "41"}, "must must be a list"),
        ({"evidence": [{"source": "c.txt", "quote": "x"}]}, "no article is named 'c.txt'"),
        ({"evidence": [{"source": "a.txt", "quote": "42"}]}, "stands 0 times in a.txt"),
        ({"evidence": [{"source": "a.txt", "quote": "o"}]}, "stands 3 times in a.txt"),
        ({"evidence": [{"source": "a.txt", "quote": "41", "page": 1}]}, "unknown fields: page"),
        ({"history": [["q", "a"]]}, "history is for follow_up alone"),
        ({"kind": "follow_up"}, "history is for follow_up alone"),
        ({"kind": "follow_up", "history": [["q"]]}, "pairs of question and answer"),
        ({"kind": "two_article"}, "evidence from two articles"),
        ({"distractor": TEMPTING}, "a distractor is for unanswerable alone"),
        ({"kind": "unanswerable"}, "neither evidence nor must"),
        ({"kind": "unanswerable", "evidence": [], "must": []}, "needs a distractor"),
        (
            {
                "kind": "unanswerable",
                "evidence": [],
                "must": [],
                "distractor": TEMPTING | {"type": "vague"},
            },
            "type 'vague' is none of",
        ),
    ],
)
def test_refuses_a_faulty_case(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault) as raised:
        load(tmp_path, row(id="fine"), row(**changes))
    assert "line 2: " in str(raised.value)
    assert "\n" not in str(raised.value)


def test_refuses_an_id_that_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 3: the id 'one' stands twice"):
        load(tmp_path, row(), row(id="two"), row())


@pytest.mark.parametrize("line", ["{", "[]", "", "null"])
def test_refuses_a_line_that_is_no_object(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match="line 2: "):
        load(tmp_path, row(), line)


def test_refuses_a_file_that_is_missing_or_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_cases(tmp_path / "none.jsonl", {})
    with pytest.raises(InputError, match="holds no questions"):
        load(tmp_path, "")
