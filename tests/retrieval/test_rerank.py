"""Passages are read before they are ranked; without the cross-encoder's weights, they are not."""

import logging
from pathlib import Path

import numpy as np
import pytest

from rag.doctor import examine
from rag.embedding.e5 import E5_NAME
from rag.engine import Rag
from rag.retrieval.calibration import relevance
from rag.retrieval.retrieve import retrieve
from rag.retrieval.sentence_selection import (
    rank_sentences,
)
from rag.settings import Settings
from rag.understanding.question import to_query

pytestmark = pytest.mark.slow

QUESTIONS = {
    "How much does a ticket for the ferry cost?": ("ferry.txt", "3 euro"),
    "Ile metrów wysokości ma wieża?": ("tower.txt", "54"),
    "В каком году открыли мост?": ("bridge.txt", "1987"),
    "Kaç kişi geçen yıl müzeyi ziyaret etti?": ("museum.txt", "٨٧"),
}


def text_of(engine: Rag, source: str) -> str:
    return (engine.parts.settings.corpus / source).read_bytes().decode()


@pytest.mark.parametrize("question", QUESTIONS)
def test_marks_the_answer_in_the_stored_article(engine: Rag, question: str) -> None:
    source, answer = QUESTIONS[question]
    hit = retrieve(to_query(question), engine.parts, 3)[0]
    assert hit.source == source
    assert hit.answer is not None
    assert answer in text_of(engine, source)[slice(*hit.answer)]
    assert hit.start <= hit.answer[0] < hit.answer[1] <= hit.end


@pytest.mark.parametrize("question", QUESTIONS)
def test_quotes_the_sentence_that_answers(engine: Rag, question: str) -> None:
    source, answer = QUESTIONS[question]
    told = engine.ask(question)
    assert not told.abstained
    citation = told.citations[0]
    assert answer in citation.quote
    assert text_of(engine, source)[citation.start : citation.end] == citation.quote


def test_a_read_hit_has_its_signal_and_a_share_for_each_sentence(
    engine: Rag,
) -> None:
    for hit in retrieve(to_query("When was the bridge opened?"), engine.parts):
        assert "cross_encoder" in hit.signals
        assert len(hit.shares) == len(hit.sentences)
        assert 0 <= sum(hit.shares) <= 1.01
        alone = {name: np.array([value]) for name, value in hit.signals.items()}
        assert hit.score == pytest.approx(float(relevance(alone, E5_NAME)[0]), abs=1e-5)


def test_what_is_not_read_stands_behind_what_is(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    for i in range(30):
        text = f"Harbour number {i} has {i + 3} cranes. A crane there lifts {i + 40} tonnes."
        (tmp_path / "corpus" / f"{i:02}.txt").write_text(text, encoding="utf-8")
    settings = Settings.read(model="none", corpus=tmp_path / "corpus", store=tmp_path / "store")
    with Rag(settings) as engine:
        engine.ingest()
        query = to_query("How many cranes has harbour number 7?")
        hits = retrieve(query, engine.parts, 30)
        read = [bool(hit.shares) for hit in hits]
        assert read == sorted(read, reverse=True)
        assert 0 < sum(read) < 30
        assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
        assert hits[0].source == "07.txt"
        ranked = rank_sentences(query, hits, engine.parts)
        assert len(ranked) == sum(len(hit.sentences) for hit in hits)


def test_without_its_weights_it_says_so_and_answers_all_the_same(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr("rag.embedding.cross_encoder.WEIGHTS_FILE", tmp_path / "reader.npz")
    with caplog.at_level(logging.WARNING), Rag(settings) as engine:
        told = engine.ask("When was the bridge opened?")
        assert engine.parts.cross_encoder is None
    (line,) = caplog.messages
    assert line.startswith("passages are ranked without being read: ")
    assert "reader.npz" in line
    assert "install quoted-rag again" in line
    assert not told.abstained
    assert {tuple(hit.signals) for hit in told.hits} == {
        ("dense", "sentence", "tokens", "particulars")
    }
    (finding,) = [f for f in examine(settings) if f.name == "cross-encoder"]
    assert not finding.ok
    assert finding.mend.startswith("install quoted-rag again")
