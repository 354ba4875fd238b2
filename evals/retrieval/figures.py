"""Figures of one pool and system, from what was found: pure functions.

Questions about one passage count as one cluster in the standard errors: they share its luck.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from evals.metrics import Figure, percentile, summarise
from evals.retrieval.sets import Pool, Question
from rag.records import Record

DEPTH = 10
"""How many passages are asked for; all figures are over these."""

Scorer = Callable[[Question, Sequence[str]], dict[str, float]]
"""A question and the ids that were found for it, best first, to scores by name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the ids of the passages that were found, best first, and their scores."""

    question: Question
    found: Sequence[str]
    scores: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Figures(Record):
    """One system on one pool; a part that cannot be judged is None or empty."""

    set: str
    system: str
    passages: int
    planned: int
    """Questions that were to be asked: more than were when the run was interrupted."""
    all: dict[str, Figure]
    """By score: R@1 and so on."""
    across: dict[str, Figure]
    """The same of the questions in another language than their passage."""
    cells: dict[str, dict[str, Figure]]
    """The same by languages of question and passage, such as `tr>zh`; mixed pools only."""
    own_language: float | None
    """Share of the questions whose first hit is in the asker's language."""
    fair: float | None
    """Share of the questions whose right passage is in the asker's language."""
    all_agree: Figure
    """Share of the groups whose languages all have the same first hit."""
    pairs_agree: Figure
    """Mean over the groups of the share of pairs of languages that have."""
    median_ms: float
    """Milliseconds from question to hits, one question at a time."""
    p95_ms: float

    @property
    def worst(self) -> str:
        """The cell of the lowest R@1."""
        return min(self.cells, key=lambda name: recall_1(self.cells[name]))

    @property
    def best(self) -> str:
        """The cell of the highest R@1."""
        return max(self.cells, key=lambda name: recall_1(self.cells[name]))


def figures(pool: Pool, system: str, asked: Sequence[Asked]) -> Figures:
    """All figures of a system on a pool; raises InputError when nothing was asked."""
    langs = {passage.id: passage.lang for passage in pool.passages}
    judged = [each for each in asked if each.question.passage_lang]
    mixed = judged if len(set(langs.values())) > 1 else []
    cells: dict[str, list[Asked]] = defaultdict(list)
    for each in mixed:
        cells[f"{each.question.lang}>{each.question.passage_lang}"].append(each)
    agreed = agreement(asked)
    times = [1000 * each.seconds for each in asked]
    return Figures(
        set=pool.name,
        system=system,
        passages=len(pool.passages),
        planned=len(pool.questions),
        all=means(asked),
        across=means([e for e in judged if e.question.lang != e.question.passage_lang]),
        cells={name: means(cells[name]) for name in sorted(cells)},
        own_language=_share([langs[e.found[0]] == e.question.lang for e in mixed if e.found]),
        fair=_share([e.question.passage_lang == e.question.lang for e in mixed]),
        all_agree=summarise([float(share == 1) for share in agreed] or [None]),
        pairs_agree=summarise([*agreed] or [None]),
        median_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
    )


def rank_scores(question: Question, found: Sequence[str]) -> dict[str, float]:
    """Recall, reciprocal rank and nDCG, where one passage is right."""
    rank = [*found, question.passage].index(question.passage) + 1
    here = question.passage in found
    return {
        **{f"R@{k}": float(here and rank <= k) for k in (1, 5, 10)},
        "MRR": here / rank,
        f"nDCG@{DEPTH}": here / math.log2(1 + rank),
    }


def means(asked: Sequence[Asked]) -> dict[str, Figure]:
    """The mean of each score; none of no questions."""
    clusters = [each.question.passage for each in asked]
    names = asked[0].scores if asked else ()
    return {name: summarise([each.scores[name] for each in asked], clusters) for name in names}


def recall_1(scores: Mapping[str, Figure]) -> float:
    """The mean R@1."""
    return scores["R@1"].mean or 0.0


def agreement(asked: Sequence[Asked]) -> list[float]:
    """Of each group asked in several languages, the share of pairs with one first hit.

    Finding nothing is no agreement.
    """
    firsts: dict[str, list[Sequence[str]]] = defaultdict(list)
    for each in asked:
        firsts[each.question.group].append(each.found[:1])
    groups = [list(combinations(group, 2)) for group in firsts.values() if len(group) > 1]
    return [sum(bool(a) and a == b for a, b in pairs) / len(pairs) for pairs in groups]


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
