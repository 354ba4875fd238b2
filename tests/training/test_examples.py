"""What the cross-encoder is trained on: answers stay where they are."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading_items import CONTEXTS, item

from training.cross_encoder.examples import (
    LONGEST,
    drawn,
    is_held_out,
    titled,
    window,
)

SENTENCES = st.sampled_from(
    ["It rained. ", "新桥开放。", "متى؟ ", "Çok iyi!\r\n", " \n", "Dr. No; ", "הוא הלך.", "x", "  "]
)


# --- windows


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS.keys())
def test_a_window_keeps_the_answer(context: str) -> None:
    chance = random.Random(7)
    text = context.strip()
    for seed in range(400):
        begin, end = sorted(chance.sample(range(context.index(text), len(text)), 2))
        answer = context[begin:end]
        if answer != answer.strip():
            continue
        passage, span = window(context, (begin, end), random.Random(seed))
        assert span is not None
        assert passage[slice(*span)] == answer
        assert passage in context
        assert passage == passage.strip()


@given(parts=st.lists(SENTENCES, max_size=12), data=st.data())
def test_a_window_of_any_text_keeps_what_the_answer_says(
    parts: list[str], data: st.DataObject
) -> None:
    context = "".join(parts) * 6
    begin = data.draw(st.integers(0, len(context)))
    end = data.draw(st.integers(begin, len(context)))
    passage, span = window(context, (begin, end), random.Random(len(context)))
    if context[begin:end].strip():
        assert span is not None
        assert 0 <= span[0] < span[1] <= len(passage)
        assert passage[slice(*span)].strip() == context[begin:end].strip()


def test_a_window_keeps_an_answer_with_spaces_before_it() -> None:
    passage, span = window("  \n Rye bread. Or not.", (0, 13), random.Random(0))
    assert span is not None
    assert passage[slice(*span)] == "Rye bread"


def test_a_window_keeps_an_answer_of_several_sentences() -> None:
    context = CONTEXTS["en"] * 9
    answer = "1998. Now it grinds rye again! Who would"
    begin = context.index(answer, 900)
    for seed in range(50):
        passage, span = window(context, (begin, begin + len(answer)), random.Random(seed))
        assert span is not None
        assert passage[slice(*span)] == answer


def test_a_window_is_of_whole_sentences_and_not_long() -> None:
    sentences = [f"Goose number {n} flew south over the sea." for n in range(200)]
    for seed in range(100):
        passage, span = window(" ".join(sentences), None, random.Random(seed))
        assert span is None
        assert set(re.split(r"(?<=\.) ", passage)) <= set(sentences)
        assert len(passage) < LONGEST + 50


def test_windows_differ_and_one_seed_gives_one() -> None:
    context = CONTEXTS["en"] * 9
    passages = [window(context, (10, 14), random.Random(seed))[0] for seed in range(20)]
    assert len(set(passages)) > 5
    assert passages == [window(context, (10, 14), random.Random(seed))[0] for seed in range(20)]


def test_letters_of_wide_scripts_count_more() -> None:
    longest = max(
        len(window(CONTEXTS["zh"] * 40, None, random.Random(seed))[0]) for seed in range(50)
    )
    assert longest < LONGEST / 2


@pytest.mark.parametrize("context", ["", " ", "\n\n", ".", "。。。"])
def test_a_window_of_next_to_nothing(context: str) -> None:
    passage, span = window(context, None, random.Random(0))
    assert passage in context
    assert span is None


# --- titles, sets and draws


def test_a_title_leads_and_moves_the_span() -> None:
    text, span = titled("It was built in 1846.", (16, 20), "הטחנה")
    assert text == "הטחנה\nIt was built in 1846."
    assert span is not None
    assert text[slice(*span)] == "1846"
    assert titled("It was.", None, "The mill") == ("The mill\nIt was.", None)


@pytest.mark.parametrize("title", ["", "mill"])
def test_a_title_that_is_there_or_is_none_changes_nothing(title: str) -> None:
    assert titled("The mill.", (4, 8), title) == ("The mill.", (4, 8))


def test_an_article_in_four_is_held_out_and_always_the_same() -> None:
    kept = [title for title in map("Article {}".format, range(1000)) if is_held_out(title)]
    assert 200 < len(kept) < 300
    assert kept[:3] == ["Article 2", "Article 4", "Article 5"]
    titles = ["", "טחנה", "磨坊", "Değirmen"]
    assert [title for title in titles if is_held_out(title)] == ["磨坊"]


@pytest.mark.parametrize(("count", "most"), [(0, 0), (3, 1), (5, 1), (7, 2), (13, 3)])
def test_as_many_are_drawn_as_asked_for(count: int, most: int) -> None:
    every = [item(f"Question {n}?", "Context.", None) for n in range(5)]
    found = drawn(iter(every), count, random.Random(3))
    assert len(found) == count
    times = [found.count(each) for each in every]
    assert max(times) == most
    assert max(times) - min(times) <= 1
    assert found == drawn(every, count, random.Random(3))
