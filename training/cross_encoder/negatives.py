"""Passages that do not answer, made hard: near in subject, in words, or by one figure.

Four kinds: the passage without the sentence that answers; another passage of the same
article, or the one most alike of some; a question that asks for another figure or name
than the passage has; any passage at all.
"""

import random
import re
from collections import defaultdict
from collections.abc import Sequence

from training.cross_encoder.examples import Example, Item, Span, titled, window

SHARE = 0.85
"""Negatives to each question that is answered."""
_KINDS = {"cut": 0.35, "neighbour": 0.25, "asked_otherwise": 0.3, "any": 0.1}
_RIVALS = 25
"""Passages of the set of which the most alike is taken where an article has no other."""
_WORD = re.compile(r"[^\W_]+")
_FIGURE = re.compile(r"\d+")
_SENTENCE = re.compile(r"[^.!?。！？؟۔।\n]+[.!?。！？؟۔।\n]*")


class Negatives:
    """Makes negatives from the items that examples are made of."""

    def __init__(self, items: Sequence[Item], chance: random.Random) -> None:
        self._chance = chance
        self._contexts: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._articles: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self._words: dict[tuple[str, bool], list[str]] = defaultdict(list)
        seen: set[tuple[str, str]] = set()
        for item in items:
            if (item.dataset, item.context) not in seen:
                seen.add((item.dataset, item.context))
                self._contexts[item.dataset, item.lang].append(item.context)
                self._articles[item.dataset, item.lang, item.title].append(item.context)
            for word in _shared_words(item):
                self._words[item.dataset, bool(_FIGURE.fullmatch(word))].append(word)
        self._pools = sorted(self._contexts)

    def of(self, item: Item) -> Example | None:
        """A negative for an item that is answered; None where its kind cannot be made."""
        kind = self._chance.choices(list(_KINDS), list(_KINDS.values()))[0]
        made: Example | None = getattr(self, f"_{kind}")(item)
        return made

    def _cut(self, item: Item) -> Example | None:
        """The same passage, without the sentences in which the answer stands."""
        text, span = window(item.context, item.span, self._chance)
        if span is None:
            return None
        answer = text[slice(*span)]
        kept = [
            m.group()
            for m in _SENTENCE.finditer(text)
            if (m.end() <= span[0] or m.start() >= span[1]) and answer not in m.group()
        ]
        left = "".join(kept).strip()
        if answer in left or len(left) < len(text) / 4:
            return None
        return self._example(item, left)

    def _neighbour(self, item: Item) -> Example | None:
        """Another passage of the same article, or else the most alike of some."""
        near = self._articles[item.dataset, item.lang, item.title] if item.title else []
        near = [c for c in near if c != item.context and not self._answers(c, item)]
        if near:
            return self._example(item, self._piece(self._chance.choice(near)))
        every = self._contexts[item.dataset, item.lang]
        rivals = self._chance.sample(every, min(_RIVALS, len(every)))
        rivals = [c for c in rivals if c != item.context and not self._answers(c, item)]
        if not rivals:
            return None
        asked = _grams(item.twin or item.question)
        return self._example(item, self._piece(max(rivals, key=lambda c: len(asked & _grams(c)))))

    def _asked_otherwise(self, item: Item) -> Example | None:
        """The question about another figure or name than the passage speaks of."""
        shared = _shared_words(item)
        if not shared:
            return self._neighbour(item)
        figures = [word for word in shared if _FIGURE.fullmatch(word)]
        word = self._chance.choice(figures or shared)
        others = self._words[item.dataset, bool(figures)]
        for other in self._chance.sample(others, min(20, len(others))):
            alike = len(other) == len(word) if figures else other[0].isupper() == word[0].isupper()
            if other != word and alike and other not in item.context:
                asked = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", other, item.question)
                if asked == item.question:
                    return None
                text, _ = window(item.context, item.span, self._chance)
                return Example(asked, self._led(text, item), None, item.dataset)
        return None

    def _any(self, item: Item) -> Example | None:
        every = self._contexts[self._chance.choice(self._pools)]
        context = self._chance.choice(every)
        if context == item.context or self._answers(context, item):
            return None
        return self._example(item, self._piece(context))

    def _example(self, item: Item, text: str) -> Example:
        return Example(item.question, self._led(text, item), None, item.dataset)

    def _piece(self, context: str) -> str:
        return window(context, None, self._chance)[0]

    def _led(self, text: str, item: Item) -> str:
        led = self._chance.random() < 0.5 and not self._answers(item.title, item)
        return titled(text, None, item.title)[0] if led else text

    @staticmethod
    def _answers(context: str, item: Item) -> bool:
        """Whether the answer's words stand there too, so that it may answer."""
        return item.span is not None and item.context[slice(*item.span)] in context


def _shared_words(item: Item) -> list[str]:
    """Words of the question that the context has and the answer has not; not short ones.

    Across languages figures only.
    """
    answer: Span = item.span or (0, 0)
    there = set(_WORD.findall(item.context)) - set(_WORD.findall(item.context[slice(*answer)]))
    return [
        word
        for word in _WORD.findall(item.question)
        if word in there
        and (_FIGURE.fullmatch(word) or (not item.twin and (len(word) >= 5 or word[0].isupper())))
    ]


def _grams(text: str) -> set[str]:
    folded = text.casefold()
    return {folded[i : i + 4] for i in range(len(folded) - 3)}
