"""What a question wants, by the exemplars of `prompts/question_kinds.toml`.

docs/decisions/understanding.md says how near an exemplar must be, and what that costs.
"""

from functools import cache
from pathlib import Path
from typing import Literal, get_args

from rag.records import Query, QueryKind
from rag.understanding.exemplars import (
    Exemplar,
    NamedEmbedder,
    Recogniser,
    by_words,
    known,
    load,
    read_exemplars,
)

Wanted = Literal[
    "overview", "digest", "count", "languages", "list", "oldest", "newest", "comparison", "fact"
]
"""As `QueryKind`, with what is asked of the corpus, and a comparison of two things told apart."""
WANTED: tuple[Wanted, ...] = get_args(Wanted)
OF_CORPUS: tuple[Wanted, ...] = ("count", "languages", "list", "oldest", "newest")
VECTORS_FILE = Path(__file__).with_name("question_kinds.npz")
_SMALL_TALK: tuple[Literal["greeting", "order"], ...] = ("greeting", "order")


def wanted(query: Query, embedder: NamedEmbedder, likely: bool = False) -> Wanted:
    """What the question alone wants, whatever went before; with `likely`, what it may well want.

    With an embedding model that nothing was fitted for only the exemplars' own words count.
    """
    said = known(query.question, query.question_lang, _by_words())
    if said is not None:
        return said.kind
    made = recogniser(embedder.space)
    if made is None:
        return "fact"
    vector = embedder.question(query.question, query.question_lang)
    return (made.likely(vector) if likely else made.kind(vector)) or "fact"


def wanted_of_corpus(query: Query, embedder: NamedEmbedder | None) -> Wanted:
    """What a question that is about the corpus asks of it, "count" where that cannot be told."""
    said = known(query.question, query.question_lang, _by_words())
    if said is not None and said.kind in OF_CORPUS:
        return said.kind
    made = recogniser(embedder.space) if embedder else None
    if embedder is None or made is None:
        return "count"
    vector = embedder.question(query.question, query.question_lang)
    return made.nearest_of(OF_CORPUS, vector)


def kind_of(wanted: Wanted) -> QueryKind:
    """The kind of a query; things are compared by their facts.

    >>> kind_of("oldest"), kind_of("comparison")
    ('corpus', 'fact')
    """
    if wanted in OF_CORPUS:
        return "corpus"
    return wanted if wanted in ("overview", "digest") else "fact"


def exemplars() -> tuple[Exemplar[Wanted], ...]:
    """Those of `prompts/question_kinds.toml`, in its order; `$about` and `$both` unfilled.

    After them greetings and orders, so that one that `small_talk.py` does not know is none of the
    other kinds either.
    """
    small = read_exemplars("small_talk", _SMALL_TALK)
    return (
        *read_exemplars("question_kinds", WANTED),
        *(Exemplar(each.text, each.lang, "fact") for each in small),
    )


@cache
def recogniser(space: str) -> Recogniser[Wanted] | None:
    """What was fitted for a vector space; None where that is another one."""
    return load(VECTORS_FILE, WANTED, space)


@cache
def _by_words() -> dict[str, dict[str, Exemplar[Wanted]]]:
    return by_words([each for each in exemplars() if "$" not in each.text])
