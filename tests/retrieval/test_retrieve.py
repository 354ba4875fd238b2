"""What is asked in one language is found in another, best first, within the filter."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from filled_store import filled_store

import rag
from rag.embedding.corpus_mean import without_mean
from rag.engine import Rag
from rag.errors import InputError, StoreError
from rag.retrieval.calibration import SIGNALS, relevance
from rag.retrieval.retrieve import retrieve
from rag.retrieval.sentence_selection import choose_evidence
from rag.settings import Settings
from rag.understanding.question import to_query

pytestmark = pytest.mark.slow

TEXTS = {
    "bread.txt": "Ceny chleba wzrosły w marcu o siedem procent. Piekarze obwiniają drogą mąkę.",
    "bridge.txt": "Orlen köprüsü 1987 yılında açıldı. Yapımı dokuz yıl sürdü.\n\nKöprü taştandır.",
    "match.txt": "הקבוצה הפסידה במשחק הגמר. המאמן התפטר באותו ערב.",
    "museum.txt": "افتتح المتحف أبوابه للزوار في الربيع. الدخول مجاني للأطفال.",
    "school.txt": "The new school has room for six hundred pupils. Its roof makes electricity.",
}
QUESTIONS = {
    "When was the Orlen bridge opened?": ("bridge.txt", "1987"),
    "Czy drużyna przegrała mecz finałowy?": ("match.txt", "הפסידה"),
    "Ekmek fiyatları ne kadar arttı?": ("bread.txt", "siedem"),
    "هل الدخول إلى المتحف مجاني للأطفال؟": ("museum.txt", "مجاني"),
    "כמה תלמידים יכולים ללמוד בבית הספר החדש?": ("school.txt", "six hundred"),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    with Rag(filled_store(tmp_path_factory.mktemp("retrieve"), TEXTS)) as engine:
        yield engine


@pytest.mark.parametrize("question", QUESTIONS)
def test_finds_the_answer_in_another_language_first(engine: Rag, question: str) -> None:
    source, told = QUESTIONS[question]
    query = to_query(question)
    hits = retrieve(query, engine.parts, 3)
    assert hits[0].source == source
    shown = choose_evidence(query, hits, engine.parts)[:2]
    assert any(told in each.sentence.text for each in shown)


def test_gives_the_k_best_with_falling_scores(engine: Rag) -> None:
    query = to_query("When was the bridge opened?")
    scores = [hit.score for hit in retrieve(query, engine.parts, 4)]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert [hit.score for hit in retrieve(query, engine.parts, 2)] == pytest.approx(scores[:2])


def test_gives_all_there_is_when_k_is_larger(engine: Rag) -> None:
    assert len(retrieve(to_query("bridge"), engine.parts, 100)) == 6


def test_a_score_is_made_of_its_signals(engine: Rag) -> None:
    query, embedder = to_query("When was the bridge opened?"), engine.parts.embedder
    hit = retrieve(query, engine.parts, 1)[0]
    mean = engine.parts.store.check(embedder.space).corpus_mean
    asked = without_mean(embedder.question(query.text, "en"), mean)
    passage = without_mean(embedder.passages([hit.text], [hit.lang]), mean)
    texts = [sentence.text for sentence in hit.sentences]
    sentences = without_mean(embedder.sentences(texts, [hit.lang] * len(texts)), mean)
    assert tuple(hit.signals) == SIGNALS
    assert hit.signals["dense"] == pytest.approx(float(passage[0] @ asked), abs=1e-4)
    assert hit.signals["sentence"] == pytest.approx(float((sentences @ asked).max()), abs=1e-4)
    alone = {name: np.array([value]) for name, value in hit.signals.items()}
    assert hit.score == pytest.approx(float(relevance(alone, embedder.name)[0]), abs=1e-6)


def test_a_signal_that_is_left_out_does_not_count(engine: Rag) -> None:
    query = to_query("When was the bridge opened?")
    for signals in (("dense",), ("dense", "tokens"), ("sentence",)):
        hits = retrieve(query, engine.parts, 3, signals=signals)
        assert {tuple(hit.signals) for hit in hits} == {signals}
        by = {s: [hit.signals[s] for hit in hits] for s in signals}
        if len(signals) == 1:
            assert by[signals[0]] == sorted(by[signals[0]], reverse=True)


def test_a_twin_does_not_take_the_place_of_another_passage(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    story = "The Orlen bridge was opened in 1987. Building it took nine years."
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / "corpus" / name).write_text(story, encoding="utf-8")
    (tmp_path / "corpus" / "d.txt").write_text(TEXTS["bread.txt"], encoding="utf-8")
    settings = Settings.read(model="none", corpus=tmp_path / "corpus")
    with rag.open(tmp_path / "store", settings) as engine:
        engine.ingest()
        hits = retrieve(to_query("When was the Orlen bridge opened?"), engine.parts)
        evidence = choose_evidence(to_query("When was it opened?"), hits, engine.parts)
    assert [hit.source for hit in hits[:2]] == ["a.txt", "d.txt"]
    assert {hit.source for hit in hits} == {"a.txt", "b.txt", "c.txt", "d.txt"}
    assert len({each.sentence.text for each in evidence}) == len(evidence)


def test_searches_within_the_filter_alone(engine: Rag) -> None:
    query = to_query("When was the bridge opened?")
    hits = retrieve(query, engine.parts, 5, {"source": ["match.txt", "museum.txt"]})
    assert {hit.source for hit in hits} == {"match.txt", "museum.txt"}
    assert retrieve(query, engine.parts, 5, {"lang": "fi"}) == []
    with pytest.raises(InputError, match="cannot filter by 'page'"):
        retrieve(query, engine.parts, 5, {"page": "1"})


def test_numbers_the_evidence_by_score(engine: Rag) -> None:
    query = to_query("When was the bridge opened?")
    hits = retrieve(query, engine.parts, 5)
    evidence = choose_evidence(query, hits, engine.parts)
    assert [each.number for each in evidence] == list(range(1, len(evidence) + 1))
    assert [each.score for each in evidence] == sorted((e.score for e in evidence), reverse=True)
    assert all(each.sentence in each.hit.sentences for each in evidence)


def test_nothing_found_is_no_evidence(engine: Rag) -> None:
    assert choose_evidence(to_query("What?"), [], engine.parts) == []


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path) -> None:
    with (
        rag.open(tmp_path, Settings.read()) as engine,
        pytest.raises(StoreError, match="is empty; fill it: rag ingest PATH"),
    ):
        retrieve(to_query("What?"), engine.parts)
