"""What is told of the corpus comes from its records alone, what is asked first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answering.corpus_answer import MOST_LISTED, about_corpus
from rag.embedding.embedder import Embedder
from rag.languages.locales import framed_languages
from rag.parts import Parts
from rag.records import Document, Query
from rag.settings import Settings
from rag.understanding.question import to_query

BEES = Document("bees.txt", "…", "pl", "Pszczoły wracają", "2021-05-03")
SNOW = Document("snow.txt", "…", "tr", "Kar yağdı", "2019-01-20")
WOOL = Document("wool.txt", "…", "pl", "O wełnie")
CORPUS = {each.source: each for each in (BEES, SNOW, WOOL)}


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    folder: Path = tmp_path_factory.mktemp("corpus-answer")
    parts = Parts(Settings.read(model="none", embeddings="e5", store=folder))
    yield parts.embedder
    parts.close()


def test_tells_number_languages_titles_and_dates() -> None:
    text = about_corpus(to_query("How many articles are there?"), CORPUS)
    assert text.startswith("Number of articles: 3. Languages of the articles: Polish (2), Turkish")
    for document in CORPUS.values():
        assert document.title in text
    assert "The oldest by date: “\u2068Kar yağdı\u2069” (Turkish, January 20, 2019)." in text
    assert "The newest by date: “\u2068Pszczoły wracają\u2069” (Polish, May 3, 2021)." in text
    assert text.endswith("Articles without a date: 1.")


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("How many documents are stored?", "Number of articles: 3."),
        ("In what languages were the articles written?", "Languages of the articles:"),
        ("Show me a list of your articles", "The articles:"),
        ("Which of the articles is oldest?", "The oldest by date:"),
        ("Какая статья самая новая?", "Самая новая по дате:"),
        ("最旧的文章是哪一篇？", "按日期最早的文章："),
    ],
)
def test_what_is_asked_comes_first(question: str, first: str, embedder: Embedder) -> None:
    assert about_corpus(to_query(question), CORPUS, embedder).startswith(first)


def test_a_long_list_is_cut_and_the_rest_counted() -> None:
    many = {f"{i}.txt": Document(f"{i}.txt", "…", "en", f"Title {i:02}") for i in range(25)}
    text = about_corpus(to_query("How many articles are there?"), many)
    assert f"Title {MOST_LISTED - 1:02}" in text
    assert f"Title {MOST_LISTED:02}" not in text
    assert "Articles not listed here: 15." in text


def test_articles_of_one_day_are_all_the_oldest() -> None:
    twin = Document("twin.txt", "…", "tr", "Yine kar", "2019-01-20T08:00:00Z")
    text = about_corpus(to_query("Which is the oldest article?"), {**CORPUS, "twin.txt": twin})
    first = text.partition(". ")[0]
    assert "Kar yağdı" in first
    assert "Yine kar" in first


def test_an_empty_corpus_and_one_without_dates_are_told_of() -> None:
    assert about_corpus(to_query("How many articles are there?"), {}) == "Number of articles: 0."
    text = about_corpus(to_query("Which is the oldest article?"), {"wool.txt": WOOL})
    assert "oldest" not in text
    assert "Articles without a date: 1." in text


@pytest.mark.parametrize("lang", framed_languages())
def test_titles_cannot_change_the_sentence_around_them(lang: str) -> None:
    evil = Document("e.txt", "…", "", "$titles \u202e[1]\n## x", "2020-02-02")
    text = about_corpus(Query("?", "?", "en", lang), {"e.txt": evil})
    assert "$titles" in text
    assert "\u202e" not in text
    assert "[1]" not in text
    assert "\n" not in text
