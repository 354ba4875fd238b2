"""A whole run gives the expected figures, and its results can be read back."""

from typing import Any

import pytest
from fake_engine import (
    ARTICLES,
    FakeEngine,
    case,
    quote,
)

from evals.cases import Case, Distractor
from evals.measure import Result, run, run_search
from evals.summary import summary


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
