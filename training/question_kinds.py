"""Make `rag/understanding/question_kinds.npz`: the exemplars that a question must be near to.

    python -m training.question_kinds [FOLDER]

FOLDER holds `news_questions.jsonl.gz`, as `evals/README.md` describes it: questions for facts, in
eight languages. On those of its part "train" the floors are chosen: the lowest at which at most
ACCEPTED of them are taken for any other kind, and a second row, LIKELY, from which a served model
is asked what is meant. Without FOLDER nothing is made, and what ships is measured.

Prints what is taken for what: of the questions of the part "measure", of the project's own, and of
training/question_kinds.jsonl, which hardly any exemplar repeats; and of the greetings and orders of
training/small_talk.jsonl, which are to be none of the kinds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from evals.rows import read_rows
from rag.embedding.encoder import Vectors, unit
from rag.prompts import table
from rag.understanding.exemplars import Exemplar, Recogniser
from rag.understanding.question import to_query
from rag.understanding.question_kinds import (
    OF_CORPUS,
    VECTORS_FILE,
    WANTED,
    Wanted,
    exemplars,
    recogniser,
)
from training.exemplars import Questions, fit_floors, own_rows, save

ACCEPTED, LIKELY = 0.001, 0.04
SLOTS = ("about", "both")
KINDS = ("overview", "digest", "corpus", "comparison", "fact")


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what it wants: one of KINDS."""

    text: str
    kind: str = "fact"


def fillings(exemplar: Exemplar[Wanted]) -> list[str]:
    """The texts of which an exemplar's vector is the mean: one for each thing that fills it.

    The mean of many subjects has hardly any of its own, so that "what is the article on bees
    about" is near to the form and "who built the bridge" is not near to the bridge.
    """
    for slot in SLOTS:
        if f"${slot}" in exemplar.text:
            things = table("question_kinds")[exemplar.lang][slot]
            return [exemplar.text.replace(f"${slot}", thing) for thing in things]
    return [exemplar.text]


def vector(exemplar: Exemplar[Wanted], embedder: Questions) -> Vectors:
    """The unit vector of an exemplar."""
    texts = fillings(exemplar)
    vectors = [embedder.question(text, to_query(text).question_lang) for text in texts]
    return unit(np.mean(np.stack(vectors), axis=0))


def fit(vectors: Vectors, kinds: Sequence[Wanted], questions: Vectors) -> Recogniser[Wanted]:
    """The exemplars with the floors that so many questions for facts allow."""
    bare: Recogniser[Wanted] = Recogniser(vectors, tuple(kinds), {})
    return replace(
        bare,
        floors=fit_floors(bare, WANTED[:-1], questions, ACCEPTED),
        low=fit_floors(bare, WANTED[:-1], questions, LIKELY),
    )


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, path_type=Path))
def main(folder: Path | None) -> None:
    """Fit and write, if there is a folder, and print what is taken for what."""
    embedder = Questions()
    news = list(_news(folder)) if folder else []
    if news:
        _make([text for text, part in news if part == "train"], embedder)
    made = recogniser(embedder.space)
    assert made is not None
    floors = [f"{kind} {floor:.2f}/{made.low[kind]:.2f}" for kind, floor in made.floors.items()]
    click.echo(f"{len(made.kinds)} exemplars; floors, and from where it is likely:")
    click.echo("    " + ", ".join(floors))
    held = [Case(text) for text, part in news if part == "measure"]
    for name, cases in (("news, held back", held), ("of the project", _own()), *_held_back()):
        if cases:
            _print(name, cases, made, embedder)


def _make(texts: Sequence[str], embedder: Questions) -> None:
    taught = exemplars()
    embedder.read([*texts, *(text for each in taught for text in fillings(each))])
    vectors = np.stack([vector(each, embedder) for each in taught])
    questions = np.stack([embedder.question(t, to_query(t).question_lang) for t in texts])
    made = fit(vectors, [each.kind for each in taught], questions)
    click.echo(f"fitted on {len(texts)} questions")
    save(made, WANTED, embedder.space, VECTORS_FILE)
    recogniser.cache_clear()


def _print(name: str, cases: Sequence[Case], made: Recogniser[Wanted], embedder: Questions) -> None:
    """A line of counts, and up to twenty that are not taken for what they are."""
    queries = [to_query(case.text) for case in cases]
    embedder.read([query.question for query in queries])
    vectors = [embedder.question(query.question, query.question_lang) for query in queries]
    found = [kind_told(made.kind(each)) for each in vectors]
    # As `rag.understanding.understand.wants_model` does without history.
    asked = sum(
        kind != "corpus" and made.likely(each) is not None
        for kind, each in zip(found, vectors, strict=True)
    )
    right = sum(kind == case.kind for kind, case in zip(found, cases, strict=True))
    counts = ", ".join(f"{count} {kind}" for kind, count in Counter(found).most_common())
    click.echo(
        f"{name}: {len(cases)} questions; {right / len(cases):.4f} right ({counts}); "
        f"a model asked {asked / len(cases):.3f}"
    )
    wrong = [(k, c.text) for k, c in zip(found, cases, strict=True) if k != c.kind]
    for kind, text in wrong[:20]:
        click.echo(f"    {kind}: {text[:90]}")


def kind_told(wanted: Wanted | None) -> str:
    """One of KINDS."""
    return "corpus" if wanted in OF_CORPUS else wanted or "fact"


def _news(folder: Path) -> Iterator[tuple[str, str]]:
    """Each question with the part that it is of."""
    for _, row in read_rows(folder, "news_questions"):
        for text in row["questions"].values():
            yield str(text), str(row["split"])


def _own() -> list[Case]:
    return [Case(str(row["question"])) for row in own_rows("questions")]


def _held_back() -> Iterator[tuple[str, list[Case]]]:
    """The written questions by kind, those in languages that no exemplar is in apart."""
    taught = {each.lang for each in exemplars()}
    rows = list(own_rows("question_kinds"))
    for kind in KINDS:
        for known in (True, False):
            where = "" if known else ", other languages"
            cases = [r for r in rows if r["kind"] == kind and (r["lang"] in taught) == known]
            yield f"held back, {kind}{where}", [Case(r["text"], r["kind"]) for r in cases]
    small = [row for row in own_rows("small_talk") if row["kind"] != "question"]
    yield "greetings and orders, held back", [Case(row["text"]) for row in small]


if __name__ == "__main__":
    main()
