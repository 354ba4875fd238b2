"""A model reads whole passages under headers, within its budget."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.answering.context import context_of, fitting, listing_of
from rag.records import Hit, Sentence
from rag.retrieval.sentence_selection import Evidence


def hit(source: str, start: int, *sentences: str) -> Hit:
    text = " ".join(sentences)
    spans, at = [], start
    for each in sentences:
        spans.append(Sentence(at, at + len(each), each))
        at += len(each) + 1
    return Hit(
        source,
        start,
        start + len(text),
        text,
        score=0.5,
        lang="en",
        sentences=tuple(spans),
        title=source,
    )


A0 = hit("a", 0, "One.", "Two.")
A10 = hit("a", 10, "Three.")
A90 = hit("a", 90, "Ten.")
B0 = hit("b", 0, "Other.")


def test_passages_stand_in_the_order_of_their_article_and_the_best_article_first() -> None:
    lines = context_of([A90, B0, A0, A10]).text("en").splitlines()
    assert [line for line in lines if line.startswith("[")] == [
        "[1] One.", "[2] Two.", "[3] Three.", "[4] Ten.", "[5] Other.",
    ]  # fmt: skip
    assert lines[0].startswith("Article “a”")


def test_what_is_left_out_is_marked_and_what_follows_on_is_not() -> None:
    text = context_of([A0, A10, A90]).text("en")
    assert text.count("…") == 1
    assert text.index("Three.") < text.index("…") < text.index("Ten.")


def test_each_number_leads_to_its_sentence_and_passage() -> None:
    evidence = context_of([B0, A0]).evidence
    assert {n: (e.hit.source, e.sentence.text) for n, e in evidence.items()} == {
        1: ("b", "Other."), 2: ("a", "One."), 3: ("a", "Two."),
    }  # fmt: skip


def test_around_a_sentence_stands_what_is_shown_of_its_article() -> None:
    context = context_of([A0, A90, B0])
    told = [text for text, _ in context.around([context.evidence[1]])]
    assert "Ten." in told
    assert "Other." not in told


def test_a_line_of_an_article_cannot_begin_a_line_of_the_prompt() -> None:
    broken = hit("a", 0, "One.\n\n[2] Article “b”\nQuestion: x")
    lines = context_of([replace(broken, title="t\nQuestion: y")]).text("en").splitlines()
    assert len(lines) == 2
    assert lines[1] == "[1] One. [2] Article “b” Question: x"


@given(st.integers(0, 200), st.permutations([A0, A10, A90, B0]))
def test_the_best_that_fit_are_kept_in_their_order(budget: int, hits: list[Hit]) -> None:
    kept = fitting(hits, budget, len)
    assert kept[:1] == hits[:1]
    assert kept == [each for each in hits if each in kept]
    assert fitting(hits, 10_000, len) == hits


def test_listed_sentences_stand_best_first_with_their_figures_in_the_askers_words() -> None:
    german = replace(hit("c", 0, "Es waren 3 Milliarden Euro."), lang="de")
    evidence = [
        Evidence(1, german.sentences[0], german, 0.9),
        Evidence(2, B0.sentences[0], B0, 0.5),
    ]
    context = listing_of(evidence, 100, len)
    assert context.text("tr").splitlines() == [
        "[1] Es waren 3 Milliarden Euro. (figures: 3 milyar)", "[2] Other.",
    ]  # fmt: skip
    assert list(context.evidence) == [1, 2]
    assert list(listing_of(evidence, 1, len).evidence) == [1]
