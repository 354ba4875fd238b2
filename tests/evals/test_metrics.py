"""The evaluation's questions are true to the articles, and its figures mean what they say."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.cases import Case, Distractor, Evidence, Quote, Temptation, load_cases
from evals.choose import searchable, select, spread
from evals.matching import fold, holds, without_marks
from evals.measure import Result, run, run_search
from evals.metrics import (
    Score,
    answer_language,
    citations_apt,
    coverage,
    crag,
    evidence_cited,
    evidence_found,
    facts_right,
    failed,
    group_consistency,
    own_words,
    pointers_exact,
    score,
    summarise,
)
from evals.summary import summary
from rag.errors import InputError, ModelError
from rag.records import (
    Answer,
    AnswerEvent,
    CallEvent,
    Citation,
    Document,
    Event,
    Hit,
    HitsEvent,
    Usage,
)
from rag.resources import evals_folder, seeds_folder
from rag.settings import Settings

QUESTIONS = evals_folder() / "questions.jsonl"
LANGUAGE_OF = {"000": "tr", "001": "he", "002": "ar", "003": "pl", "004": "tr"}
TRADE_LANGUAGES = {"en", "tr", "ar", "pl", "he", "ru", "kk", "zh", "de"}


@pytest.fixture(scope="module")
def articles() -> dict[str, str]:
    return {path.name: path.read_bytes().decode("utf-8") for path in seeds_folder().glob("*.txt")}


@pytest.fixture(scope="module")
def questions(articles: dict[str, str]) -> tuple[Case, ...]:
    return load_cases(QUESTIONS, articles)


# The questions


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


# Loading


def row(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "one",
        "lang": "en",
        "kind": "figure",
        "group": "g",
        "question": "How much?",
        "evidence": [{"source": "a.txt", "quote": "41 billion"}],
        "must": [["41"]],
        "must_not": [],
    }
    merged = fields | changes
    return {name: value for name, value in merged.items() if value is not None}


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


# Matching


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("İSTANBUL", "istanbul"),
        ("ISPARTA", "ısparta"),
        ("DIŞİŞLERİ", "dışişleri"),
        ("٤١", "41"),
        ("۴۱", "41"),
        ("२०२५", "2025"),
        ("41", "41"),
        ("שָׁלוֹם", "שלום"),
        ("التِّجَارَة", "التجارة"),
        ("التجـــارة", "التجارة"),
        ("Xi’an", "Xi'an"),
        ("בייג׳ינג", "בייג'ינג"),
        ("41\u00a0Mrd", "41 Mrd"),
        ("41 %", "41%"),
        ("٤١٪", "41%"),
        ("\u2068" + "41\u2069", "41"),
        ("Straße", "STRASSE"),
        ("two\n  lines", "two lines"),
        ("سی‌ودو", "سیودو"),
    ],
)
def test_folds_writings_that_mean_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert fold(fold(one)) == fold(one)


@pytest.mark.parametrize("text", ["41.000", "41,000", "41 000", "کتاب", "वर्ष"])
def test_folding_leaves_separators_and_letters(text: str) -> None:
    assert fold(text) == text


@pytest.mark.parametrize(
    ("text", "alternative", "found"),
    [
        ("It was 41.", "41", True),
        ("$41bn", "41", True),
        ("ל-41 מיליארד", "41", True),
        ("达41亿", "41亿", True),
        ("达410亿", "41亿", False),
        ("达1410亿", "410亿", False),
        ("(41)", "41", True),
        ("41%", "41", True),
        ("up 41 % on", "41%", True),
        ("41, then", "41", True),
        ("2041", "41", False),
        ("410", "41", False),
        ("41.5", "41", False),
        ("3,41", "41", False),
        ("41,000", "41", False),
        ("٤١٫٥", "41", False),
        ("٢٠٤١", "41", False),
        ("في عام ٢٠٢٥", "2025", True),
        ("141%", "41%", False),
        ("party", "art", False),
        ("artful", "art", False),
        ("an art.", "art", True),
        ("Luban-Werkstatt", "Luban", True),
        ("sojuszu", "sojusz", True),
        ("разминка", "мин", False),
        ("ובמתכות", "מתכות", True),
        ("שבאסטנה", "אסטנה", True),
        ("בִּשְׁנַת 2025", "שנת", True),
        ("وباللقاحات", "لقاح", True),
        ("والأصفر", "أصفر", True),
        ("中国的Farabi半身像", "Farabi", True),
        ("在哈萨克斯坦举行", "哈萨克斯坦", True),
        ("ÇİN", "çin", True),
        ("KIRK BİR", "kırk bir", True),
        ("Xi’an", "Xi'an", True),
        ("al-Farabi", "Farabi", True),
        ("the aim", "AI", False),
        ("AI-Modelle", "AI", True),
        ("", "41", False),
    ],
)
def test_finds_whole_figures_and_words_from_their_start(
    text: str, alternative: str, found: bool
) -> None:
    assert holds(text, [alternative]) is found
    assert holds(text, ["not there", alternative]) is found


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_figure_is_found_only_as_itself(written: int, sought: int) -> None:
    assert holds(f"x {written} y", [str(sought)]) is (written == sought)


def test_marks_are_no_figures() -> None:
    assert without_marks("Six [1] jets [2, 3][4].") == "Six jets."
    assert not holds(without_marks("Several jets flew [6]."), ["6"])


# Scores of one answer

ARTICLES = {"a.txt": "Trade rose to 41 billion. Six jets flew.", "b.txt": "الصين وكازاخستان"}


def quote(text: str, source: str = "a.txt") -> Quote:
    start = ARTICLES[source].index(text)
    return Quote(source, start, start + len(text), text)


def citation(text: str, source: str = "a.txt") -> Citation:
    place = quote(text, source)
    lang = "ar" if source == "b.txt" else "en"
    return Citation(1, source, place.start, place.end, text, lang=lang)


def answer(text: str, *citations: Citation, **changes: Any) -> Answer:
    fields: dict[str, Any] = {"abstained": False, "language": "en", "hits": ()}
    return Answer(text, citations, **fields | changes)


def hit(start: int, end: int, source: str = "a.txt") -> Hit:
    return Hit(source, start, end, ARTICLES[source][start:end], 1.0, "en")


def case(**changes: Any) -> Case:
    fields: dict[str, Any] = {
        "id": "one",
        "lang": "en",
        "kind": "figure",
        "group": "g",
        "question": "How much?",
        "history": (),
        "evidence": (Evidence((quote("Trade rose to 41 billion."),)),),
        "must": (("41", "forty-one"), ("billion",)),
        "must_not": ("21",),
        "distractor": None,
    }
    return Case(**fields | changes)


UNANSWERABLE = case(id="none", kind="unanswerable", evidence=(), must=())
ABSTAINED = answer("The articles do not say.", abstained=True)
SENTENCE = citation("Trade rose to 41 billion.")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer("It was 41 billion [1]."), 1.0),
        (answer("It was forty-one billion."), 1.0),
        (answer("It was 41 million."), 0.0),
        (answer("Not 21 but 41 billion."), 0.0),
        (answer("It was 32 billion [41]."), 0.0),
        (answer("41 billion", abstained=True), 0.0),
    ],
)
def test_facts_are_right_with_all_that_must_and_nothing_that_must_not(
    given: Answer, expected: float
) -> None:
    assert facts_right(case(), given) == expected


@pytest.mark.parametrize(
    ("citations", "recall", "precision"),
    [
        ((), 0.0, None),
        ((SENTENCE,), 1.0, 1.0),
        ((citation("rose to 41 billion"),), 1.0, 1.0),
        ((citation("Trade rose"),), 0.0, 1.0),
        ((citation("Trade rose"), citation("to 41 bill")), 1.0, 1.0),
        ((SENTENCE, citation("Six jets flew.")), 1.0, 0.5),
        ((citation("الصين", "b.txt"),), 0.0, 0.0),
    ],
)
def test_citations_are_scored_by_the_evidence_they_cover(
    citations: tuple[Citation, ...], recall: float, precision: Score
) -> None:
    given = answer("41 billion", *citations)
    assert evidence_cited(case(), given) == recall
    assert citations_apt(case(), given) == precision


def test_any_alternative_proves_a_fact_and_every_fact_needs_proof() -> None:
    either = Evidence((quote("Trade rose to 41 billion."), quote("الصين", "b.txt")))
    both = case(evidence=(either, Evidence((quote("Six jets flew."),))))
    assert evidence_cited(both, answer("", citation("الصين", "b.txt"))) == 0.5
    assert evidence_cited(both, answer("", SENTENCE, citation("Six jets flew."))) == 1.0


def test_overlapping_slices_are_not_counted_twice() -> None:
    whole = quote("Trade rose to 41 billion.")
    assert coverage(whole, [quote("Trade rose"), quote("Trade")]) == 10 / 25


def test_a_pointer_is_exact_only_at_the_very_place() -> None:
    shifted = Citation(2, "a.txt", 1, 6, "Trade")
    unknown = Citation(3, "c.txt", 0, 0, "")
    assert pointers_exact((SENTENCE,), ARTICLES) == 1.0
    assert pointers_exact((SENTENCE, shifted), ARTICLES) == 0.5
    assert pointers_exact((unknown,), ARTICLES) == 0.0
    assert pointers_exact((), ARTICLES) is None


@pytest.mark.parametrize(
    ("hits", "expected"),
    [((hit(0, 40),), 1.0), ((hit(0, 10), hit(10, 25)), 1.0), ((hit(0, 20),), 0.0), ((), 0.0)],
)
def test_evidence_is_found_when_it_can_be_read_in_full(
    hits: tuple[Hit, ...], expected: float
) -> None:
    assert evidence_found(case(), hits) == expected


@pytest.mark.parametrize(
    ("asked", "given", "expected"),
    [
        (case(), answer("41 billion"), 1.0),
        (case(), ABSTAINED, 0.0),
        (case(), answer("21 billion"), -1.0),
        (UNANSWERABLE, ABSTAINED, 1.0),
        (UNANSWERABLE, answer("41 billion"), -1.0),
    ],
)
def test_a_wrong_answer_costs_more_than_none(asked: Case, given: Answer, expected: float) -> None:
    assert crag(asked, given) == expected


def test_language_is_judged_by_the_answers_own_words() -> None:
    given = answer("The articles tell us: “الصين وكازاخستان” [1].", citation("الصين", "b.txt"))
    seen: list[str] = []

    def detect(text: str) -> str:
        seen.append(text)
        return "en"

    assert answer_language(case(), given, detect) == 1.0
    assert seen == ["The articles tell us: ."]
    assert answer_language(case(lang="de"), given, detect) == 0.0


def test_a_fact_that_only_a_foreign_quote_tells_is_not_told_to_the_asker() -> None:
    quoted = answer(f"The article says: “{SENTENCE}” [1]", SENTENCE)
    foreign = replace(quoted, citations=(replace(quoted.citations[0], lang="he"),))
    own = replace(quoted, citations=(replace(quoted.citations[0], lang="en"),))
    named = replace(foreign, text=foreign.text.replace("[1]", "It names: 41 billion $. [1]"))
    scores = [score(case(), each, ARTICLES, lambda words: "en") for each in (foreign, own, named)]
    assert [each.facts_right for each in scores] == [1.0, 1.0, 1.0]
    assert [each.right_in_language for each in scores] == [0.0, 1.0, 1.0]


def test_titles_that_are_set_off_do_not_count_as_the_answers_language() -> None:
    said = answer("It says nothing of it. Nearest: “\u2068Ein ganz anderer Titel\u2069”.")
    assert "Titel" not in own_words(said)
    assert "It says nothing of it." in own_words(said)


def test_language_of_a_short_or_unknown_text_is_not_judged() -> None:
    assert answer_language(case(), answer("41 [1]"), lambda text: "fr") is None
    assert answer_language(case(), answer("It was 41 billion dollars."), lambda text: "") is None
    assert own_words(answer("Trade rose to 41 billion. [1]", SENTENCE)) == ""


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("Trade rose to 41 billion.", "en", 1.0),
        ("Der Handel stieg auf 41 billion.", "de", 0.0),
        ("Trade rose to 21 billion.", "en", 0.0),
        ("41 billion", "", 1.0),
    ],
)
def test_right_in_another_language_is_not_right_for_the_asker(
    text: str, lang: str, expected: float
) -> None:
    scores = score(case(), answer(text), ARTICLES, lambda words: lang)
    assert scores.right_in_language == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Trade rose to 41 billion [1].", 0.0),
        ("Trade rose to 57 billion [1].", 1.0),
        ("Trade rose to 41 billion [1]. That was in 2019.", 1.0),
        ("The article says: “Trade rose to 41 billion.” [1]", 0.0),
        ("Trade rose to 41 billion.", 1.0),
    ],
)
def test_a_figure_that_its_quotes_do_not_hold_is_unsupported(text: str, expected: float) -> None:
    citations = [SENTENCE] if "[1]" in text else []
    scores = score(case(), answer(text, *citations), ARTICLES, lambda words: "en")
    assert scores.unsupported == expected


def test_one_claim_is_not_supported_by_the_quote_of_another() -> None:
    jets = Citation(2, "a.txt", 26, 40, "Six jets flew.", lang="en")
    mixed = answer("Six jets flew [2]. Trade rose to 41 billion [2].", SENTENCE, jets)
    right = answer("Six jets flew [2]. Trade rose to 41 billion [1].", SENTENCE, jets)
    judged = [score(case(), each, ARTICLES, lambda words: "en") for each in (mixed, right)]
    assert [scores.unsupported for scores in judged] == [1.0, 0.0]


def test_an_error_fails_at_all_that_an_answer_owes() -> None:
    judged = {name: value for name, value in failed(case()).to_dict().items() if value is not None}
    assert judged == {
        "facts_right": 0.0,
        "right_in_language": 0.0,
        "evidence_cited": 0.0,
        "wrongly_abstained": 1.0,
        "answer_language": 0.0,
        "evidence_found": 0.0,
        "crag": 0.0,
    }
    assert failed(case(), [hit(0, 40)]).evidence_found == 1.0
    assert failed(UNANSWERABLE).wrongly_answered == 1.0
    assert failed(UNANSWERABLE).facts_right is None


def test_what_cannot_be_judged_is_none_and_not_zero() -> None:
    scores = score(UNANSWERABLE, ABSTAINED, ARTICLES, lambda text: "")
    judged = {name: value for name, value in scores.to_dict().items() if value is not None}
    assert judged == {"wrongly_answered": 0.0, "crag": 1.0}


# Figures


def test_standard_error_counts_questions_not_translations() -> None:
    alone = summarise([1.0, 0.0, 1.0, 0.0])
    translated = summarise([1.0, 0.0, 1.0, 0.0], ["a", "b", "a", "b"])
    assert (alone.mean, alone.n) == (translated.mean, translated.n) == (0.5, 4)
    assert alone.se == pytest.approx((1 / 3) ** 0.5 / 2)
    assert translated.se == pytest.approx(0.5)


def test_values_that_were_not_judged_do_not_count() -> None:
    assert summarise([None, 1.0, None]).to_dict() == {"mean": 1.0, "n": 1, "se": None}
    assert summarise([None]).mean is None


def test_an_empty_run_is_an_error() -> None:
    with pytest.raises(InputError, match="nothing was measured"):
        summarise([])
    with pytest.raises(InputError, match="nothing was measured"):
        run(FakeEngine(), [], ARTICLES)


def test_groups_agree_when_all_members_cite_the_same() -> None:
    members = [("a", (0,)), ("a", (0,)), ("b", (0, 1)), ("b", (0,)), ("c", ()), ("c", ())]
    assert group_consistency(members) == {"a": 1.0, "b": 0.0, "c": 0.0}


# Choosing


def test_a_limited_run_is_spread_evenly_and_always_the_same(questions: tuple[Case, ...]) -> None:
    chosen = spread(questions, 27)
    assert len(chosen) == 27
    assert set(Counter(case.kind for case in chosen).values()) == {3}
    assert len({case.lang for case in chosen}) >= 14
    assert len({case.group for case in chosen}) == 27
    assert chosen == spread(questions, 27)
    assert spread(questions, 10_000) == list(questions)


def test_selects_by_kind_language_and_id() -> None:
    cases = [case(), case(id="two", lang="de"), UNANSWERABLE]
    assert [c.id for c in select(cases, kinds=["figure"], langs=["de"])] == ["two"]
    assert [c.id for c in select(cases, ids=["none", "one"])] == ["one", "none"]
    with pytest.raises(InputError, match="no question has the id three"):
        select(cases, ids=["three"])
    with pytest.raises(InputError, match="no question is left"):
        select(cases, langs=["fr"])


def test_a_search_is_judged_by_answerable_first_questions_only() -> None:
    follow_up = case(id="then", kind="follow_up", history=(("q", "a"),))
    assert [c.id for c in searchable([case(), follow_up, UNANSWERABLE])] == ["one"]


# Whole runs


class FakeEngine:
    """Answers each question as its words say: right, wrong, abstain, fail, stop or break."""

    def __init__(self) -> None:
        self.histories: list[list[tuple[str, str]]] = []
        self.asked: list[str] = []
        self.settings = Settings.read(model="none")
        self.stops = True

    def stream(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Iterator[Event]:
        self.asked.append(question)
        self.histories.append(list(history))
        yield HitsEvent((hit(0, 25),), question)
        match question:
            case "fail":
                raise ModelError("the model is away")
            case "stop" if self.stops:
                raise KeyboardInterrupt
            case "break":
                raise ZeroDivisionError
            case "abstain":
                yield AnswerEvent(ABSTAINED)
                return
        amount = "41" if question == "right" else "21"
        yield CallEvent((("human", question),), f"{amount} billion", cached=question == "kept")
        usage = Usage(calls=1, prompt_tokens=10, completion_tokens=2, cost=0.5)
        found = {"hits": (hit(0, 25),), "usage": usage}
        text = f"Trade between the two was {amount} billion [1]."
        yield AnswerEvent(answer(text, SENTENCE, **found))

    def search(self, question: str, k: int = 8) -> list[Hit]:
        if question == "fail":
            raise ModelError("the model is away")
        return [hit(0, 25)] if question == "right" else []

    def documents(self) -> dict[str, Document]:
        return {name: Document(name, text, "en") for name, text in ARTICLES.items()}


def asked(question: str, **changes: Any) -> Case:
    return case(id=question, question=question, **changes)


def test_a_run_gives_the_expected_figures() -> None:
    cases = [asked("right"), asked("wrong"), asked("abstain"), asked("fail")]
    cases.append(asked("none", kind="unanswerable", evidence=(), must=(), group="h"))
    seen: list[Result] = []
    results = run(FakeEngine(), cases, ARTICLES, seen.append, detect=lambda text: "en")
    measured = summary(results, planned=5, langs={"a.txt": "en", "b.txt": "ar"})
    means = {name: (each.mean, each.n) for name, each in measured.figures.items() if each.n}
    assert seen == results
    assert means == {
        "facts_right": (0.25, 4),
        "right_in_language": (0.25, 4),
        "evidence_cited": (0.5, 4),
        "citations_apt": (1.0, 2),
        "pointers_exact": (1.0, 3),
        "wrongly_answered": (1.0, 1),
        "wrongly_abstained": (0.5, 4),
        "unsupported": (pytest.approx(2 / 3), 3),
        "answer_language": (0.8, 5),
        "evidence_found": (0.75, 4),
        "crag": (-0.2, 5),
        "group_consistency": (0.0, 1),
    }
    assert (measured.asked, measured.errors, measured.cost) == (5, 1, 1.5)
    assert (measured.tokens.prompt, measured.tokens.completion) == (30, 6)
    assert [result.error for result in results] == ["", "", "", "the model is away", ""]
    assert measured.by_pair["en>en"]["facts_right"].n == 4
    assert measured.by_kind["unanswerable"]["wrongly_answered"].mean == 1.0
    assert "facts_right" not in measured.by_kind["unanswerable"]


def test_an_error_in_a_search_counts_as_nothing_found() -> None:
    results = run_search(FakeEngine(), [asked("right"), asked("fail")])
    assert [result.scores.evidence_found for result in results] == [1.0, 0.0]
    assert results[1].error == "the model is away"


def test_answers_from_kept_replies_do_not_count_as_time() -> None:
    results = run(FakeEngine(), [asked("right"), asked("kept")], ARTICLES)
    measured = summary(results, 2)
    assert [result.cached for result in results] == [False, True]
    assert (measured.seconds.n, measured.seconds.median) == (1, results[0].seconds)
    assert summary(results[1:], 1).seconds.to_dict() == {"median": None, "p95": None, "n": 0}


def test_a_result_is_read_back_as_it_was_written() -> None:
    trap = Distractor((quote("Six jets"),), "other_year")
    none = asked("none", kind="unanswerable", evidence=(), must=(), distractor=trap)
    then = asked("right", kind="follow_up", history=(("q", "a"),))
    for result in run(FakeEngine(), [then, asked("fail"), none], ARTICLES):
        again = Result.read(result.line())
        assert again.case == result.case
        assert (again.scores, again.error) == (result.scores, result.error)
        assert again.line() == result.line()
    with pytest.raises(ValueError, match="no result"):
        Result.read('{"id": "one"}')


def test_only_expected_errors_are_counted() -> None:
    with pytest.raises(ZeroDivisionError):
        run(FakeEngine(), [asked("break")], ARTICLES)


def test_history_reaches_the_engine() -> None:
    engine = FakeEngine()
    run(engine, [asked("right", kind="follow_up", history=(("q", "a"),))], ARTICLES, detect=str)
    assert engine.histories == [[("q", "a")]]


def test_a_search_run_scores_the_passages_alone() -> None:
    results = run_search(FakeEngine(), [asked("right"), asked("wrong")])
    assert [result.scores.evidence_found for result in results] == [1.0, 0.0]
    assert {result.scores.facts_right for result in results} == {None}


def test_detects_the_language_with_the_products_own_detector() -> None:
    (result,) = run(FakeEngine(), [asked("right")], ARTICLES)
    assert result.scores.answer_language == 1.0
