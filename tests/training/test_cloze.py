"""Parallel sentences become questions with a gap."""

import random
import re
from typing import Any

import numpy as np
import pytest
from reading_items import answer_of, write

from training.cross_encoder.cloze import _gap, _partners, _trimmed, _whole_words, cloze_items
from training.cross_encoder.examples import (
    Item,
)


def units(*places: int) -> Any:
    return (np.eye(6)[list(places)] * 127).astype(np.int8)


def test_partners_are_each_others_nearest() -> None:
    assert _partners(units(0, 1, 2), units(2, 0, 1)) == {0: 2, 1: 0, 2: 1}
    # The last of ours is nearest to the first of theirs, which is nearer to another.
    ours = np.array([[127, 0], [90, 90]], dtype=np.int8)
    assert _partners(ours, np.array([[127, 0]], dtype=np.int8)) == {0: 0}


OUR_SPANS = [(0, 3), (4, 8), (9, 12), (13, 20)]
THEIR_SPANS = [(0, 2), (3, 6), (7, 11), (12, 15)]


@pytest.mark.parametrize(
    ("filling", "partner", "gap"),
    [
        ((3, 6), {0: 0, 1: 2, 2: 1, 3: 3}, (9, 12)),
        ((3, 11), {0: 0, 1: 2, 2: 1, 3: 3}, (4, 12)),  # the words' order is another
        ((4, 5), {1: 0}, (0, 3)),  # a part of a token is all of it
        ((0, 15), {0: 3, 1: 2, 2: 1, 3: 0}, (0, 20)),
        ((3, 6), {0: 0, 2: 1}, None),  # no partner
        ((3, 15), {1: 1, 0: 0}, None),  # too few of them
        ((0, 6), {0: 0, 1: 2, 2: 1}, None),  # what lies between belongs to another
        ((2, 3), {0: 0, 1: 1}, None),  # a space has no tokens
    ],
)
def test_a_gap_is_where_the_fillings_partners_are(
    filling: tuple[int, int], partner: dict[int, int], gap: tuple[int, int] | None
) -> None:
    assert _gap(filling, partner, OUR_SPANS, THEIR_SPANS) == gap


def test_partners_far_apart_are_no_gap() -> None:
    spans = [(2 * n, 2 * n + 1) for n in range(9)]
    assert _gap((0, 3), {0: 0, 1: 4}, spans, spans) == (0, 9)
    assert _gap((0, 3), {0: 0, 1: 5}, spans, spans) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  «Rye», ", "Rye"),
        ("„żyto”.", "żyto"),
        ("(الجاودار؟)", "الجاودار"),
        ("黑麦。", "黑麦"),
        ("3.5", "3.5"),
        ("–- ", ""),
        ("", ""),
    ],
)
def test_edges_are_trimmed(text: str, kept: str) -> None:
    begin, end = _trimmed(text, (0, len(text)))
    assert text[begin:end] == kept
    assert 0 <= begin <= end <= len(text)


def test_only_the_spans_own_edges_are_trimmed() -> None:
    assert _trimmed("a, b, c", (1, 5)) == (3, 4)


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        ("They ground rye, then oats.", "oun", "ground"),
        ("They ground rye, then oats.", "nd ry", "ground rye"),
        ("They ground (rye), then.", "rye", "rye"),
        ("הם טחנו שיפון.", "חנ", "טחנו"),
        ("他们磨黑麦了", "磨", "他们磨黑"),  # no spaces: runs of four
    ],
)
def test_a_gap_is_of_whole_words(text: str, part: str, whole: str) -> None:
    begin = text.index(part)
    found = _whole_words(text, (begin, begin + len(part)))
    assert text[slice(*found)] == whole


PARALLEL = {
    "en": ("The old mill was sold for 41 million crowns in 1998.",
           "The teacher gave the children apples and red books."),
    "tr": ("Eski değirmen 1998'de 41 milyon krona satıldı.",
           "Öğretmen çocuklara elma ve kırmızı kitaplar verdi."),
    "pl": ("Stary młyn sprzedano w 1998 roku za 41 milionów koron.",
           "Nauczyciel dał dzieciom jabłka i czerwone książki."),
    "he": ("הטחנה הישנה נמכרה ב-1998 תמורת 41 מיליון כתרים.",
           "המורה נתן לילדים תפוחים וספרים אדומים."),
}  # fmt: skip


@pytest.fixture(scope="module")
def gaps(tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    """Items of two parallel sentences in four languages, each language asked in each other."""
    folder = tmp_path_factory.mktemp("gaps")
    passages, questions = [], []
    for lang, sentences in PARALLEL.items():
        cut = len(sentences[0])
        spans = [(0, cut), (cut + 1, cut + 1 + len(sentences[1]))]
        text = " ".join(sentences)
        passages.append({"id": lang, "text": text, "lang": lang, "sentences": spans})
        questions += [
            {"passage_id": lang, "gold_sentence": n, "question": asked, "lang_question": other}
            for other in PARALLEL
            for n, asked in enumerate(PARALLEL[other])
            if other != lang
        ]
    write(folder / "ntrex.passages.jsonl.gz", passages)
    write(folder / "ntrex.questions.jsonl.gz", questions)
    rows = [
        {"lang_b": lang, "text_a": ours, "text_b": theirs}
        for lang in ("tr", "he")
        for ours, theirs in zip(PARALLEL["en"], PARALLEL[lang], strict=True)
    ]
    write(folder / "parallel_tico19.jsonl.gz", rows)
    write(folder / "parallel_pud.jsonl.gz", [{"lang_b": "tr", "text_a": "Yes.", "text_b": "E."}])
    return cloze_items(folder, folder, random.Random(0))


def test_sentences_become_questions_with_a_gap(gaps: list[Item]) -> None:
    assert len(gaps) > 12
    assert {each.dataset for each in gaps} == {"ntrex", "parallel_tico19"}
    assert {each.lang for each in gaps} == set(PARALLEL)
    every = {sentence for sentences in PARALLEL.values() for sentence in sentences}
    for each in gaps:
        assert each.question.endswith("?")
        assert each.question not in every
        assert (each.twin, each.title) == (each.question, "")


def test_a_filling_is_words_of_the_sentence_that_was_asked_for(gaps: list[Item]) -> None:
    for each in gaps:
        filling = answer_of(each)
        assert filling == filling.strip(" .,")
        assert len(filling) > 1
        sentences = [text for text in PARALLEL[each.lang] if filling in text]
        assert sentences
        assert any(text in each.context for text in sentences)


def test_a_figure_that_fills_the_gap_is_not_in_the_question(gaps: list[Item]) -> None:
    figures = [(each, set(re.findall(r"\d+", answer_of(each)))) for each in gaps]
    assert any(found for _, found in figures)
    for each, found in figures:
        assert not found & set(re.findall(r"\d+", each.question))
