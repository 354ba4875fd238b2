"""Questions with most of their words put into another language, word by word.

A cross-encoder that has seen question and passage in one language only looks for the
same words in both. The dictionary is counted from parallel sentences: the words of two
languages that come together more often than with any other. (CoSDA-ML, Qin et al. 2020,
does so with printed dictionaries.)
"""

import random
import re
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

from evals.rows import rows
from training.cross_encoder.examples import Item

SOURCES = ("parallel_tatoeba", "parallel_pud", "parallel_tico19", "parallel_names")
SHARE = 0.85
"""Of the words that the dictionary has."""
_ALIKE = 0.25
"""Dice's coefficient from which two words are taken for translations."""
_LEAST = 3
_ENOUGH = 1000
"""Words that a language must have to be used."""
_WORD = re.compile(r"[^\W_]+")
Dictionary = dict[str, dict[str, list[str]]]
"""Of each language the words of each English word, best first."""


def dictionary(train: Path) -> Dictionary:
    """English to every language of the parallel sets; at most three words for each."""
    together: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    here: dict[str, Counter[str]] = defaultdict(Counter)
    there: dict[str, Counter[str]] = defaultdict(Counter)
    for name in SOURCES:
        for row in rows(train / f"{name}.jsonl.gz"):
            lang = row["lang_b"]
            ours = set(_WORD.findall(row["text_a"].casefold()))
            theirs = set(_WORD.findall(row["text_b"].casefold()))
            if len(ours) > 40 or len(theirs) > 40:
                continue
            here[lang].update(ours)
            there[lang].update(theirs)
            together[lang].update((a, b) for a in ours for b in theirs)
    found: Dictionary = {}
    for lang, pairs in together.items():
        scored: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for (a, b), count in pairs.items():
            alike = 2 * count / (here[lang][a] + there[lang][b])
            if count >= _LEAST and alike >= _ALIKE:
                scored[a].append((alike, b))
        found[lang] = {word: _best(others) for word, others in scored.items()}
    return {lang: words for lang, words in found.items() if len(words) >= _ENOUGH}


def _best(others: list[tuple[float, str]]) -> list[str]:
    """At most three words, and none that is much worse than the best."""
    highest = max(others)[0]
    return [word for alike, word in sorted(others, reverse=True)[:3] if alike > 0.7 * highest]


def switched(item: Item, words: Dictionary, chance: random.Random) -> Item:
    """The item with its English question in the words of one other language."""
    lang = chance.choice(sorted(words))

    def other(found: re.Match[str]) -> str:
        known = words[lang].get(found.group().casefold())
        return chance.choice(known) if known and chance.random() < SHARE else found.group()

    return replace(item, question=_WORD.sub(other, item.question), twin=item.question)
