"""Document -> Passages: paragraphs that fit the budget, with their Sentences.

Text is never changed: a passage, like a sentence, is a span of `Document.text`.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from rag.languages.folding import is_mark
from rag.languages.paragraphs import Span, paragraphs, trim
from rag.languages.sentences import has_letter, sentences_of
from rag.records import Document, Passage, Sentence

CountTokens = Callable[[str], int]

MAX_MARKS = 30
"""More combining marks on one letter than this are no writing (UAX #15 stream-safe text)."""


def split_document(document: Document, count_tokens: CountTokens, budget: int) -> list[Passage]:
    """The paragraphs of the document as passages of at most `budget` tokens each.

    Longer paragraphs are cut into as few and as even passages as their sentence
    ends allow, a longer sentence at clause, word and letter ends. `budget` must
    hold one letter with its marks. Tokens are counted about once a passage.
    """
    if budget < 1:
        raise ValueError(f"a passage of {budget} tokens holds nothing; give at least 1")
    cut = _Cutter(document.text, count_tokens, budget)
    return [
        _passage(document, group)
        for block in _blocks(document.text)
        for group in cut.groups(
            [
                span
                for paragraph in block
                for span in sentences_of(document.text, paragraph, document.lang)
            ]
        )
    ]


def _blocks(text: str) -> list[list[Span]]:
    """Paragraphs, each with the bare decoration after it; leading decoration joins the first."""
    blocks: list[list[Span]] = []
    for span in paragraphs(text):
        bare = not has_letter(text, *span)
        first = len(blocks) == 1 and not any(has_letter(text, *part) for part in blocks[0])
        if blocks and (bare or first):
            blocks[-1].append(span)
        else:
            blocks.append([span])
    return blocks


def _passage(document: Document, group: list[Span]) -> Passage:
    start, end = group[0][0], group[-1][1]
    return Passage(
        source=document.source,
        start=start,
        end=end,
        text=document.text[start:end],
        sentences=tuple(Sentence(a, b, document.text[a:b]) for a, b in group),
        lang=document.lang,
        title=document.title,
        date=document.date,
        publisher=document.publisher,
        page=bisect_right(document.page_starts, start) or None,
    )


_CLAUSE_END = re.compile(r"[,;:،؛、，；：–—]+[\"'”’»)\]]*(?=\s)|[、，；：]+")


@dataclass(frozen=True, slots=True)
class _Cutter:
    """Groups sentences into passages that fit the budget."""

    text: str
    count_tokens: CountTokens
    budget: int

    def groups(self, sentences: list[Span]) -> list[list[Span]]:
        """Runs of sentences, in order; a sentence over the budget comes in pieces."""
        if self.count(sentences[0][0], sentences[-1][1]) <= self.budget:
            return [sentences]
        pieces = [piece for span in sentences for piece in self.pieces(span)]
        sizes = [self.count(*piece) for piece in pieces]
        return [
            group
            for start, end in _even_groups(sizes, self.budget)
            for group in self.fitting(pieces[start:end])
        ]

    def count(self, start: int, end: int) -> int:
        return self.count_tokens(self.text[start:end])

    def fitting(self, pieces: list[Span]) -> list[list[Span]]:
        """The group itself, or its halves: joined text can cost more than its parts."""
        if len(pieces) == 1 or self.count(pieces[0][0], pieces[-1][1]) <= self.budget:
            return [pieces]
        half = len(pieces) // 2
        return self.fitting(pieces[:half]) + self.fitting(pieces[half:])

    def pieces(self, span: Span) -> list[Span]:
        """The sentence, or even parts of it that fit, cut at the best places there are."""
        size = self.count(*span)
        if size <= self.budget:
            return [span]
        cuts = self.cuts(span, -(-size // self.budget))
        if not cuts:
            return [span]
        edges = [span[0], *cuts, span[1]]
        parts = [trim(self.text, a, b) for a, b in pairwise(edges)]
        return [piece for part in parts if part for piece in self.pieces(part)]

    def cuts(self, span: Span, parts: int) -> list[int]:
        """At most `parts - 1` places: clause ends near the even ones, else spaces, else letters."""
        start, end = span
        step = (end - start) / parts
        cuts: list[int] = []
        for number in range(1, parts):
            target = start + round(number * step)
            low = max(start + 1, target - int(step / 3))
            cut = self.best_cut(low, target, min(end - 1, target + int(step / 3)))
            cut = cut or _letter_end(self.text, target, start, end)
            if (cuts[-1] if cuts else start) < cut < end:
                cuts.append(cut)
        return cuts

    def best_cut(self, low: int, target: int, high: int) -> int:
        """The clause end nearest to the target, else the white space; 0 when there is none."""
        for pattern in (_CLAUSE_END, _SPACE):
            places = [found.end() for found in pattern.finditer(self.text, low, high)]
            if places:
                return min(places, key=lambda place: abs(place - target))
        return 0


_SPACE = re.compile(r"\s+")
_JOINERS = frozenset("\u200c\u200d")


def _letter_end(text: str, target: int, start: int, end: int) -> int:
    """The place nearest before the target (else after it) that parts no letter from its marks."""
    place = target
    while place > start and _inside_letter(text, place) and target - place < MAX_MARKS:
        place -= 1
    if place > start:
        return place
    place = max(target, start + 1)
    while place < end and _inside_letter(text, place) and place - start < MAX_MARKS:
        place += 1
    return place


def _inside_letter(text: str, place: int) -> bool:
    """Whether a cut here would part a letter from a mark, a joined sign or a modifier."""
    char, before = text[place], text[place - 1]
    return (
        is_mark(char)
        or char in _JOINERS
        or before == "\u200d"
        or "\u1160" <= char <= "\u11ff"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or all("\U0001f1e6" <= sign <= "\U0001f1ff" for sign in (before, char))
    )


def _even_groups(sizes: list[int], budget: int) -> list[Span]:
    """Index ranges: the fewest runs of sizes with sums within the budget, then the most even.

    >>> _even_groups([4, 4, 4, 4], 12)
    [(0, 2), (2, 4)]
    """
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    for end in range(1, len(sizes) + 1):
        groups, spread, total = best[end - 1][0], -1, 0
        for start in range(end - 1, -1, -1):
            total += sizes[start]
            if total > budget and start < end - 1:
                break
            sum_before = best[start][1] + total * total
            if best[start][0] < groups or spread < 0 or sum_before < spread:
                groups, spread, first = best[start][0], sum_before, start
        best.append((groups + 1, spread, first))
    ranges: list[Span] = []
    end = len(sizes)
    while end:
        ranges.append((best[end][2], end))
        end = best[end][2]
    return ranges[::-1]
