"""Which articles an overview is made of, and which of their sentences tell most."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.find import find
from rag.answering.overview import (
    MOST_OF_DIGEST,
    central_sentences,
    chosen_articles,
    is_of_several,
    passages_of,
)
from rag.ingestion.ingest import ingest
from rag.parts import Parts
from rag.records import Document, Hit, QueryKind
from rag.retrieval.retrieve import retrieve
from rag.settings import Settings
from rag.understanding.question import to_query

pytestmark = pytest.mark.slow

ARTICLES = {
    "bees.txt": """Bees return to the valley

By Ada Stone

Beekeepers in the valley counted 4,000 hives this spring, twice as many as last year.
The bees had nearly vanished after three dry summers in a row.

What happened?

A wet autumn brought back the flowers that the bees of the valley feed on.
Beekeepers expect to sell honey at the market again from July.
The beekeepers of the valley counted 4,000 hives this spring, two times as many as last year.
The mayor wore a blue hat at the opening of the market.""",
    "trade.txt": """Der Handel mit Wolle wächst

Der Handel mit Wolle zwischen beiden Inseln ist im vergangenen Jahr um ein Fünftel gewachsen.
Die Händler verkaufen die Wolle vor allem an Webereien auf dem Festland.
Ein neuer Vertrag senkt die Zölle auf Wolle und Garn.""",
    "tea.txt": """Handel mit Tee bricht ein

Der Handel mit Tee ist wegen hoher Zölle um die Hälfte zurückgegangen.
Viele Händler geben den Handel auf und schließen ihre Läden im Hafen.""",
    "opera.txt": """Nowa opera w mieście

W mieście otwarto nową operę z salą dla tysiąca widzów.
Pierwszym przedstawieniem była opera o królu i jego trzech córkach.""",
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    corpus: Path = tmp_path_factory.mktemp("corpus")
    for name, text in ARTICLES.items():
        (corpus / name).write_text(text, encoding="utf-8")
    made = Parts(
        Settings.read(model="none", embeddings="e5", store=tmp_path_factory.mktemp("store"))
    )
    ingest(corpus, made)
    yield made
    made.close()


def chosen(question: str, parts: Parts, kind: QueryKind = "overview") -> list[str]:
    query = replace(to_query(question), kind=kind)
    return chosen_articles(query, retrieve(query, parts), documents(parts))


def documents(parts: Parts) -> dict[str, Document]:
    return {name: each.document for name, each in parts.store.documents().items()}


def passages(sources: Iterable[str], parts: Parts) -> list[Hit]:
    """All passages of some articles."""
    stored = documents(parts)
    return [hit for source in sources for hit in passages_of(stored[source], parts)]


@pytest.mark.parametrize(
    ("question", "sources"),
    [
        ("What is the article on bees about?", {"bees.txt"}),
        ("Streść artykuł o operze", {"opera.txt"}),
        ("О чём статья про шерсть?", {"trade.txt"}),
        ("Compare the two articles on trade.", {"trade.txt", "tea.txt"}),
        ("Fasse die beiden Artikel über Handel zusammen", {"trade.txt", "tea.txt"}),
    ],
)
def test_an_overview_is_of_the_articles_on_its_subject(
    question: str, sources: set[str], parts: Parts
) -> None:
    assert set(chosen(question, parts)) == sources


def test_a_digest_is_of_all_articles_and_at_most_twenty(parts: Parts) -> None:
    assert set(chosen("What are the articles about?", parts, "digest")) == set(ARTICLES)
    many = {f"{i}.txt": Document(f"{i}.txt", "…") for i in range(50)}
    hits = retrieve(to_query("bees"), parts)
    summary = replace(to_query("Summarise all"), kind="digest")
    assert len(chosen_articles(summary, hits, many)) == MOST_OF_DIGEST


def test_without_hits_no_article_is_chosen(parts: Parts) -> None:
    assert (
        chosen_articles(replace(to_query("Summarise the article on bees"), kind="overview"), [], {})
        == []
    )


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("Summarise the articles on trade", True),
        ("Summarise the article on trade", False),
        ("İki makaleyi karşılaştır", True),
        ("Bu makaleyi özetle", False),
        ("比较两篇文章", True),
        ("סכם את הכתבות על סחר", True),
    ],
)
def test_several_articles_are_meant_where_the_question_says_so(
    question: str, several: bool
) -> None:
    assert is_of_several(to_query(question)) == several


def test_passages_are_all_of_the_articles_in_order(parts: Parts) -> None:
    hits = passages(["tea.txt", "bees.txt"], parts)
    assert list(dict.fromkeys(hit.source for hit in hits)) == ["tea.txt", "bees.txt"]
    for hit in hits:
        assert ARTICLES[hit.source][hit.start : hit.end] == hit.text
    words = [word for hit in hits if hit.source == "bees.txt" for word in hit.text.split()]
    assert words == ARTICLES["bees.txt"].split()


def test_passages_and_sentences_keep_to_a_filter(parts: Parts) -> None:
    digest = replace(to_query("Summarise all"), kind="digest")
    assert {hit.lang for hit in find(digest, parts, None, {"lang": "pl"}, None).hits} == {"pl"}
    german = find(digest, parts, None, {"lang": ["de"]}, None).hits
    assert {e.hit.lang for e in central_sentences(german, parts.embedder)} == {"de"}
    assert find(digest, parts, None, {"date": {"gte": "2020-01-01"}}, None).hits == ()


def test_of_one_article_three_sentences_are_quoted_in_its_order(parts: Parts) -> None:
    found = central_sentences(passages(["bees.txt"], parts), parts.embedder)
    text = ARTICLES["bees.txt"]
    assert [each.number for each in found] == [1, 2, 3]
    starts = [each.sentence.start for each in found]
    assert starts == sorted(starts)
    for each in found:
        assert text[each.sentence.start : each.sentence.end] == each.sentence.text
        assert 0 <= each.score <= 1


def test_headings_bylines_questions_and_repetitions_are_not_central(parts: Parts) -> None:
    told = [
        each.sentence.text
        for each in central_sentences(passages(["bees.txt"], parts), parts.embedder)
    ]
    assert not {"Bees return to the valley", "By Ada Stone", "What happened?"} & set(told)
    assert sum("4,000 hives" in text for text in told) == 1
    assert not any("blue hat" in text for text in told)


def test_of_many_articles_one_sentence_each_is_quoted(parts: Parts) -> None:
    found = central_sentences(passages(ARTICLES, parts), parts.embedder)
    assert [each.hit.source for each in found] == list(ARTICLES)
    assert [each.number for each in found] == [1, 2, 3, 4]


def test_an_article_without_a_whole_sentence_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Prices\n\nWool 3\n\nTea 4", encoding="utf-8")
    parts = Parts(Settings.read(model="none", embeddings="e5", store=tmp_path / "store"))
    ingest(tmp_path / "list.txt", parts)
    assert central_sentences(passages(["list.txt"], parts), parts.embedder) == []
    assert central_sentences([], parts.embedder) == []
    parts.close()
