"""Which translations of a quote are shown: people's, planted lies, and the chat model's?

    RAG_MODEL=none python -m evals.translations FOLDER --limit 100
    RAG_MODEL=embedded python -m evals.translations FOLDER --limit 20 --replies FILE

FOLDER holds `<set>.passages.jsonl[.gz]` as `evals/README.md` describes, with `group` and
`sentences`. Of each pair of languages "he-en" sentences in Hebrew are the quotes, those of the
same paragraph in English their translations by people. Every second paragraph is asked about;
of the others cosines are printed, for whoever sets the floors in `translation_faults.py`.
A model of the environment translates the same, and its drafts are compared with people's.
"""

import random
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np

from evals.audit import sentences
from evals.audit_faults import FAULTS, Text, planted
from evals.markdown import markdown_table
from evals.replies import Replies
from evals.rows import read_rows
from rag.answering.translation_drafts import Attempt, attempt
from rag.answering.translation_faults import Quote, find_fault
from rag.embedding.embedder import Embedder
from rag.embedding.encoder import Vectors
from rag.errors import InputError, RagError
from rag.models.choice import model_label
from rag.models.conversation import Conversation
from rag.parts import Parts
from rag.records import Record
from rag.settings import Settings

LIES = (*FAULTS, "of another article", "the next sentence", "a sentence added", "half left out",
        "negated")  # fmt: skip
_ORDERS, _RECALL = range(1, 7), 2
_VERB = re.compile(r"\b(is|are|was|were|has|have|had|will|would|can|could)\b(?! not)")
Row = tuple[object, ...]
_SHORTEST = 40
"""Characters of a quote; a headline of three words says little of translations."""


@dataclass(frozen=True, slots=True)
class Case(Record):
    """A quote, its translation by people, and sentences that are no translation of it."""

    quote: Quote
    reference: str
    neighbour: str
    """What follows in the same paragraph; "" where nothing does."""
    stranger: str
    """A sentence of another paragraph."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--pairs", default="he-en,ar-en,tr-en,pl-en", show_default=True)
@click.option("--limit", default=20, show_default=True, help="quotes of each pair")
@click.option("--set", "name", default="ntrex", show_default=True)
@click.option("--replies", type=click.Path(path_type=Path), help="keep the model's replies there")
@click.option("--show", default=0, help="print so many of the model's drafts of each pair")
def main(folder: Path, pairs: str, limit: int, name: str, replies: Path | None, show: int) -> None:
    """Print what is shown of translations by people, of lies, and of the model's drafts."""
    try:
        parts = Parts(Settings.read())
        cases = {pair: _cases(folder, name, pair) for pair in pairs.split(",")}
        chosen = {pair: _spread(odd, limit) for pair, (_, odd) in cases.items()}
        if parts.chat_model is None:
            click.echo(_cosines({pair: even for pair, (even, _) in cases.items()}, parts.embedder))
            click.echo("\n" + _people(chosen, parts.embedder))
        else:
            click.echo(_drafts(chosen, parts, replies, show))
    except RagError as error:
        raise click.ClickException(str(error)) from error


# --- what is translated


def _cases(folder: Path, name: str, pair: str) -> tuple[list[Case], list[Case]]:
    """The cases of every first and of every second paragraph; raises InputError."""
    lang, _, to = pair.partition("-")
    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    for _, row in read_rows(folder, name, "passages"):
        groups[row["group"]][row["lang"]] = row
    halves: tuple[list[Case], list[Case]] = [], []
    both = [groups[key] for key in sorted(groups) if {lang, to} <= groups[key].keys()]
    told = [(sentences(group[lang]), sentences(group[to])) for group in both]
    told = [(quotes, texts) for quotes, texts in told if len(quotes) == len(texts)]
    for i, (quotes, texts) in enumerate(told):
        others = told[(i + len(told) // 2) % len(told)][1]
        for quote, (text, following) in zip(quotes, pairwise([*texts, ""]), strict=True):
            if len(quote) >= _SHORTEST:
                stranger = min(others, key=lambda each: abs(len(each) - len(text)))
                halves[i % 2].append(Case(Quote(quote, lang, to), text, following, stranger))
    if not halves[1]:
        raise InputError(f"{folder}: {name} has no sentences of the pair {pair!r}; give another")
    return halves


def _spread(cases: Sequence[Case], limit: int) -> list[Case]:
    """A sample, the same each time."""
    return random.Random(0).sample(cases, min(limit, len(cases)))


# --- translations by people, and lies


def _people(chosen: dict[str, list[Case]], embedder: Embedder) -> str:
    """Of people's translations what is refused, and of those shown which lies are shown too."""
    refused: dict[str, Counter[str]] = {pair: Counter() for pair in chosen}
    asked, slipped = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for pair, cases in chosen.items():
        rng = random.Random(0)
        others = [Text(each.reference, each.quote.to) for each in cases]
        for case in cases:
            fault = find_fault(case.reference, case.quote, embedder)
            if fault:
                refused[pair][fault.kind] += 1
                continue
            for lie, text in _lies(case, others, rng):
                asked[lie, pair] += 1
                slipped[lie, pair] += find_fault(text, case.quote, embedder) is None
    people = [
        [pair, len(cases), _percent(refused[pair].total(), len(cases)), _counts(refused[pair])]
        for pair, cases in chosen.items()
    ]
    lies = [
        [lie, *_shares(slipped, asked, lie, chosen)]
        for lie in LIES
        if any(asked[lie, pair] for pair in chosen)
    ]
    return "\n\n".join((
        markdown_table(("people's translations", "quotes", "refused, %", "as"), people),
        markdown_table(("lies that are shown, % (of)", *chosen), lies),
    ))  # fmt: skip


def _lies(case: Case, others: Sequence[Text], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Each lie by its name, planted in the reference or in its place."""
    true, words = case.reference, case.reference.split()
    for fault in planted(Text(true, case.quote.to), others, rng):
        yield fault.kind, fault.text.text
    yield "of another article", case.stranger
    if case.neighbour:
        yield "the next sentence", case.neighbour
    yield "a sentence added", f"{true.rstrip('.')}. {case.stranger}"
    yield "half left out", " ".join(words[: len(words) // 2])
    if case.quote.to == "en" and _VERB.search(true):
        yield "negated", _VERB.sub(r"\1 not", true, count=1)


def _shares(
    part: Counter[tuple[str, str]], whole: Counter[tuple[str, str]], lie: str, pairs: Any
) -> list[str]:
    keys = [(lie, pair) for pair in pairs]
    return [f"{_percent(part[k], whole[k])} ({whole[k]})" if whole[k] else "" for k in keys]


def _cosines(cases: dict[str, list[Case]], embedder: Embedder) -> str:
    """How near people's translations are to their quotes, and the sentences after them."""
    rows = []
    for pair, each in cases.items():
        lang, _, to = pair.partition("-")
        quotes = _vectors([case.quote.text for case in each], lang, embedder)
        same = (quotes * _vectors([case.reference for case in each], to, embedder)).sum(axis=1)
        after = [i for i, case in enumerate(each) if case.neighbour]
        next_ones = _vectors([each[i].neighbour for i in after], to, embedder)
        near = (quotes[after] * next_ones).sum(axis=1)
        told = [*np.percentile(same, (2, 5, 50)), np.percentile(near, 95)]
        rows.append([pair, len(each), *(f"{cosine:.3f}" for cosine in told)])
    headings = ("cosine with the quote", "quotes", "translations 2 %", "5 %", "50 %",
                "next sentences 95 %")  # fmt: skip
    return markdown_table(headings, rows)


def _vectors(texts: Sequence[str], lang: str, embedder: Embedder) -> Vectors:
    raw = np.array(embedder.embeddings.embed_documents(list(texts)), dtype=np.float32)
    return embedder.means.subtract(raw, [lang] * len(texts), "sentence")


# --- the model


def _drafts(chosen: dict[str, list[Case]], parts: Parts, kept: Path | None, show: int) -> str:
    """What is shown of the model's drafts, and how near shown and refused ones are to people's."""
    rows, samples = list[Row](), list[str]()
    for pair, cases in chosen.items():
        made = [(case, _attempts(case, parts, kept)) for case in cases]
        for case, attempts in made[:show]:
            samples += ["", case.quote.text, f"  people: {case.reference}"]
            samples += [f"  {_verdict(each)}: {each.draft}" for each in attempts]
        rows.append((pair, *_row(made, parts.embedder)))
    headings = (
        model_label(parts.settings), "quotes", "shown", "of these at the second try", "chrF shown",
        "refused", "cosine to people's shown", "refused", "first drafts refused as",
    )  # fmt: skip
    return markdown_table(headings, rows) + "\n" + "\n".join(samples)


def _attempts(case: Case, parts: Parts, kept: Path | None) -> tuple[Attempt, ...]:
    assert parts.chat_model is not None
    model = Conversation(parts.chat_model, parts.settings, Replies(kept) if kept else None)
    return attempt(case.quote, model, parts.embedder, threading.Event())


def _row(made: Sequence[tuple[Case, tuple[Attempt, ...]]], embedder: Embedder) -> Row:
    shown = [(case, last) for case, (*_, last) in made if last.fault is None]
    refused = [(case, last) for case, (*_, last) in made if last.fault]
    again = sum(len(attempts) > 1 and attempts[-1].fault is None for _, attempts in made)
    kinds = Counter(first.fault.kind for _, (first, *_) in made if first.fault)
    near: list[Callable[[Case, Attempt], float]] = [
        lambda case, last: chrf(last.draft, case.reference),
        lambda case, last: _cosine(last.draft, case, embedder),
    ]
    means = [_mean([of(*each) for each in some]) for of in near for some in (shown, refused)]
    return (len(made), len(shown), again, *means, _counts(kinds))


def _cosine(draft: str, case: Case, embedder: Embedder) -> float:
    one, other = _vectors([draft or " ", case.reference], case.quote.to, embedder)
    return float(one @ other)


def chrf(text: str, reference: str) -> float:
    """chrF2 of a sentence: character n-grams up to 6, white space aside, recall twice; 0 to 100.

    >>> round(chrf("the cat sat", "the cat sat")), chrf("dog", "xyz")
    (100, 0.0)
    """
    one, other = "".join(text.split()), "".join(reference.split())
    precisions, recalls = [], []
    for n in _ORDERS:
        said, meant = (Counter(t[i : i + n] for i in range(len(t) - n + 1)) for t in (one, other))
        if said and meant:
            precisions.append((said & meant).total() / said.total())
            recalls.append((said & meant).total() / meant.total())
    p, r = (sum(each) / (len(each) or 1) for each in (precisions, recalls))
    return 100 * (1 + _RECALL**2) * p * r / (_RECALL**2 * p + r) if p or r else 0.0


# --- in words


def _verdict(each: Attempt) -> str:
    return f"{each.fault.kind} ({each.fault.reason})" if each.fault else "SHOWN"


def _counts(kinds: Counter[Any]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def _mean(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f}" if values else ""


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}"


if __name__ == "__main__":
    main()
