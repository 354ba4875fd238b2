"""Texts become unit vectors, each computed once, and no language is nearer to itself."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from rag.embedding.cache import VectorCache
from rag.embedding.embedder import Embedder, embedder
from rag.embedding.encoder import unit
from rag.errors import ModelError, SettingsError
from rag.settings import Settings

pytestmark = pytest.mark.slow

# The same three facts in four languages.
FACTS = {
    "en": [
        "The bridge was opened in 1987.",
        "Bread prices rose again.",
        "The team lost the match.",
    ],
    "tr": ["Köprü 1987 yılında açıldı.", "Ekmek fiyatları yine arttı.", "Takım maçı kaybetti."],
    "he": ["הגשר נפתח בשנת 1987.", "מחירי הלחם עלו שוב.", "הקבוצה הפסידה במשחק."],
    "pl": ["Most otwarto w 1987 roku.", "Ceny chleba znów wzrosły.", "Drużyna przegrała mecz."],
}
TEXTS = [text for texts in FACTS.values() for text in texts]
LANGS = [lang for lang, texts in FACTS.items() for _ in texts]


class CountingEmbeddings(Embeddings):
    """Stands for any other model: three numbers of a text, and how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.asked += texts
        return [[float(len(text)), float(text.count("a")), 1.0] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


@pytest.fixture(scope="module")
def e5(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    cache = VectorCache(tmp_path_factory.mktemp("e5") / "vectors.sqlite")
    yield embedder(Settings.read(), cache)
    cache.close()


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[tuple[Embedder, CountingEmbeddings]]:
    cache, model = VectorCache(tmp_path / "vectors.sqlite"), CountingEmbeddings()
    yield Embedder(model, "counting", 50, len, cache), model
    cache.close()


def test_vectors_have_length_one_and_384_dimensions(e5: Embedder) -> None:
    vectors = e5.passages(TEXTS, LANGS)
    assert vectors.shape == (12, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(12), abs=1e-5)
    assert e5.question("When?", "en").shape == (384,)


@pytest.mark.parametrize("lang", FACTS)
def test_each_question_finds_its_fact_in_every_language(e5: Embedder, lang: str) -> None:
    vectors = e5.passages(TEXTS, LANGS)
    for number, question in enumerate(FACTS[lang]):
        nearest = np.argsort(vectors @ -e5.question(question, lang))[:4]
        assert [i % 3 for i in nearest].count(number) >= 3


def test_another_model_has_no_means_and_another_space(
    e5: Embedder, counting: tuple[Embedder, CountingEmbeddings]
) -> None:
    other, _ = counting
    assert other.space == "counting means=none"
    assert e5.space != other.space
    assert np.allclose(other.passages(["aaa"], ["en"]), unit(np.array([[3.0, 3.0, 1.0]], "f4")))


def test_embeds_each_text_once(counting: tuple[Embedder, CountingEmbeddings]) -> None:
    embedder, model = counting
    first = embedder.passages(["a", "bb", "a"], ["en"] * 3)
    again = embedder.passages(["bb", "a", "ccc"], ["en"] * 3)
    assert model.asked == ["a", "bb", "ccc"]
    assert first[0].tolist() == first[2].tolist() == again[1].tolist()


def test_a_model_that_tells_no_tokens_is_not_asked_for_them(
    counting: tuple[Embedder, CountingEmbeddings],
) -> None:
    embedder, model = counting
    assert embedder.tokens(["a", "bb"], ["en"] * 2) is None
    assert model.asked == []
    assert embedder.read_question("ccc", "en").tokens is None
    assert model.asked == ["ccc"]


def test_a_run_cut_short_keeps_the_batches_it_finished(
    counting: tuple[Embedder, CountingEmbeddings],
) -> None:
    embedder, model = counting
    texts = [f"text {i}" for i in range(80)]

    def stop(done: int) -> None:
        if done >= 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embedder.passages(texts, ["en"] * 80, stop)
    embedder.passages(texts, ["en"] * 80)
    assert len(model.asked) == 80


def test_no_texts_are_no_vectors(e5: Embedder) -> None:
    assert len(e5.passages([], [])) == 0


def test_counts_the_tokens_that_the_model_is_fed(e5: Embedder) -> None:
    assert (
        e5.count_tokens("köprü") < e5.count_tokens("köprü " * 10) < e5.count_tokens("köprü " * 20)
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            {"embeddings": "word2vec"},
            "RAG_EMBEDDINGS='word2vec' is not known; use e5 or openai:NAME",
        ),
        ({"embeddings": "openai:"}, "is not known"),
        ({"embeddings": "openai:text-embedding-3-large"}, "needs OPENAI_API_KEY"),
    ],
)
def test_settings_that_name_no_model_are_refused(
    tmp_path: Path, flags: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        embedder(Settings.read(**flags), VectorCache(tmp_path / "v"))


def test_a_server_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    settings = Settings.read(
        embeddings="openai:some-model", embeddings_base_url="http://127.0.0.1:9/v1", timeout="2"
    )
    cache = VectorCache(tmp_path / "v")
    with pytest.raises(ModelError, match=r"some-model.*127\.0\.0\.1:9") as raised:
        embedder(settings, cache).question("When?", "en")
    assert "\n" not in str(raised.value)
    cache.close()
