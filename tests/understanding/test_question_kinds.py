"""What a question wants is known by its nearest exemplar, or by its words."""

import pytest

from rag.parts import Parts
from rag.understanding.exemplars import NamedEmbedder
from rag.understanding.question import to_query
from rag.understanding.question_kinds import (
    OF_CORPUS,
    exemplars,
    recogniser,
    wanted,
    wanted_of_corpus,
)
from training.exemplars import Questions, own_rows
from training.question_kinds import fillings, kind_told, vector


@pytest.mark.slow
def test_eight_in_ten_written_questions_of_each_kind_are_recognised(parts: Parts) -> None:
    rows = list(own_rows("question_kinds"))
    for kind in ("overview", "digest", "corpus", "fact"):
        mine = [to_query(row["text"]) for row in rows if row["kind"] == kind]
        right = [kind_told(wanted(query, parts.embedder)) == kind for query in mine]
        assert sum(right) >= 0.8 * len(right) > 0, kind


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How many texts do you have?", "count"),
        ("Welche Sprachen haben die Artikel?", "languages"),
        ("Покажи список статей", "list"),
        ("最旧的文章是哪一篇？", "oldest"),
        ("En son çıkan makale hangisi?", "newest"),
    ],
)
def test_what_is_asked_of_the_corpus_is_told(question: str, asked: str, parts: Parts) -> None:
    assert wanted_of_corpus(to_query(question), parts.embedder) == asked


def test_with_another_embedding_model_known_words_count(other_model: NamedEmbedder) -> None:
    assert wanted(to_query("How many articles are there?"), other_model) == "count"
    assert wanted(to_query("How many articles lie there?"), other_model) == "fact"
    assert wanted_of_corpus(to_query("Which article is the most recent?"), other_model) == (
        "newest"
    )
    assert wanted_of_corpus(to_query("Tell me of your articles"), None) == "count"


def test_what_ships_was_made_of_the_exemplars_for_the_model_that_ships() -> None:
    embedder = Questions()
    made = recogniser(embedder.space)
    assert made is not None
    assert made.kinds == tuple(each.kind for each in exemplars())
    assert all(made.low[kind] < floor for kind, floor in made.floors.items())
    for i in range(0, len(made.kinds), 150):
        shipped = float(made.vectors[i] @ vector(exemplars()[i], embedder))
        assert shipped > 0.99, f"{exemplars()[i].text}: run python -m training.question_kinds"


def test_exemplars_are_of_one_kind_and_no_test_question_is_among_them() -> None:
    texts = [(each.lang, each.text) for each in exemplars()]
    assert len(set(texts)) == len(texts)
    rows = list(own_rows("question_kinds"))
    filled = {text.casefold() for each in exemplars() for text in fillings(each)}
    own = [row["text"] for row in rows if row["text"].casefold().strip("?？؟.。¿ ") in filled]
    assert len(own) < len(rows) / 10


def test_every_language_has_all_of_the_corpus() -> None:
    for lang in {each.lang for each in exemplars()}:
        kinds = {each.kind for each in exemplars() if each.lang == lang}
        assert kinds >= {*OF_CORPUS, "overview", "digest", "comparison", "fact"}, lang
