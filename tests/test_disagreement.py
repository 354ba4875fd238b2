"""Two articles that give one figure differently are told from two that do not."""

from pathlib import Path

import pytest

from rag.disagreement import differ
from rag.embed import embedder
from rag.evidence import Evidence
from rag.records import Hit, Sentence
from rag.settings import Settings
from rag.vectors import VectorCache

HARBOUR = ("Der Umsatz des Hafens stieg im Jahr 2021 um 12 Prozent.", "de")


def said(text: str, lang: str, source: str) -> Evidence:
    return Evidence(
        1, Sentence(0, len(text), text), Hit(source, 0, len(text), text, 0.5, lang), 0.5
    )


@pytest.mark.parametrize(
    ("other", "source", "expected"),
    [
        (("In 2021 the harbour's turnover rose by 15 percent.", "en"), "b.txt", True),
        (("In 2021 the harbour's turnover rose by 12 percent.", "en"), "b.txt", False),
        (("In 2021 the harbour's turnover rose by 15 percent.", "en"), "a.txt", False),
        (("In 2021 the harbour's turnover rose.", "en"), "b.txt", False),
        (("Poets earn 15 percent of the price of a book.", "en"), "b.txt", False),
    ],
    ids=["other figure", "same figure", "same article", "no figure", "other thing"],
)
def test_two_articles_differ_where_they_count_one_thing_differently(
    other: tuple[str, str], source: str, expected: bool, tmp_path: Path
) -> None:
    known = embedder(Settings.read(embeddings="e5"), VectorCache(tmp_path / "vectors.sqlite"))
    assert differ([said(*HARBOUR, "a.txt"), said(*other, source)], known) is expected
