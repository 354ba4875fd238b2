"""What is asked in one language is found in another, best first, within the filter."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import rag
from rag.asking import understand
from rag.engine import Rag
from rag.errors import InputError, StoreError
from rag.retrieve import choose_evidence, retrieve
from rag.settings import Settings

TEXTS = {
    "bread.txt": "Ceny chleba wzrosły w marcu o siedem procent. Piekarze obwiniają drogą mąkę.",
    "bridge.txt": "Orlen köprüsü 1987 yılında açıldı. Yapımı dokuz yıl sürdü.\n\nKöprü taştandır.",
    "match.txt": "הקבוצה הפסידה במשחק הגמר. המאמן התפטר באותו ערב.",
    "museum.txt": "افتتح المتحف أبوابه للزوار في الربيع. الدخول مجاني للأطفال.",
    "school.txt": "The new school has room for six hundred pupils. Its roof makes electricity.",
}
QUESTIONS = {
    "When was the Orlen bridge opened?": ("bridge.txt", "1987"),
    "Którego wieczoru trener podał się do dymisji?": ("match.txt", "המאמן"),
    "Ekmek fiyatları ne kadar arttı?": ("bread.txt", "siedem"),
    "هل الدخول إلى المتحف مجاني للأطفال؟": ("museum.txt", "مجاني"),
    "כמה תלמידים יכולים ללמוד בבית הספר החדש?": ("school.txt", "six hundred"),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    folder = tmp_path_factory.mktemp("retrieve")
    (folder / "corpus").mkdir()
    for name, text in TEXTS.items():
        (folder / "corpus" / name).write_text(text, encoding="utf-8")
    settings = Settings.read(model="none", corpus=folder / "corpus")
    with rag.open(folder / "store", settings) as engine:
        engine.ingest()
        yield engine


@pytest.mark.parametrize("question", QUESTIONS)
def test_finds_the_answer_in_another_language_first(engine: Rag, question: str) -> None:
    source, told = QUESTIONS[question]
    query = understand(question)
    hits = retrieve(query, engine.parts, 3)
    assert hits[0].source == source
    shown = choose_evidence(query, hits, engine.parts)[:2]
    assert any(told in each.sentence.text for each in shown)


def test_gives_the_k_best_with_falling_scores(engine: Rag) -> None:
    query = understand("When was the bridge opened?")
    scores = [hit.score for hit in retrieve(query, engine.parts, 4)]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= score <= 1.0001 for score in scores)
    assert [hit.score for hit in retrieve(query, engine.parts, 2)] == pytest.approx(scores[:2])


def test_gives_all_there_is_when_k_is_larger(engine: Rag) -> None:
    assert len(retrieve(understand("bridge"), engine.parts, 100)) == 6


def test_a_score_is_the_mean_of_passage_and_best_sentence(engine: Rag) -> None:
    query, embedder = understand("When was the bridge opened?"), engine.parts.embedder
    hit = retrieve(query, engine.parts, 1)[0]
    texts = [hit.text, *(sentence.text for sentence in hit.sentences)]
    cosines = embedder.passages(texts, [hit.lang] * len(texts)) @ embedder.question(
        query.text, "en"
    )
    assert hit.score == pytest.approx((cosines[0] + np.max(cosines[1:])) / 2, abs=1e-4)


def test_searches_within_the_filter_alone(engine: Rag) -> None:
    query = understand("When was the bridge opened?")
    hits = retrieve(query, engine.parts, 5, {"source": ["match.txt", "museum.txt"]})
    assert {hit.source for hit in hits} == {"match.txt", "museum.txt"}
    assert retrieve(query, engine.parts, 5, {"lang": "fi"}) == []
    with pytest.raises(InputError, match="cannot filter by 'page'"):
        retrieve(query, engine.parts, 5, {"page": "1"})


def test_numbers_the_evidence_by_score_within_the_budget(engine: Rag) -> None:
    query = understand("When was the bridge opened?")
    hits = retrieve(query, engine.parts, 5)
    evidence = choose_evidence(query, hits, engine.parts, budget=60)
    assert [each.number for each in evidence] == list(range(1, len(evidence) + 1))
    assert [each.score for each in evidence] == sorted((e.score for e in evidence), reverse=True)
    assert sum(engine.parts.embedder.count_tokens(e.sentence.text) for e in evidence) <= 60
    assert all(each.sentence in each.hit.sentences for each in evidence)


def test_shows_the_best_sentence_even_over_the_budget(engine: Rag) -> None:
    query = understand("When was the bridge opened?")
    assert len(choose_evidence(query, retrieve(query, engine.parts), engine.parts, budget=1)) == 1


def test_nothing_found_is_no_evidence(engine: Rag) -> None:
    assert choose_evidence(understand("What?"), [], engine.parts) == []


def test_an_empty_store_says_how_to_fill_it(tmp_path: Path) -> None:
    with (
        rag.open(tmp_path, Settings.read()) as engine,
        pytest.raises(StoreError, match="is empty; fill it: rag ingest PATH"),
    ):
        retrieve(understand("What?"), engine.parts)
