"""How many things a text lists."""

import re
from decimal import Decimal

from rag.languages.folding import fold

_LISTED = re.compile(r"(?<!\d)[,،、;；](?!\d)|\n")
_LISTED_WORDS = 4
"""Words that one thing of a list may have."""
_AND = re.compile(
    r"(?:\s*\S+){1,4}? ?(?:\b(?:and|und|et|y|e|i|oraz|и|ve|мен|және|or|lub) |[ ][וو]|[和与及])"
)


def counts_of_lists(text: str) -> frozenset[Decimal | str]:
    """How many things a text may list, since an answer counts them by itself.

    >>> sorted(map(int, counts_of_lists("Ana, Bo, Cid i Dan wyszli")))
    [3, 4]
    """
    found: set[Decimal | str] = set()
    commas = 0
    _, *parts = _LISTED.split(fold(text).text)
    for part in parts:
        commas += 1
        if commas > 1 or _AND.match(part):
            found |= {Decimal(commas + 1), Decimal(commas + 2)}
        if len(part.split()) > _LISTED_WORDS:
            commas = 0
    return frozenset(found)
