"""Passages are read before they are ranked; without the reader's weights, they are not."""

import logging
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.doctor import examine
from rag.embedding.cross_encoder import WEIGHTS_FILE, CrossEncoder, open_cross_encoder
from rag.embedding.embedder import E5_NAME
from rag.engine import Rag
from rag.errors import ModelError
from rag.retrieval.calibration import checked, relevance
from rag.retrieval.retrieve import retrieve
from rag.retrieval.sentence_selection import (
    ALSO,
    CHECKED,
    QUOTED,
    likely_sentences,
    rank_sentences,
    read_alone,
    to_quote,
)
from rag.settings import Settings
from rag.understanding.question import understand

TEXTS = {
    "ferry.txt": "Prom pływa od 1994 roku.\r\n\r\nW ubiegłym roku przewiózł 12 400 osób. "
    "Bilet kosztuje 3 euro.",
    "bridge.txt": "Köprü 1987 yılında açıldı.\n\nKöprünün yapımı dokuz yıl sürdü. "
    "İnşaatta 310 işçi çalıştı.",
    "tower.txt": unicodedata.normalize(
        "NFD", "הַמִּגְדָּל נִבְנָה בִּשְׁנַת 1931. גובהו 54 מטרים, ובראשו פעמון."
    ),
    "museum.txt": "افتُتح المتحف عام ١٩٦٢. زاره في العام الماضي ٨٧ ألف شخص.",
}
QUESTIONS = {
    "How much does a ticket for the ferry cost?": ("ferry.txt", "3 euro"),
    "Ile metrów wysokości ma wieża?": ("tower.txt", "54"),
    "В каком году открыли мост?": ("bridge.txt", "1987"),
    "Kaç kişi geçen yıl müzeyi ziyaret etti?": ("museum.txt", "٨٧"),
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("reading")
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / name).write_bytes(text.encode())
    settings = Settings.read(model="none", corpus=folder / "corpus", store=folder / "store")
    with Rag(settings) as engine:
        engine.ingest()
    return settings


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Rag]:
    with Rag(settings) as engine:
        yield engine


@pytest.mark.parametrize("question", QUESTIONS)
def test_marks_the_answer_in_the_stored_article(engine: Rag, question: str) -> None:
    source, answer = QUESTIONS[question]
    hit = retrieve(understand(question), engine.parts, 3)[0]
    assert hit.source == source
    assert hit.answer is not None
    assert answer in TEXTS[source][slice(*hit.answer)]
    assert hit.start <= hit.answer[0] < hit.answer[1] <= hit.end


@pytest.mark.parametrize("question", QUESTIONS)
def test_quotes_the_sentence_that_answers(engine: Rag, question: str) -> None:
    source, answer = QUESTIONS[question]
    told = engine.ask(question)
    assert not told.abstained
    citation = told.citations[0]
    assert answer in citation.quote
    assert TEXTS[source][citation.start : citation.end] == citation.quote


def test_a_read_hit_has_the_readers_signal_and_a_share_for_each_sentence(engine: Rag) -> None:
    for hit in retrieve(understand("When was the bridge opened?"), engine.parts):
        assert "reader" in hit.signals
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
        query = understand("How many cranes has harbour number 7?")
        hits = retrieve(query, engine.parts, 30)
        read = [bool(hit.shares) for hit in hits]
        assert read == sorted(read, reverse=True)
        assert 0 < sum(read) < 30
        assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
        assert hits[0].source == "07.txt"
        ranked = rank_sentences(query, hits, engine.parts)
        assert len(ranked) == sum(len(hit.sentences) for hit in hits)


def test_the_probabilities_of_sentences_add_up_to_their_passages(engine: Rag) -> None:
    query = understand("When was the bridge opened?")
    hits = retrieve(query, engine.parts)
    likely = likely_sentences(query, hits, engine.parts)
    for hit in hits:
        assert sum(e.score for e in likely if e.hit is hit) == pytest.approx(hit.score, abs=1e-5)


def test_the_best_sentences_are_read_by_themselves(engine: Rag) -> None:
    query = understand("How many workers built the bridge?")
    hits = retrieve(query, engine.parts)
    likely = likely_sentences(query, hits, engine.parts)
    ranked = rank_sentences(query, hits, engine.parts)
    assert {e.sentence for e in ranked[:CHECKED]} == {e.sentence for e in likely[:CHECKED]}
    best = likely[:CHECKED]
    told_alone = zip(best, read_alone(query, best, engine.parts), strict=True)
    for before, said in told_alone:
        (after,) = [e for e in ranked if (e.sentence, e.hit) == (before.sentence, before.hit)]
        told = checked(np.array([before.score]), np.array([said]), E5_NAME)
        assert after.score == pytest.approx(float(told[0]), abs=1e-5)
    assert [e.number for e in ranked] == list(range(1, len(ranked) + 1))
    assert [e.score for e in ranked] == sorted((e.score for e in ranked), reverse=True)


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
    (finding,) = [f for f in examine(settings) if f.name == "reader"]
    assert not finding.ok
    assert finding.mend.startswith("install quoted-rag again")


def test_weights_that_are_cut_short_are_not_used(tmp_path: Path, engine: Rag) -> None:
    cut = tmp_path / "reader.npz"
    cut.write_bytes(WEIGHTS_FILE.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"reader\.npz"):
        CrossEncoder(engine.parts.embedder.embeddings.encoder, cut)  # type: ignore[attr-defined]


def test_a_passage_on_something_else_is_not_an_answer(engine: Rag) -> None:
    reader = open_cross_encoder(engine.parts.embedder.embeddings)
    right, near, other = reader.read(
        "How tall is the lighthouse of Skagen?",
        ["The lighthouse of Skagen is 46 metres tall.",
         "The lighthouse of Skagen was built in 1858 by N. S. Nebelong.",
         "Bread has become dearer by seven percent."],
    )  # fmt: skip
    assert right.answers > near.answers
    assert right.answers > other.answers
    assert right.answers > 0


def test_quotes_what_is_nearly_as_likely_as_the_first(engine: Rag) -> None:
    query = understand("How many workers built the bridge?")
    ranked = rank_sentences(query, retrieve(query, engine.parts), engine.parts)
    likely = [replace(each, score=0.8) for each in ranked[: QUOTED + 1]]
    assert to_quote(likely) == likely[:QUOTED]
    assert to_quote([likely[0], replace(likely[1], score=0.8 * ALSO)]) == [
        likely[0],
        replace(likely[1], score=0.8 * ALSO),
    ]
    assert to_quote([likely[0], replace(likely[1], score=0.8 * ALSO - 0.01)]) == likely[:1]


def test_the_weights_are_small_enough_to_ship() -> None:
    assert WEIGHTS_FILE.stat().st_size < 30_000_000
