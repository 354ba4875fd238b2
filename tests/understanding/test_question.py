"""What cannot be asked is named in one line."""

from typing import Any

import pytest

from rag.errors import InputError
from rag.understanding.question import MAX_QUESTION, to_query


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("a" * 100_000, "100,000"),
        ("\x00\x01\x02", "U+0000"),
        ("\udcff", "U+DCFF"),
        ("?!…", "no words"),
        (None, "NoneType"),
        (b"bytes", "bytes"),
    ],
)
def test_a_question_that_is_none_is_one_clear_line(question: Any, named: str) -> None:
    with pytest.raises(InputError) as error:
        to_query(question)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_the_longest_question_is_taken() -> None:
    assert to_query("why " * (MAX_QUESTION // 4)).question_lang == "en"


@pytest.mark.parametrize("language", ["klingon", "xx", "e", "12", "../etc", 5, b"en", ["en"]])
def test_a_language_that_is_none_is_named(language: Any) -> None:
    with pytest.raises(InputError, match=r"language="):
        to_query("What?", language=language)


def test_history_that_is_none_is_named() -> None:
    with pytest.raises(InputError, match="pairs"):
        to_query("And then?", history=["no pair"])
