"""The evaluation's figures mean what they say."""

from dataclasses import replace

import pytest
from fake_engine import (
    ABSTAINED,
    ARTICLES,
    SENTENCE,
    UNANSWERABLE,
    FakeEngine,
    answer,
    case,
    citation,
    hit,
    quote,
)

from evals.cases import Case, Evidence
from evals.matching import holds, without_marks
from evals.measure import run
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
from rag.errors import InputError
from rag.records import (
    Answer,
    Citation,
    Hit,
)


def test_marks_are_no_figures() -> None:
    assert without_marks("Six [1] jets [2, 3][4].") == "Six jets."
    assert not holds(without_marks("Several jets flew [6]."), ["6"])


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
