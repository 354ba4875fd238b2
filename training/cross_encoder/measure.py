"""What the cross-encoder is good for, on articles that it was not trained on.

    python -m training.cross_encoder.measure FOLDER [--weights FILE] [--limit N] [--matrix]

FOLDER is `--data` of the training. Of xquad, heq and arcd only the articles count that
training kept apart; poquad was trained on in no part. Each question is read against its
own passage and four others, of the same article where it has so many.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from evals.markdown import markdown_table
from evals.rows import rows
from rag.embedding.cross_encoder import WEIGHTS_FILE, CrossEncoder, Reading
from rag.embedding.encoder import Encoder
from training.cross_encoder.examples import is_held_out

SETS = ("xquad_cross", "heq", "arcd", "poquad")
OTHERS = 4
_HEADINGS = ("set", "n", "F1 alone", "F1 among 5", "own passage first", "AUROC answered or not")
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its passage and others beside it."""

    question: str
    langs: tuple[str, str]
    texts: Sequence[str]
    """The first is the question's own."""
    answers: Sequence[str]
    """None for a passage that does not answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How reading went."""

    langs: tuple[str, str]
    answerable: bool
    answers: float
    """What the cross-encoder says of the question's own passage."""
    first: bool
    """Whether that is the passage that it finds likeliest."""
    alone: float
    """F1 of the words that it marks in that passage."""
    among: float
    """F1 of the words that it marks in the passage that it finds likeliest."""


def asked_of(folder: Path, name: str, limit: int) -> list[Asked]:
    """So many questions of a set, each with four more passages."""
    chance = random.Random(0)
    base = "xquad" if name == "xquad_cross" else name
    passages = {row["id"]: row for row in rows(folder / f"{base}.passages.jsonl.gz")}
    near: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in passages.values():
        near[row["lang"], row["title"]].append(row["text"])
        near[row["lang"], ""].append(row["text"])
    found = [
        row
        for row in rows(folder / f"{name}.questions.jsonl.gz")
        if name == "poquad" or is_held_out(passages[row["passage_id"]]["title"])
    ]
    asked = []
    for row in chance.sample(found, min(limit, len(found))):
        passage = passages[row["passage_id"]]
        others = [t for t in near[passage["lang"], passage["title"]] if t != passage["text"]]
        more = [t for t in near[passage["lang"], ""] if t != passage["text"] and t not in others]
        beside = chance.sample(others, min(OTHERS, len(others)))
        beside += chance.sample(more, OTHERS - len(beside))
        answers = row["answers"] if row["task"] == "qa" else []
        langs = row["lang_question"], passage["lang"]
        asked.append(Asked(row["question"], langs, [passage["text"], *beside], answers))
    return asked


def outcome(asked: Asked, readings: Sequence[Reading]) -> Outcome:
    """What the readings of a question's passages are worth."""
    best = max(range(len(readings)), key=lambda i: readings[i].answers)
    marked = [text[slice(*r.span)] for text, r in zip(asked.texts, readings, strict=True)]
    return Outcome(
        asked.langs,
        bool(asked.answers),
        readings[0].answers,
        best == 0,
        max((f1(marked[0], answer) for answer in asked.answers), default=0.0),
        max((f1(marked[best], answer) for answer in asked.answers), default=0.0),
    )


def f1(said: str, right: str) -> float:
    """Harmonic mean of precision and recall of the words; signs where words are not spaced.

    >>> f1("in the year 1987", "1987")
    0.4
    """
    ours, theirs = (Counter(_WORD.findall(text.casefold())) for text in (said, right))
    same = (ours & theirs).total()
    return 2 * same / (ours.total() + theirs.total()) if same else 0.0


def auroc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """How often a right one scores above a wrong one.

    >>> auroc([2.0, 1.0], [0.0, 1.5])
    0.75
    """
    ours, theirs = np.array(right)[:, None], np.array(wrong)[None]
    return float(np.mean((ours > theirs) + 0.5 * (ours == theirs)))


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--weights", type=click.Path(exists=True, path_type=Path), default=WEIGHTS_FILE)
@click.option("--limit", default=400, show_default=True, help="questions of each set")
@click.option("--sets", default=",".join(SETS), show_default=True)
@click.option("--matrix", is_flag=True, help="also F1 by the languages of xquad_cross")
def main(folder: Path, weights: Path, limit: int, sets: str, matrix: bool) -> None:
    """Read, and print a table."""
    cross_encoder = CrossEncoder(Encoder(), weights)
    lines = []
    for name in sets.split(","):
        found = [
            outcome(asked, cross_encoder.read(asked.question, asked.texts))
            for asked in asked_of(folder, name, limit)
        ]
        lines.append(_row(name, found))
        if matrix and name == "xquad_cross":
            click.echo(f"{_matrix(found)}\n")
    click.echo(markdown_table(_HEADINGS, lines))


def _row(name: str, found: Sequence[Outcome]) -> list[Any]:
    answered = [o for o in found if o.answerable]
    missing = [o for o in found if not o.answerable]
    cells: list[Any] = [name, len(answered)]
    for field in ("alone", "among", "first"):
        values = [float(getattr(o, field)) for o in answered]
        cells.append(f"{np.mean(values):.3f} ±{np.std(values) / len(values) ** 0.5:.3f}")
    told = auroc([o.answers for o in answered], [o.answers for o in missing]) if missing else None
    cells.append(f"{told:.3f} ({len(missing)} not)" if told is not None else "")
    return cells


def _matrix(found: Sequence[Outcome]) -> str:
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in found:
        cells[each.langs].append(each.among)
    asked, stored = (sorted({langs[i] for langs in cells}) for i in (0, 1))
    lines = []
    for lang in asked:
        told = [cells.get((lang, other), []) for other in stored]
        lines.append([lang, *(f"{np.mean(c):.2f} ({len(c)})" if c else "" for c in told)])
    return markdown_table(("asked in", *stored), lines)


if __name__ == "__main__":
    main()
