"""Questions in the words of another language, as parallel sentences tell them."""

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from reading_items import CONTEXTS, item, write

from training.cross_encoder.code_switching import SOURCES, Dictionary, dictionary, switched


def word(number: int, letters: str) -> str:
    """A word of those letters that no other number has."""
    return "".join(letters[number // len(letters) ** i % len(letters)] for i in range(4)) + "x"


WORDS = 1100
OURS = [word(n, "bdfgklmn") for n in range(WORDS)]
THEIRS = {
    "tr": [word(n, "çğışöüzy") for n in range(WORDS)],
    "he": [word(n, "אבגדהוזח") for n in range(WORDS)],
}


@pytest.fixture(scope="module")
def parallel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words side by side, each three times; and what shall not get into the dictionary."""
    folder = tmp_path_factory.mktemp("parallel")
    found: list[dict[str, Any]] = []
    for lang, words in THEIRS.items():
        for ours, theirs in zip(OURS, words, strict=True):
            row = {"lang_b": lang, "text_a": f"The {ours.title()}.", "text_b": f"{theirs}!"}
            found += [row] * 3
    bank = {"lang_b": "tr", "text_a": "bank"}
    found += [{**bank, "text_b": "banka"}] * 4 + [{**bank, "text_b": "kıyı"}] * 3
    found += [{**bank, "text_a": "twice", "text_b": "iki"}] * 2
    long = " ".join(f"w{n}" for n in range(41))
    found += [{"lang_b": "tr", "text_a": long, "text_b": "uzun"}] * 3
    found += [{"lang_b": "pl", "text_a": "bread", "text_b": "chleb"}] * 9
    for place, name in enumerate(SOURCES):
        write(folder / f"{name}.jsonl.gz", found[place :: len(SOURCES)])
    return folder


@pytest.fixture(scope="module")
def words(parallel: Path) -> Dictionary:
    return dictionary(parallel)


def test_words_that_come_together_are_translations(words: Dictionary) -> None:
    for lang, theirs in THEIRS.items():
        for ours, its in zip(OURS, theirs, strict=True):
            assert words[lang][ours] == [its.casefold()]
    assert words["tr"]["bank"] == ["banka", "kıyı"]


def test_what_is_rare_or_everywhere_is_no_translation(words: Dictionary) -> None:
    for absent in ("twice", "the", "w1"):
        assert absent not in words["tr"]
    assert sorted(words) == ["he", "tr"]  # of Polish there are too few words


def test_a_switched_question_keeps_the_words_that_are_not_known(words: Dictionary) -> None:
    question = f"Who, in 1998, saw the {OURS[5]} ({OURS[700].upper()}) of Zürich?"
    asked = item(question, CONTEXTS["en"], "1998", title="Lark Mill")
    known = {lang: {theirs[5], theirs[700].casefold()} for lang, theirs in THEIRS.items()}
    seen: set[str] = set()
    for seed in range(60):
        other = switched(asked, words, random.Random(seed))
        assert replace(other, question=question, twin="") == asked
        assert other.twin == question
        found = re.fullmatch(r"Who, in 1998, saw the (\w+) \((\w+)\) of Zürich\?", other.question)
        assert found
        put = set(found.groups()) - {OURS[5], OURS[700].upper()}
        assert put <= known["tr"] or put <= known["he"]
        seen |= put
    assert seen == known["tr"] | known["he"]


def test_a_question_without_known_words_stays_and_has_a_twin(words: Dictionary) -> None:
    for question in ("ماذا حدث؟", "", "?!", "Quid est?"):
        other = switched(item(question, "A.", None), words, random.Random(0))
        assert (other.question, other.twin) == (question, question)


def test_one_seed_switches_the_same_words(words: Dictionary) -> None:
    asked = item(" ".join(OURS[:30]), "A.", None)
    one, same, other = (switched(asked, words, random.Random(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
