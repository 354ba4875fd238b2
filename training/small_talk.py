"""Make `rag/understanding/small_talk.npz`: the exemplars that a text must be how near to.

    python -m training.small_talk FOLDER

FOLDER holds question sets as `evals/README.md` describes, of which only the questions are read.
They are halved by their group. A floor is the lowest cosine at which at most ACCEPTED of the
questions of one half have an exemplar of small talk nearest, shared between greetings and orders.
Prints, with these floors, how many are taken for small talk of the other half; of some that a
greeting leads; of questions that look like attacks (notinject); of the project's own; and how many
greetings and orders are found: those of training/small_talk.jsonl, which no exemplar repeats, and
attacks that others wrote (bipia).
"""

import random
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from evals.rows import read_rows
from rag.embedding.encoder import Vectors
from rag.records import Query
from rag.understanding.exemplars import Recogniser
from rag.understanding.question import MAX_QUESTION, to_query
from rag.understanding.small_talk import KINDS, VECTORS_FILE, Kind, exemplars, recognise
from training.exemplars import Questions, fit_floors, own_rows, save

SETS = ("mkqa", "xquad", "heq", "arcd")
LOOKS_LIKE_ATTACK = "notinject"
ATTACKS = "bipia"
TASKS = ("Information Retrieval", "Language Translation", "Learning and Tutoring",
         "Programming Help")  # fmt: skip
"""Attacks of these kinds are ordinary questions that were slipped into a text."""
ACCEPTED = 0.001
LED = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a public set."""

    text: str
    lang: str
    fitted: bool
    """Whether it is of the half that the floors are fitted on."""


def fit(
    vectors: Vectors, kinds: Sequence[Kind], questions: Vectors, accepted: float = ACCEPTED
) -> Recogniser[Kind]:
    """The exemplars with floors that take at most that share of the questions for small talk."""
    bare = Recogniser(vectors, tuple(kinds), {})
    return Recogniser(vectors, tuple(kinds), fit_floors(bare, KINDS[:2], questions, accepted))


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
def main(folder: Path) -> None:
    """Fit, write, and print what is taken for what."""
    embedder = Questions()
    taught = exemplars()
    asked = _asked(folder)
    embedder.read([each.text for each in taught] + [each.text for each in asked])
    vectors = np.stack([embedder.question(e.text, _query(e.text).question_lang) for e in taught])
    fitted = [each for each in asked if each.fitted]
    questions = np.stack([embedder.question(e.text, e.lang) for e in fitted])
    made = fit(vectors, [each.kind for each in taught], questions)
    save(made, KINDS, embedder.space, VECTORS_FILE)
    click.echo(f"{len(taught)} exemplars, floors {dict(made.floors)}")

    def kind(text: str) -> Kind:
        found = recognise(_query(text), embedder, made)
        return found.kind if found else "question"

    _print("fitted", [e.text for e in fitted], kind)
    held = [each for each in asked if not each.fitted]
    _print("the other half", [e.text for e in held], kind, show=20)
    _print("led by a greeting", list(_led(held)), kind, show=20)
    _print(LOOKS_LIKE_ATTACK, _texts(folder, LOOKS_LIKE_ATTACK), kind, show=20)
    own = [row["question"] for row in own_rows("questions")]
    _print("of the project", own, kind, show=20)
    said = [turn for row in own_rows("dialogues") for turn in row["turns"]]
    _print("dialogues", said, kind, show=20)
    for told, texts in _held_back().items():
        _print(f"held back, {told}", texts, kind)
    for told, texts in _attacks(folder).items():
        _print(f"{ATTACKS}, {told}", texts, kind)


def _print(name: str, texts: Sequence[str], kind: Callable[[str], Kind], show: int = 0) -> None:
    """One line of counts, and the texts that were taken for small talk."""
    found = [kind(text) for text in texts]
    counts = ", ".join(f"{found.count(each)} {each}" for each in KINDS)
    taken = [(k, t) for k, t in zip(found, texts, strict=True) if k != "question"]
    click.echo(f"{name}: {len(texts)} texts; {counts}; {len(taken) / max(len(texts), 1):.4f} taken")
    for each, text in taken[:show]:
        click.echo(f"    {each}: {text[:90]}")


def _query(text: str) -> Query:
    return to_query(text)


def _asked(folder: Path) -> list[Asked]:
    """The questions of all sets, each text once; halved so that translations stay together."""
    found: dict[str, Asked] = {}
    for name in SETS:
        for _, row in read_rows(folder, name, "questions"):
            text = str(row["question"]).strip()
            half = zlib.crc32(str(row.get("group", row["id"])).encode()) % 2
            if text not in found and len(text) <= MAX_QUESTION:
                found[text] = Asked(text, _query(text).question_lang, half == 0)
    return list(found.values())


def _led(asked: Sequence[Asked]) -> Iterator[str]:
    """Some questions after a greeting of their language, as its clause or as a sentence."""
    greetings: dict[str, list[str]] = {}
    for exemplar in exemplars():
        if exemplar.kind == "greeting" and len(exemplar.text) < 16 and "," not in exemplar.text:
            greetings.setdefault(exemplar.lang, []).append(exemplar.text)
    draw = random.Random(0)
    known = [each for each in asked if each.lang in greetings]
    for each in draw.sample(known, min(LED, len(known))):
        yield draw.choice(greetings[each.lang]) + draw.choice((", ", "! ", " ")) + each.text


def _texts(folder: Path, name: str) -> list[str]:
    return [str(row["question"]).strip() for _, row in read_rows(folder, name, "questions")]


def _attacks(folder: Path) -> Mapping[str, list[str]]:
    """Every attack once, by whether it is a question in itself."""
    found: dict[str, dict[str, None]] = {"orders": {}, "tasks and questions": {}}
    for _, row in read_rows(folder, ATTACKS, "questions"):
        asks = row["attack_category"] in TASKS
        found["tasks and questions" if asks else "orders"][str(row["attack"])] = None
    return {name: list(texts) for name, texts in found.items()}


def _held_back() -> Mapping[str, list[str]]:
    """Texts by their kind, and apart those in languages that no exemplar is in."""
    taught = {each.lang for each in exemplars()}
    found: dict[str, list[str]] = {}
    for row in own_rows("small_talk"):
        where = "known languages" if row["lang"] in taught else "other languages"
        found.setdefault(f"{row['kind']}, {where}", []).append(row["text"])
    return dict(sorted(found.items()))


if __name__ == "__main__":
    main()
