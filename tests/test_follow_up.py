"""A follow-up is searched with what it leans on; a change of subject alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.asking import understand
from rag.embed import Embedder
from rag.encoder import Vectors
from rag.follow_up import EARLIER_QUESTIONS, resolve
from rag.parts import Parts
from rag.settings import Settings

CASTLE = "When was Malbork Castle finished?"


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    folder: Path = tmp_path_factory.mktemp("follow-up")
    parts = Parts(Settings.read(model="none", embeddings="e5", store=folder))
    yield parts.embedder
    parts.close()


Resolve = Callable[..., str]


@pytest.fixture(scope="module")
def searched(embedder: Embedder) -> Resolve:
    """What is searched for the last of some questions."""

    def text(*asked: str) -> str:
        history = [(question, "An answer.") for question in asked[:-1]]
        return resolve(understand(asked[-1], history), embedder).text

    return text


@pytest.mark.parametrize(
    ("before", "asked"),
    [
        (CASTLE, "And who built it?"),
        ("Kaç kişi Ankara'da yaşıyor?", "Ya bir yıl önce?"),
        ("Сколько стоит билет в Эрмитаж?", "А для детей?"),
        ("באיזו שנה נחנך נמל אשדוד?", "ומי תכנן אותו?"),
        ("متى تأسست جامعة دمشق؟", "ومن أسسها؟"),
        ("泰山有多高？", "它在哪里？"),
        ("Балқаш көлінің ауданы қанша?", "Ол қайда орналасқан?"),
        (CASTLE, "Kim dedi?"),
    ],
)
def test_a_follow_up_is_led_by_the_question_before_it(
    searched: Resolve, before: str, asked: str
) -> None:
    assert searched(before, asked) == f"{before} {asked}"


@pytest.mark.parametrize(
    ("before", "asked"),
    [
        (CASTLE, "What is the boiling point of ethanol?"),
        ("Kaç kişi Ankara'da yaşıyor?", "Beşiktaş ligi en son hangi yıl kazandı?"),
        ("Сколько стоит билет в Эрмитаж?", "Кто изобрёл радио?"),
        ("באיזו שנה נחנך נמל אשדוד?", "מי כתב את הספר מיכאל שלי?"),
        ("泰山有多高？", "谁发明了造纸术？"),
        (CASTLE, "谁发明了造纸术？"),
    ],
)
def test_a_change_of_subject_drops_what_went_before(
    searched: Resolve, before: str, asked: str
) -> None:
    assert searched(before, asked) == asked


def test_a_chain_of_follow_ups_leans_on_the_question_that_began_it(searched: Resolve) -> None:
    first = "How many visitors did Malbork Castle have in 2020?"
    assert searched(first, "And in 2021?", "And in 2022?") == f"{first} And in 2022?"


def test_a_follow_up_leans_on_the_new_subject(searched: Resolve) -> None:
    new = "What is the boiling point of ethanol?"
    assert searched(CASTLE, "And who built it?", new, "Why?") == f"{new} Why?"


def test_answers_do_not_matter(embedder: Embedder) -> None:
    texts = {
        resolve(understand("And who built it?", [(CASTLE, answer)]), embedder).text
        for answer in ("", "In 1406.", "Ethanol boils at 78 degrees. " * 500)
    }
    assert texts == {f"{CASTLE} And who built it?"}


class Counting:
    """Embeds nothing, and counts what it is asked to."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def question(self, text: str, lang: str) -> Vectors:
        """One and the same vector."""
        self.texts.append(text)
        return np.array([1.0, 0.0], np.float32)


@pytest.mark.parametrize("history", [[], [("", "an answer")], [(" \n", "an answer")]])
def test_nothing_is_embedded_without_an_earlier_question(history: list[tuple[str, str]]) -> None:
    counting = Counting()
    assert resolve(understand("And then?", history), counting).text == "And then?"
    assert counting.texts == []


def test_a_long_history_costs_no_more_than_a_short_one() -> None:
    counting = Counting()
    resolve(understand("Why?", [(f"Question {n}?", "") for n in range(100)]), counting)
    assert len(set(counting.texts)) <= 2 * EARLIER_QUESTIONS + 1


def test_the_same_question_again_is_searched_alone(searched: Resolve) -> None:
    assert searched(CASTLE, CASTLE) == CASTLE
