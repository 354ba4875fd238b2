"""What the reader is trained on: answers stay where they are, and negatives hold none."""

import gzip
import json
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.cross_encoder.cloze import _gap, _partners, _trimmed, _whole_words, cloze_items
from training.cross_encoder.code_switching import SOURCES, Dictionary, dictionary, switched
from training.cross_encoder.examples import (
    LONGEST,
    Example,
    Item,
    drawn,
    is_held_out,
    titled,
    window,
)
from training.cross_encoder.negatives import Negatives

CONTEXTS = {
    "en": "The mill on the Lark was built in 1846. Its wheel turned until 1921, when a flood "
    "broke the weir. Dr. Ada Penn bought it for 3.5 million in 1998. Now it grinds rye again! "
    "Who would have thought? Visitors come on Sundays.",
    "tr": "Değirmen 1846 yılında yapıldı. İkinci taşı Iğdır'dan geldi. Sel 1921'de bendi yıktı!\n"
    "Bugün 3,5 ton çavdar öğütülüyor. Kapısı pazar günleri açıktır.",
    "he": "הטחנה נבנתה בשנת 1846. הגלגל הסתובב עד 1921, ואז שבר שיטפון את הסכר.\n\n"
    "כיום טוחנים בה 3.5 טונות שיפון. היא פתוחה בימי ראשון.",
    "ar": "بنيت الطاحونة عام ١٨٤٦. دارت عجلتها حتى ١٩٢١؛ ثم كسر الفيضان السد. هل تعمل اليوم؟ "
    "نعم، تطحن ٣٫٥ أطنان من الجاودار۔ وتفتح أيام الأحد.",
    "zh": "磨坊建于1846年。水轮一直转到1921年，后来洪水冲毁了堤坝！"
    "现在它每天磨三吨半黑麦；星期日开放。",
    "th": "โรงสีสร้างเมื่อปี 1846 กังหันหมุนจนถึงปี 1921 แล้วน้ำท่วมทำลายฝาย",
    "lines": "  First line of it\r\n\r\n\tSecond line, no full stop\r\nThird: 77 geese. \r\n\r\n  ",
    "one": "Nothing but one sentence without any end",
}
SENTENCES = st.sampled_from(
    ["It rained. ", "新桥开放。", "متى؟ ", "Çok iyi!\r\n", " \n", "Dr. No; ", "הוא הלך.", "x", "  "]
)


def item(
    question: str, context: str, answer: str | None, lang: str = "en", title: str = "",
    dataset: str = "own", twin: str = "",
) -> Item:  # fmt: skip
    span = None
    if answer is not None:
        begin = context.index(answer)
        span = begin, begin + len(answer)
    return Item(question, context, span, lang, title, dataset, twin)


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# --- windows


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS.keys())
def test_a_window_keeps_the_answer(context: str) -> None:
    chance = random.Random(7)
    text = context.strip()
    for seed in range(400):
        begin, end = sorted(chance.sample(range(context.index(text), len(text)), 2))
        answer = context[begin:end]
        if answer != answer.strip():
            continue
        passage, span = window(context, (begin, end), random.Random(seed))
        assert span is not None
        assert passage[slice(*span)] == answer
        assert passage in context
        assert passage == passage.strip()


@given(parts=st.lists(SENTENCES, max_size=12), data=st.data())
def test_a_window_of_any_text_keeps_what_the_answer_says(
    parts: list[str], data: st.DataObject
) -> None:
    context = "".join(parts) * 6
    begin = data.draw(st.integers(0, len(context)))
    end = data.draw(st.integers(begin, len(context)))
    passage, span = window(context, (begin, end), random.Random(len(context)))
    if context[begin:end].strip():
        assert span is not None
        assert 0 <= span[0] < span[1] <= len(passage)
        assert passage[slice(*span)].strip() == context[begin:end].strip()


def test_a_window_keeps_an_answer_with_spaces_before_it() -> None:
    passage, span = window("  \n Rye bread. Or not.", (0, 13), random.Random(0))
    assert span is not None
    assert passage[slice(*span)] == "Rye bread"


def test_a_window_keeps_an_answer_of_several_sentences() -> None:
    context = CONTEXTS["en"] * 9
    answer = "1998. Now it grinds rye again! Who would"
    begin = context.index(answer, 900)
    for seed in range(50):
        passage, span = window(context, (begin, begin + len(answer)), random.Random(seed))
        assert span is not None
        assert passage[slice(*span)] == answer


def test_a_window_is_of_whole_sentences_and_not_long() -> None:
    sentences = [f"Goose number {n} flew south over the sea." for n in range(200)]
    for seed in range(100):
        passage, span = window(" ".join(sentences), None, random.Random(seed))
        assert span is None
        assert set(re.split(r"(?<=\.) ", passage)) <= set(sentences)
        assert len(passage) < LONGEST + 50


def test_windows_differ_and_one_seed_gives_one() -> None:
    context = CONTEXTS["en"] * 9
    passages = [window(context, (10, 14), random.Random(seed))[0] for seed in range(20)]
    assert len(set(passages)) > 5
    assert passages == [window(context, (10, 14), random.Random(seed))[0] for seed in range(20)]


def test_letters_of_wide_scripts_count_more() -> None:
    longest = max(
        len(window(CONTEXTS["zh"] * 40, None, random.Random(seed))[0]) for seed in range(50)
    )
    assert longest < LONGEST / 2


@pytest.mark.parametrize("context", ["", " ", "\n\n", ".", "。。。"])
def test_a_window_of_next_to_nothing(context: str) -> None:
    passage, span = window(context, None, random.Random(0))
    assert passage in context
    assert span is None


# --- titles, sets and draws


def test_a_title_leads_and_moves_the_span() -> None:
    text, span = titled("It was built in 1846.", (16, 20), "הטחנה")
    assert text == "הטחנה\nIt was built in 1846."
    assert span is not None
    assert text[slice(*span)] == "1846"
    assert titled("It was.", None, "The mill") == ("The mill\nIt was.", None)


@pytest.mark.parametrize("title", ["", "mill"])
def test_a_title_that_is_there_or_is_none_changes_nothing(title: str) -> None:
    assert titled("The mill.", (4, 8), title) == ("The mill.", (4, 8))


def test_an_article_in_four_is_held_out_and_always_the_same() -> None:
    kept = [title for title in map("Article {}".format, range(1000)) if is_held_out(title)]
    assert 200 < len(kept) < 300
    assert kept[:3] == ["Article 2", "Article 4", "Article 5"]
    titles = ["", "טחנה", "磨坊", "Değirmen"]
    assert [title for title in titles if is_held_out(title)] == ["磨坊"]


@pytest.mark.parametrize(("count", "most"), [(0, 0), (3, 1), (5, 1), (7, 2), (13, 3)])
def test_as_many_are_drawn_as_asked_for(count: int, most: int) -> None:
    every = [item(f"Question {n}?", "Context.", None) for n in range(5)]
    found = drawn(iter(every), count, random.Random(3))
    assert len(found) == count
    times = [found.count(each) for each in every]
    assert max(times) == most
    assert max(times) - min(times) <= 1
    assert found == drawn(every, count, random.Random(3))


# --- negatives

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


def answer_of(each: Item) -> str:
    assert each.span
    return each.context[slice(*each.span)]


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


# --- questions in other words


def word(number: int, letters: str) -> str:
    """A word of those letters that no other number has."""
    return "".join(letters[number // len(letters) ** i % len(letters)] for i in range(4)) + "x"


WORDS = 1100
OURS = [word(n, "bdfgklmn") for n in range(WORDS)]
THEIRS = {
    "tr": [word(n, "çğışöüzy") for n in range(WORDS)],
    "he": [word(n, "אבגדהוזח") for n in range(WORDS)],
}


@pytest.fixture(scope="module")
def parallel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words side by side, each three times; and what shall not get into the dictionary."""
    folder = tmp_path_factory.mktemp("parallel")
    found: list[dict[str, Any]] = []
    for lang, words in THEIRS.items():
        for ours, theirs in zip(OURS, words, strict=True):
            row = {"lang_b": lang, "text_a": f"The {ours.title()}.", "text_b": f"{theirs}!"}
            found += [row] * 3
    bank = {"lang_b": "tr", "text_a": "bank"}
    found += [{**bank, "text_b": "banka"}] * 4 + [{**bank, "text_b": "kıyı"}] * 3
    found += [{**bank, "text_a": "twice", "text_b": "iki"}] * 2
    long = " ".join(f"w{n}" for n in range(41))
    found += [{"lang_b": "tr", "text_a": long, "text_b": "uzun"}] * 3
    found += [{"lang_b": "pl", "text_a": "bread", "text_b": "chleb"}] * 9
    for place, name in enumerate(SOURCES):
        write(folder / f"{name}.jsonl.gz", found[place :: len(SOURCES)])
    return folder


@pytest.fixture(scope="module")
def words(parallel: Path) -> Dictionary:
    return dictionary(parallel)


def test_words_that_come_together_are_translations(words: Dictionary) -> None:
    for lang, theirs in THEIRS.items():
        for ours, its in zip(OURS, theirs, strict=True):
            assert words[lang][ours] == [its.casefold()]
    assert words["tr"]["bank"] == ["banka", "kıyı"]


def test_what_is_rare_or_everywhere_is_no_translation(words: Dictionary) -> None:
    for absent in ("twice", "the", "w1"):
        assert absent not in words["tr"]
    assert sorted(words) == ["he", "tr"]  # of Polish there are too few words


def test_a_switched_question_keeps_the_words_that_are_not_known(words: Dictionary) -> None:
    question = f"Who, in 1998, saw the {OURS[5]} ({OURS[700].upper()}) of Zürich?"
    asked = item(question, CONTEXTS["en"], "1998", title="Lark Mill")
    known = {lang: {theirs[5], theirs[700].casefold()} for lang, theirs in THEIRS.items()}
    seen: set[str] = set()
    for seed in range(60):
        other = switched(asked, words, random.Random(seed))
        assert replace(other, question=question, twin="") == asked
        assert other.twin == question
        found = re.fullmatch(r"Who, in 1998, saw the (\w+) \((\w+)\) of Zürich\?", other.question)
        assert found
        put = set(found.groups()) - {OURS[5], OURS[700].upper()}
        assert put <= known["tr"] or put <= known["he"]
        seen |= put
    assert seen == known["tr"] | known["he"]


def test_a_question_without_known_words_stays_and_has_a_twin(words: Dictionary) -> None:
    for question in ("ماذا حدث؟", "", "?!", "Quid est?"):
        other = switched(item(question, "A.", None), words, random.Random(0))
        assert (other.question, other.twin) == (question, question)


def test_one_seed_switches_the_same_words(words: Dictionary) -> None:
    asked = item(" ".join(OURS[:30]), "A.", None)
    one, same, other = (switched(asked, words, random.Random(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


# --- gaps


def units(*places: int) -> Any:
    return (np.eye(6)[list(places)] * 127).astype(np.int8)


def test_partners_are_each_others_nearest() -> None:
    assert _partners(units(0, 1, 2), units(2, 0, 1)) == {0: 2, 1: 0, 2: 1}
    # The last of ours is nearest to the first of theirs, which is nearer to another.
    ours = np.array([[127, 0], [90, 90]], dtype=np.int8)
    assert _partners(ours, np.array([[127, 0]], dtype=np.int8)) == {0: 0}


OUR_SPANS = [(0, 3), (4, 8), (9, 12), (13, 20)]
THEIR_SPANS = [(0, 2), (3, 6), (7, 11), (12, 15)]


@pytest.mark.parametrize(
    ("filling", "partner", "gap"),
    [
        ((3, 6), {0: 0, 1: 2, 2: 1, 3: 3}, (9, 12)),
        ((3, 11), {0: 0, 1: 2, 2: 1, 3: 3}, (4, 12)),  # the words' order is another
        ((4, 5), {1: 0}, (0, 3)),  # a part of a token is all of it
        ((0, 15), {0: 3, 1: 2, 2: 1, 3: 0}, (0, 20)),
        ((3, 6), {0: 0, 2: 1}, None),  # no partner
        ((3, 15), {1: 1, 0: 0}, None),  # too few of them
        ((0, 6), {0: 0, 1: 2, 2: 1}, None),  # what lies between belongs to another
        ((2, 3), {0: 0, 1: 1}, None),  # a space has no tokens
    ],
)
def test_a_gap_is_where_the_fillings_partners_are(
    filling: tuple[int, int], partner: dict[int, int], gap: tuple[int, int] | None
) -> None:
    assert _gap(filling, partner, OUR_SPANS, THEIR_SPANS) == gap


def test_partners_far_apart_are_no_gap() -> None:
    spans = [(2 * n, 2 * n + 1) for n in range(9)]
    assert _gap((0, 3), {0: 0, 1: 4}, spans, spans) == (0, 9)
    assert _gap((0, 3), {0: 0, 1: 5}, spans, spans) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  «Rye», ", "Rye"),
        ("„żyto”.", "żyto"),
        ("(الجاودار؟)", "الجاودار"),
        ("黑麦。", "黑麦"),
        ("3.5", "3.5"),
        ("–- ", ""),
        ("", ""),
    ],
)
def test_edges_are_trimmed(text: str, kept: str) -> None:
    begin, end = _trimmed(text, (0, len(text)))
    assert text[begin:end] == kept
    assert 0 <= begin <= end <= len(text)


def test_only_the_spans_own_edges_are_trimmed() -> None:
    assert _trimmed("a, b, c", (1, 5)) == (3, 4)


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        ("They ground rye, then oats.", "oun", "ground"),
        ("They ground rye, then oats.", "nd ry", "ground rye"),
        ("They ground (rye), then.", "rye", "rye"),
        ("הם טחנו שיפון.", "חנ", "טחנו"),
        ("他们磨黑麦了", "磨", "他们磨黑"),  # no spaces: runs of four
    ],
)
def test_a_gap_is_of_whole_words(text: str, part: str, whole: str) -> None:
    begin = text.index(part)
    found = _whole_words(text, (begin, begin + len(part)))
    assert text[slice(*found)] == whole


PARALLEL = {
    "en": ("The old mill was sold for 41 million crowns in 1998.",
           "The teacher gave the children apples and red books."),
    "tr": ("Eski değirmen 1998'de 41 milyon krona satıldı.",
           "Öğretmen çocuklara elma ve kırmızı kitaplar verdi."),
    "pl": ("Stary młyn sprzedano w 1998 roku za 41 milionów koron.",
           "Nauczyciel dał dzieciom jabłka i czerwone książki."),
    "he": ("הטחנה הישנה נמכרה ב-1998 תמורת 41 מיליון כתרים.",
           "המורה נתן לילדים תפוחים וספרים אדומים."),
}  # fmt: skip


@pytest.fixture(scope="module")
def gaps(tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    """Items of two parallel sentences in four languages, each language asked in each other."""
    folder = tmp_path_factory.mktemp("gaps")
    passages, questions = [], []
    for lang, sentences in PARALLEL.items():
        cut = len(sentences[0])
        spans = [(0, cut), (cut + 1, cut + 1 + len(sentences[1]))]
        text = " ".join(sentences)
        passages.append({"id": lang, "text": text, "lang": lang, "sentences": spans})
        questions += [
            {"passage_id": lang, "gold_sentence": n, "question": asked, "lang_question": other}
            for other in PARALLEL
            for n, asked in enumerate(PARALLEL[other])
            if other != lang
        ]
    write(folder / "ntrex.passages.jsonl.gz", passages)
    write(folder / "ntrex.questions.jsonl.gz", questions)
    rows = [
        {"lang_b": lang, "text_a": ours, "text_b": theirs}
        for lang in ("tr", "he")
        for ours, theirs in zip(PARALLEL["en"], PARALLEL[lang], strict=True)
    ]
    write(folder / "parallel_tico19.jsonl.gz", rows)
    write(folder / "parallel_pud.jsonl.gz", [{"lang_b": "tr", "text_a": "Yes.", "text_b": "E."}])
    return cloze_items(folder, folder, random.Random(0))


def test_sentences_become_questions_with_a_gap(gaps: list[Item]) -> None:
    assert len(gaps) > 12
    assert {each.dataset for each in gaps} == {"ntrex", "parallel_tico19"}
    assert {each.lang for each in gaps} == set(PARALLEL)
    every = {sentence for sentences in PARALLEL.values() for sentence in sentences}
    for each in gaps:
        assert each.question.endswith("?")
        assert each.question not in every
        assert (each.twin, each.title) == (each.question, "")


def test_a_filling_is_words_of_the_sentence_that_was_asked_for(gaps: list[Item]) -> None:
    for each in gaps:
        filling = answer_of(each)
        assert filling == filling.strip(" .,")
        assert len(filling) > 1
        sentences = [text for text in PARALLEL[each.lang] if filling in text]
        assert sentences
        assert any(text in each.context for text in sentences)


def test_a_figure_that_fills_the_gap_is_not_in_the_question(gaps: list[Item]) -> None:
    figures = [(each, set(re.findall(r"\d+", answer_of(each)))) for each in gaps]
    assert any(found for _, found in figures)
    for each, found in figures:
        assert not found & set(re.findall(r"\d+", each.question))
