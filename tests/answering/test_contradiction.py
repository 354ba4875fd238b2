"""Two articles that give one figure differently are told from two that do not."""

from collections.abc import Callable

import pytest

from rag.answering.contradiction import differ
from rag.embedding.cache import VectorCache
from rag.embedding.embedder import Embedder, embedder
from rag.records import Hit, Sentence
from rag.retrieval.sentence_selection import Evidence
from rag.settings import Settings

Told = tuple[str, str]
"""A sentence and its language."""

HARBOUR = ("Der Umsatz des Hafens stieg im Jahr 2021 um 12 Prozent.", "de")
LIGHTHOUSE = ("The lighthouse of Orvik is 46 metres high.", "en")

CONTRADICTIONS: dict[str, tuple[Told, Told]] = {
    "one language": (LIGHTHOUSE, ("The lighthouse of Orvik is 52 metres high.", "en")),
    "en, pl": (LIGHTHOUSE, ("Latarnia morska w Orvik ma wysokość 52 metrów.", "pl")),
    "en, tr": (LIGHTHOUSE, ("Orvik deniz fenerinin yüksekliği 52 metredir.", "tr")),
    "en, ru": (LIGHTHOUSE, ("Высота маяка в Орвике составляет 52 метра.", "ru")),
    "en, he": (
        ("The tower of Tolmar is 46 metres tall.", "en"),
        ("גובהו של מגדל טולמר הוא 52 מטרים.", "he"),
    ),
    "de, en": (HARBOUR, ("In 2021 the harbour's turnover rose by 15 percent.", "en")),
    "other words": (
        ("Fabryka mebli zatrudnia 430 osób.", "pl"),
        ("W fabryce mebli pracuje 510 osób.", "pl"),
    ),
    "money": (
        ("Bilet do muzeum kosztuje 20 złotych.", "pl"),
        ("A ticket to the museum costs 25 zloty.", "en"),
    ),
    "a year that one leaves out": (HARBOUR, ("The harbour's turnover rose by 15 percent.", "en")),
    "another figure that both have": (
        ("The hall in Orvik took 14 months to build and cost 3 million euros.", "en"),
        ("It took 14 months to build the hall in Orvik, which cost 5 million euros.", "en"),
    ),
}
NEAR_ONES: dict[str, tuple[Told, Told]] = {
    "same figure": (HARBOUR, ("In 2021 the harbour's turnover rose by 12 percent.", "en")),
    "no figure": (HARBOUR, ("In 2021 the harbour's turnover rose.", "en")),
    "other thing": (HARBOUR, ("Poets earn 15 percent of the price of a book.", "en")),
    "other year": (HARBOUR, ("In 2022 the harbour's turnover rose by 15 percent.", "en")),
    "other year, one language": (
        ("Budżet miasta na 2024 rok wynosi 410 milionów złotych.", "pl"),
        ("Budżet miasta na 2025 rok wynosi 433 miliony złotych.", "pl"),
    ),
    "other month": (
        ("W marcu chleb kosztował 4 złote.", "pl"),
        ("In April bread cost 5 zloty.", "en"),
    ),
    "other number": (
        ("Booth 31 at the fair pays 140 euros.", "en"),
        ("Booth 47 at the fair pays 165 euros.", "en"),
    ),
    "other floor": (("12. kattaki daire 900 lira.", "tr"), ("14. kattaki daire 700 lira.", "tr")),
    "several figures": (
        ("Route 6 of the tram is 9 kilometres long and has 15 stops.", "en"),
        ("Route 8 of the tram is 11 kilometres long and has 19 stops.", "en"),
    ),
    "other quarter": (
        ("In the eastern quarter of Orvik a flat costs 900 euros.", "en"),
        ("In the western quarter of Orvik a flat costs 700 euros.", "en"),
    ),
    "other town": (LIGHTHOUSE, ("Latarnia morska w Tolmar ma 52 metry wysokości.", "pl")),
    "other town that begins": (
        ("Orvik lighthouse is 46 metres high.", "en"),
        ("Tolmar lighthouse is 52 metres high.", "en"),
    ),
    "other country": (
        ("Handel z Norwegią wzrósł w 2021 roku o 12 procent.", "pl"),
        ("In 2021 trade with Chile rose by 15 percent.", "en"),
    ),
    "other unit": (LIGHTHOUSE, ("The lighthouse of Orvik is 52 years old.", "en")),
}

Differ = Callable[[Evidence, Evidence], bool]


@pytest.fixture(scope="module")
def differing(tmp_path_factory: pytest.TempPathFactory) -> Differ:
    cache = VectorCache(tmp_path_factory.mktemp("differ") / "vectors.sqlite")
    known: Embedder = embedder(Settings.read(embeddings="e5"), cache)
    return lambda one, other: differ([one, other], known)


def said(told: Told, source: str, passage: str = "") -> Evidence:
    text, lang = told
    hit = Hit(source, 0, len(passage or text), passage or text, score=0.5, lang=lang)
    return Evidence(1, Sentence(0, len(text), text), hit, 0.5)


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_articles_differ_where_they_count_one_thing_differently(
    name: str, differing: Differ
) -> None:
    one, other = CONTRADICTIONS[name]
    assert differing(said(one, "a.txt"), said(other, "b.txt"))
    assert differing(said(other, "a.txt"), said(one, "b.txt"))


@pytest.mark.parametrize("name", NEAR_ONES)
def test_articles_do_not_differ_where_they_tell_of_two_things(name: str, differing: Differ) -> None:
    one, other = NEAR_ONES[name]
    assert not differing(said(one, "a.txt"), said(other, "b.txt"))
    assert not differing(said(other, "a.txt"), said(one, "b.txt"))


def test_one_article_does_not_differ_from_itself(differing: Differ) -> None:
    other = ("The lighthouse of Orvik is 52 metres high.", "en")
    assert not differing(said(LIGHTHOUSE, "a.txt"), said(other, "a.txt"))


def test_a_sentence_without_a_name_is_on_what_its_passage_names(differing: Differ) -> None:
    ours, theirs = ("It cost 38 million euros to build.", "en"), (
        "Building it cost 50 million euros.",
        "en",
    )  # fmt: skip
    bridge = "They opened the bridge of Orvik in May. It cost 38 million euros to build."
    same = "They walked over the bridge of Orvik. Building it cost 50 million euros."
    other = "They walked over the bridge of Tolmar. Building it cost 50 million euros."
    assert differing(said(ours, "a.txt", bridge), said(theirs, "b.txt", same))
    assert not differing(said(ours, "a.txt", bridge), said(theirs, "b.txt", other))
