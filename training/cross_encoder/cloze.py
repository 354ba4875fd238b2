"""Parallel sentences as questions: a gap in one language, its filling in the other.

"The party won ___ seats" and a passage in another language that says how many. Which
words are translations of each other is seen in the tokens of late interaction: two that
are each other's nearest. That gives reading across languages where nobody has asked
questions, Hebrew and Polish among them.
"""

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.rows import rows
from rag.embedding.encoder import Encoder
from rag.embedding.late_interaction import TokenProjection, Tokens
from training.cross_encoder.examples import Item, Span

COUNTS = {"ntrex": 7000, "parallel_tico19": 1300, "parallel_pud": 1800}
"""Pairs of sentences that are tried of each set; some four in five give a gap."""
_ALIGNED = 0.6
"""Share of the filling's tokens that must have a partner, all of them within the gap."""
# Where words are not spaced, a few signs stand for one.
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u9fff]{2,4}|[^\s\u0e00-\u0eff\u3040-\u9fff]+")
_EDGES = " \t\n\r.,;:!?\"'()[]«»“”„‘’…、。，；：！？؟،؛–-"
_ASKING = {
    "en": ("what", "how many"), "tr": ("ne", "kaç"), "ar": ("ماذا", "كم"),
    "he": ("מה", "כמה"), "pl": ("co", "ile"), "ru": ("что", "сколько"),
    "zh": ("什么", "多少"), "es": ("qué", "cuántos"), "de": ("was", "wie viele"),
    "fr": ("quoi", "combien"), "kk": ("не", "қанша"), "fa": ("چه", "چند"),
}  # fmt: skip
"""Words for a thing and a number that is asked for; a line where there are none."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A sentence, and its translation within a passage."""

    asked: str
    asked_lang: str
    passage: str
    passage_lang: str
    sentence: Span
    dataset: str


def cloze_items(data: Path, train: Path, chance: random.Random) -> list[Item]:
    """Items whose question is a sentence of one language with a gap."""
    encoder, projection = Encoder(), TokenProjection()
    pairs = _ntrex(data, chance)
    for name in ("parallel_tico19", "parallel_pud"):
        pairs += _sentences(train / f"{name}.jsonl.gz", name, chance)
    texts = {(p.asked, p.asked_lang) for p in pairs}
    texts |= {(p.passage[slice(*p.sentence)], p.passage_lang) for p in pairs}
    known = _tokens(sorted(texts), encoder, projection)
    return [item for pair in pairs if (item := _item(pair, known, chance))]


def _item(pair: _Pair, known: dict[Any, Any], chance: random.Random) -> Item | None:
    begin, end = pair.sentence
    ours, our_spans = known[pair.asked, pair.asked_lang]
    theirs, their_spans = known[pair.passage[begin:end], pair.passage_lang]
    if not len(ours) or not len(theirs):
        return None
    partner = _partners(ours, theirs)
    words = [m.span() for m in _WORD.finditer(pair.passage[begin:end])]
    if not words:
        return None
    for _ in range(8):
        first = chance.randrange(len(words))
        last = min(len(words) - 1, first + chance.choice((0, 0, 1, 1, 2, 3)))
        filling = _trimmed(pair.passage[begin:end], (words[first][0], words[last][1]))
        gap = _gap(filling, partner, our_spans, their_spans)
        if gap is None or filling[1] - filling[0] < 2:
            continue
        gap = _whole_words(pair.asked, gap)
        if gap[1] - gap[0] > 0.5 * len(pair.asked):
            continue
        text = pair.passage[begin:end][slice(*filling)]
        if len(text) < 4 and not any(c.isdigit() for c in text):
            continue
        question = _question(pair, gap, chance)
        span = begin + filling[0], begin + filling[1]
        return Item(question, pair.passage, span, pair.passage_lang, "", pair.dataset, question)
    return None


def _partners(ours: Tokens, theirs: Tokens) -> dict[int, int]:
    """Tokens of theirs by tokens of ours, where each is the other's nearest."""
    cosines = ours.astype(np.float32) @ theirs.astype(np.float32).T
    there: NDArray[np.int64] = cosines.argmax(axis=1)
    back = cosines.argmax(axis=0)
    return {int(j): i for i, j in enumerate(there) if back[j] == i}


def _gap(
    filling: Span, partner: dict[int, int], ours: list[Span], theirs: list[Span]
) -> Span | None:
    """What stands for the filling in our sentence; None where that is not clear."""
    inside = [j for j, (a, b) in enumerate(theirs) if a < filling[1] and b > filling[0]]
    found = [partner[j] for j in inside if j in partner]
    if not inside or len(found) < _ALIGNED * len(inside):
        return None
    first, last = min(found), max(found)
    if last - first + 1 > 2 * len(inside) + 1:
        return None
    others = {i for j, i in partner.items() if j not in inside}
    if any(first <= i <= last for i in others):
        return None
    return ours[first][0], ours[last][1]


def _question(pair: _Pair, gap: Span, chance: random.Random) -> str:
    thing, number = _ASKING.get(pair.asked_lang, ("___", "___"))
    missing = pair.asked[slice(*gap)]
    word = number if any(char.isdigit() for char in missing) else thing
    if chance.random() < 0.3:
        word = "___"
    asked = f"{pair.asked[: gap[0]]}{word}{pair.asked[gap[1] :]}".rstrip(" .。")
    return asked + "?"


def _whole_words(text: str, span: Span) -> Span:
    for match in _WORD.finditer(text):
        if match.start() < span[1] and match.end() > span[0]:
            span = min(span[0], match.start()), max(span[1], match.end())
    return _trimmed(text, span)


def _trimmed(text: str, span: Span) -> Span:
    begin, end = span
    while begin < end and text[begin] in _EDGES:
        begin += 1
    while end > begin and text[end - 1] in _EDGES:
        end -= 1
    return begin, end


def _tokens(
    texts: list[tuple[str, str]], encoder: Encoder, projection: TokenProjection
) -> dict[tuple[str, str], tuple[Tokens, list[Span]]]:
    known = {}
    for start in range(0, len(texts), 200):
        part = texts[start : start + 200]
        _, states = encoder.states([text for text, _ in part], "passage")
        for (text, lang), each in zip(part, states, strict=True):
            spans = encoder.tokenizer.encode_spans(text)[1]
            if len(spans) == len(each):
                known[text, lang] = projection.passage(each, lang), spans
            else:
                known[text, lang] = projection.passage(each[:0], lang), []
    return known


def _ntrex(data: Path, chance: random.Random) -> list[_Pair]:
    passages = {row["id"]: row for row in rows(data / "ntrex.passages.jsonl.gz")}
    found = []
    every = list(rows(data / "ntrex.questions.jsonl.gz"))
    for row in chance.sample(every, min(COUNTS["ntrex"], len(every))):
        passage = passages[row["passage_id"]]
        begin, end = passage["sentences"][row["gold_sentence"]]
        found.append(
            _Pair(row["question"], row["lang_question"], passage["text"], passage["lang"],
                  (begin, end), "ntrex")
        )  # fmt: skip
    return found


def _sentences(path: Path, name: str, chance: random.Random) -> list[_Pair]:
    """Each way round; the passage is a few sentences that follow each other in the file."""
    by_lang: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(path):
        if len(row["text_a"]) > 30 and len(row["text_b"]) > 10:
            by_lang[row["lang_b"]].append(row)
    found = []
    for lang, kept in sorted(by_lang.items()):
        for at in chance.sample(range(len(kept)), min(COUNTS[name] // len(by_lang), len(kept))):
            near = range(
                max(0, at - chance.randrange(3)), min(len(kept), at + chance.randrange(1, 4))
            )
            ours, theirs = ("a", "b") if chance.random() < 0.6 else ("b", "a")
            langs = {"a": kept[at].get("lang_a", "en"), "b": lang}
            before = "".join(kept[i][f"text_{theirs}"] + " " for i in near if i < at)
            sentence = kept[at][f"text_{theirs}"]
            after = "".join(" " + kept[i][f"text_{theirs}"] for i in near if i > at)
            span = len(before), len(before) + len(sentence)
            found.append(_Pair(kept[at][f"text_{ours}"], langs[ours], before + sentence + after,
                               langs[theirs], span, name))  # fmt: skip
    return found
