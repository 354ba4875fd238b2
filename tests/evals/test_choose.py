"""A limited run is an even sample, always the same one."""

from collections import Counter

import pytest
from fake_engine import (
    UNANSWERABLE,
    case,
)

from evals.cases import Case, load_cases
from evals.choose import searchable, select, spread
from rag.errors import InputError
from rag.resources import evals_folder, seeds_folder

QUESTIONS = evals_folder() / "questions.jsonl"


@pytest.fixture(scope="module")
def articles() -> dict[str, str]:
    return {path.name: path.read_bytes().decode("utf-8") for path in seeds_folder().glob("*.txt")}


@pytest.fixture(scope="module")
def questions(articles: dict[str, str]) -> tuple[Case, ...]:
    return load_cases(QUESTIONS, articles)


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
