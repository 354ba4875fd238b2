"""Public questions as examples for the cross-encoder: question, passage, where the answer stands.

Passages are windows of their context, as long as those that a store holds. Wherever
there is parallel text, question and passage are in different languages.
"""

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from evals.rows import rows
from rag.records import led_by_title

Span = tuple[int, int]
"""Code points of a passage, the end exclusive."""

READING = {
    "squad_en_part": 6500, "afriqa": 2500, "qamr_en": 1500, "policyqa_en": 400,
    "covidqa_en": 300, "jaquad_ja": 2500, "drcd_zh_hant": 1500, "cmrc2018_zh": 2500,
    "pquad_fa": 3500, "norquad_no": 2000, "squad_es_dist": 887, "swequad_sv": 700,
    "faquad_pt": 700, "iapp_th": 700, "amqa_am": 400, "kazqad_kk": 1500,
    "tydiqa_goldp_ar": 1800, "mlqa_ar": 1000, "koziev_ru": 600,
}  # fmt: skip
"""Examples drawn of each set; small sets in languages of use are drawn twice."""
OWN_LANGUAGE = {"heq": 1700, "arcd": 900}
ACROSS = {"omosqa": 3000, "xquad": 10_000, "afriqa": 1000}
"""Examples with question and passage in two languages."""
SHORTEST, LONGEST = 200, 760
"""How long a window is, in letters of an alphabet; drawn evenly."""
HELD_OUT = 4
"""One article in this many is kept for measuring."""

_BREAK = re.compile(r"(?<=[.!?;\n])\s+|(?<=[。！？；؟۔।])\s*|\n+")
_WIDE = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Example:
    """A question, a passage, and where the answer stands in it; None where it does not."""

    question: str
    passage: str
    span: Span | None
    dataset: str


@dataclass(frozen=True, slots=True)
class Item:
    """A question with its whole context, from which examples are cut."""

    question: str
    context: str
    span: Span | None
    lang: str
    """Of the context."""
    title: str
    dataset: str
    twin: str = ""
    """The same question in the context's language, where the question is in another."""


def is_held_out(title: str) -> bool:
    """Whether an article is kept for measuring: the same in each run and for each set.

    >>> is_held_out("Super_Bowl_50"), is_held_out("Warsaw")
    (False, False)
    """
    return hashlib.sha256(title.encode()).digest()[0] % HELD_OUT == 0


def items(data: Path, train: Path, seed: int, *, held_out: bool) -> list[Item]:
    """What to train on, or of `data` what is kept for measuring."""
    chance = random.Random(seed)
    found: list[Item] = []
    if not held_out:
        for name, count in READING.items():
            found += drawn(_reading(train / f"{name}.jsonl.gz", name), count, chance)
        native = _afriqa_native(train / "afriqa.jsonl.gz")
        found += drawn(native, ACROSS["afriqa"], chance)
        found += drawn(_omosqa(train / "omosqa.jsonl.gz", chance), ACROSS["omosqa"], chance)
    for name, count in OWN_LANGUAGE.items():
        kept = [i for i in _own_language(data, name) if is_held_out(i.title) == held_out]
        found += kept if held_out else drawn(kept, count, chance)
    found += drawn(_xquad(data, chance, held_out), ACROSS["xquad"], chance)
    return found


def drawn(found: Iterable[Item], count: int, chance: random.Random) -> list[Item]:
    """So many of them; all and some again where there are fewer."""
    every = list(found)
    if not every:
        return []
    repeats, rest = divmod(count, len(every)) if count > len(every) else (0, count)
    return every * repeats + chance.sample(every, rest)


def window(context: str, span: Span | None, chance: random.Random) -> tuple[str, Span | None]:
    """A run of whole sentences, with the answer in it if there is one."""
    cuts = [0, *(m.end() for m in _BREAK.finditer(context)), len(context)]
    sentences = [(a, b) for a, b in pairwise(cuts) if b > a]
    if not sentences:
        return context, span
    inside = [i for i, (a, b) in enumerate(sentences) if span and a < span[1] and b > span[0]]
    first = inside[0] if inside else chance.randrange(len(sentences))
    last = inside[-1] if inside else first
    room = chance.uniform(SHORTEST, LONGEST) - _weight(context, sentences, first, last)
    while room > 0 and (first > 0 or last < len(sentences) - 1):
        forward = last < len(sentences) - 1 and (first == 0 or chance.random() < 0.5)
        if forward:
            last += 1
        else:
            first -= 1
        at = last if forward else first
        room -= _weight(context, sentences, at, at)
    begin, end = sentences[first][0], sentences[last][1]
    text = context[begin:end].rstrip()
    lead = len(text) - len(text.lstrip())
    text = text.lstrip()
    begin += lead
    return text, (max(0, span[0] - begin), min(span[1] - begin, len(text))) if span else None


def titled(text: str, span: Span | None, title: str) -> tuple[str, Span | None]:
    """The passage led by its title, as a store's passages are."""
    led = led_by_title(text, title)
    moved = len(led) - len(text)
    return led, (span[0] + moved, span[1] + moved) if span else None


def _weight(context: str, sentences: Sequence[Span], first: int, last: int) -> float:
    part = context[sentences[first][0] : sentences[last][1]]
    return len(part) + 2 * len(_WIDE.findall(part))


def _span(row: dict[str, Any]) -> Span | None:
    if not row["answers"]:
        return None
    start = row["answer_start"][0]
    return start, start + len(row["answers"][0])


def _reading(path: Path, name: str) -> list[Item]:
    return [
        Item(row["question"], row["context"], _span(row), row["lang"], row["title"], name)
        for row in rows(path)
    ]


def _afriqa_native(path: Path) -> list[Item]:
    """The question as it was asked first, in an African language."""
    return [
        Item(row["question_native"], row["context"], _span(row), row["lang"], row["title"],
             "afriqa", row["question"])
        for row in rows(path)
        if row.get("question_native")
    ]  # fmt: skip


def _omosqa(path: Path, chance: random.Random) -> list[Item]:
    groups: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows(path):
        groups[str(row["group"])][row["lang"]] = row
    found = []
    for by_lang in groups.values():
        for lang, row in by_lang.items():
            for other in chance.sample(sorted(by_lang), min(3, len(by_lang))):
                there = by_lang[other]
                twin = "" if other == lang else there["question"]
                found.append(
                    Item(row["question"], there["context"], _span(there), other,
                         there["title"], "omosqa", twin)
                )  # fmt: skip
    return found


def _own_language(data: Path, name: str) -> list[Item]:
    passages = {row["id"]: row for row in rows(data / f"{name}.passages.jsonl.gz")}
    found = []
    for row in rows(data / f"{name}.questions.jsonl.gz"):
        passage = passages[row["passage_id"]]
        missing = row["task"] == "abstain"
        if not missing and row["answer_start"][0] < 0:
            continue
        span = None if missing else _span(row)
        lang, title = passage["lang"], passage["title"]
        found.append(Item(row["question"], passage["text"], span, lang, title, name))
    return found


def _xquad(data: Path, chance: random.Random, held_out: bool) -> list[Item]:
    """Each question in each language, with the passage in another or the same one."""
    passages = {row["id"]: row for row in rows(data / "xquad.passages.jsonl.gz")}
    groups: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows(data / "xquad.questions.jsonl.gz"):
        if row["answer_start"][0] >= 0:
            groups[row["group"]][row["lang_passage"]] = row
    found = []
    for by_lang in groups.values():
        title = passages[next(iter(by_lang.values()))["passage_id"]]["title"]
        if is_held_out(title) != held_out:
            continue
        for lang, row in sorted(by_lang.items()):
            for other in chance.sample(sorted(by_lang), min(4, len(by_lang))):
                there = by_lang[other]
                text = passages[there["passage_id"]]["text"]
                twin = "" if other == lang else there["question"]
                found.append(Item(row["question"], text, _span(there), other, title, "xquad", twin))
    return found
