"""Negatives are near to what was asked, and none holds the answer."""

import random
import re
from dataclasses import replace

import pytest
from reading_items import CONTEXTS, answer_of, item

from training.cross_encoder.examples import (
    Example,
    Item,
)
from training.cross_encoder.negatives import Negatives

ITEMS = [
    item("When was the mill on the Lark built?", CONTEXTS["en"], "1846", title="Lark Mill"),
    item("What did Ada Penn pay in 1998?", CONTEXTS["en"], "3.5 million", title="Lark Mill"),
    item("Which bird nests on Holm Island?", "Terns nest on Holm Island. They come in May 1977. "
         "Nobody lives there. The lighthouse stands empty.", "Terns", title="Holm"),
    item("Who painted the boats of Holm in 2004?", "In 2004 Ivo Marsh painted the boats. He used "
         "tar. The harbour smelt of it for weeks.", "Ivo Marsh", title="Holm"),
    item("How many geese came in 1955?", "In 1955 there came 77 geese. Some stayed. The others "
         "flew on over the hills to the sea.", "77", title="Geese"),
    item("Değirmen ne zaman yapıldı?", CONTEXTS["tr"], "1846", "tr", "Değirmen"),
    item("Kapı hangi günler açıktır?", "Pazar günleri açıktır. Bilet 40 liradır. Otopark yoktur.",
         "40 liradır", "tr"),
    item("מה קרה בשנת 1921?", CONTEXTS["he"], "שיטפון", "he", "הטחנה"),
    item("What happened in 1921?", "شب حريق في عام 1921. احترق السقف. ثم بني من جديد.", "حريق",
         "ar", "", "across", "ماذا حدث عام 1921؟"),
    item("ماذا كسر السد؟", CONTEXTS["ar"], "الفيضان", "ar"),
    item("磨坊建于哪一年？", CONTEXTS["zh"], "1846年", "zh", "磨坊"),
    item("?", CONTEXTS["one"], "one", "en"),
    item("", CONTEXTS["th"], "กังหัน", "th"),
    item("Who knows?", CONTEXTS["lines"], None),
]  # fmt: skip
ANSWERED = [each for each in ITEMS if each.span]


def made(name: str, each: Item, times: int = 40) -> list[Example]:
    """Negatives of one kind by many seeds, without those that could not be made."""
    tried = [getattr(Negatives(ITEMS, random.Random(n)), name)(each) for n in range(times)]
    return [example for example in tried if example]


@pytest.mark.parametrize("each", ANSWERED, ids=lambda each: f"{each.lang} {each.question}")
def test_no_negative_has_a_span_or_another_set(each: Item) -> None:
    negatives = Negatives(ITEMS, random.Random(1))
    found = [example for _ in range(60) if (example := negatives.of(each))]
    assert found
    assert {(example.span, example.dataset) for example in found} == {(None, each.dataset)}
    assert all(example.passage.strip() for example in found)


def test_one_seed_gives_the_same_negatives() -> None:
    def of_all(seed: int) -> list[Example | None]:
        negatives = Negatives(ITEMS, random.Random(seed))
        return [negatives.of(each) for each in ANSWERED * 5]

    assert of_all(4) == of_all(4)
    assert of_all(4) != of_all(5)


def test_what_is_cut_out_is_the_sentence_that_answers() -> None:
    for each in ANSWERED:
        for example in made("_cut", replace(each, title="")):
            assert answer_of(each) not in example.passage
            assert example.question == each.question
    passages = {example.passage for example in made("_cut", replace(ITEMS[2], title=""))}
    assert "They come in May 1977. Nobody lives there. The lighthouse stands empty." in passages


def test_a_text_of_one_sentence_cannot_be_cut() -> None:
    assert not made("_cut", item("?", CONTEXTS["one"], "sentence"))
    assert not made("_cut", item("Who knows?", CONTEXTS["lines"], None))


def test_a_neighbour_is_of_the_same_article_and_does_not_answer() -> None:
    terns, boats = ITEMS[2:4]
    for each, other in ((terns, boats), (boats, terns)):
        found = made("_neighbour", each)
        assert found
        for example in found:
            assert example.passage.removeprefix("Holm\n") in other.context
            assert answer_of(each) not in example.passage


def test_a_neighbour_without_an_article_is_the_most_alike_that_does_not_answer() -> None:
    asked = item("Which geese flew over the hills?", "Grey geese did. So they say.", "Grey")
    found = made("_neighbour", asked)
    assert {example.passage for example in found} == {ITEMS[4].context}
    assert not made("_neighbour", item("多少？", "七十七只。", "七十七", "ja"))


def test_no_neighbour_holds_the_answer() -> None:
    for each in ANSWERED:
        for example in made("_neighbour", each):
            assert answer_of(each) not in example.passage
            assert example.question == each.question


@pytest.mark.parametrize(
    "each", [ITEMS[1], ITEMS[3], ITEMS[4], ITEMS[7], ITEMS[8]], ids=lambda each: each.question
)
def test_asked_otherwise_the_passage_has_no_such_figure(each: Item) -> None:
    others = [item(f"What was in {year}?", f"In {year} it rained.", "rained", each.lang,
                   dataset=each.dataset) for year in (1633, 1702, 2031)]  # fmt: skip
    for seed in range(40):
        negatives = Negatives([*ITEMS, *others], random.Random(seed))
        example = negatives._asked_otherwise(each)
        assert example is not None
        assert example.question != each.question
        [figure] = re.findall(r"\d+", example.question)
        assert figure not in each.context
        assert re.sub(r"\d+", "#", example.question) == re.sub(r"\d+", "#", each.question)
        assert example.passage.removeprefix(f"{each.title}\n") in each.context


def test_asked_otherwise_a_name_is_put_for_a_name() -> None:
    for example in made("_asked_otherwise", ITEMS[2]):
        assert example.question != ITEMS[2].question
        [put] = set(example.question.split()) - set(ITEMS[2].question.split())
        assert put.strip("?") not in ITEMS[2].context


def test_asked_across_languages_only_figures_are_changed() -> None:
    asked = item("Which bird nests on Holm?", "Holm adasında sumrular yaşar. Orada kimse yok.",
                 "sumrular", "tr", "Ada", "across", "Holm'da hangi kuş yaşar?")  # fmt: skip
    for seed in range(20):
        negatives = Negatives([*ITEMS, asked], random.Random(seed))
        example = negatives._asked_otherwise(asked)
        assert example is None or example.question == asked.question


def test_any_passage_is_one_that_does_not_answer() -> None:
    for each in ANSWERED:
        for example in made("_any", replace(each, title="")):
            assert answer_of(each) not in example.passage


def test_negatives_of_one_item_alone() -> None:
    for each in ITEMS:
        negatives = Negatives([each], random.Random(2))
        for _ in range(30):
            example = negatives.of(each)
            assert example is None or example.span is None
