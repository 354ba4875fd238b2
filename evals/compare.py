"""`rag eval compare A B`: what changed from one run to another, question by question."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evals.metrics import LOWER_IS_BETTER
from evals.pages.render import render, write_page
from evals.run import invoke
from evals.runs import Asked, Outcome, Run, cut_note, read_run
from rag.errors import InputError
from rag.records import Record

RESAMPLES = 10_000
SEED = 0
_FEWER = {*LOWER_IS_BETTER, "error"}
"""Scores of which less is better; of all others more is."""

Pair = tuple[float | None, float | None, str]
"""The score in one run, in the other, and the group of the question."""

_RIGHT: frozenset[Outcome] = frozenset({"right", "abstained rightly"})
_SHORT = 160
_AT_ONCE = 1_000
"""Resamples that are drawn in one piece, so that many groups take little memory."""


@dataclass(frozen=True, slots=True)
class Change(Record):
    """One measure in both runs, over the questions that it judges in both."""

    a: float | None
    b: float | None
    difference: float | None
    """How much more B has than A; None where nothing is judged in both."""
    n: int
    low: float | None
    """95 % interval of the difference; None with fewer than two groups."""
    high: float | None

    @property
    def significant(self) -> bool:
        """Whether chance alone would seldom make so large a difference."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Flip(Record):
    """A question that is right in one run only."""

    id: str
    lang: str
    question: str
    was: Outcome
    now: Outcome
    a: str
    """The answer in run A, or the error."""
    b: str


@dataclass(frozen=True, slots=True)
class Comparison(Record):
    """Two runs over the questions that both were asked."""

    shared: int
    only_a: int
    only_b: int
    reworded: int
    """Questions of one id that ask or expect different things; they are not compared."""
    differs: dict[str, tuple[str, str]]
    """What was different about the runs themselves, in A and in B."""
    changes: dict[str, Change]
    lost: tuple[Flip, ...]
    """Right in A, not in B."""
    won: tuple[Flip, ...]


def compare(a: Run, b: Run) -> Comparison:
    """B against A; raises InputError where they share no question."""
    before, after = ({row.id: row for row in run.results} for run in (a, b))
    same = [name for name in before if name in after]
    pairs = [(before[i], after[i]) for i in same if before[i].digest == after[i].digest]
    if not pairs:
        raise InputError(
            f"{a.folder} and {b.folder} share no question, so nothing can be compared; "
            "run both over the same questions"
        )
    flips = [_flip(old, new) for old, new in pairs]
    return Comparison(
        shared=len(pairs),
        only_a=len(before) - len(same),
        only_b=len(after) - len(same),
        reworded=len(same) - len(pairs),
        differs=differences(a, b),
        changes=_changes(pairs),
        lost=tuple(f for f in flips if f.was in _RIGHT and f.now not in _RIGHT),
        won=tuple(f for f in flips if f.was not in _RIGHT and f.now in _RIGHT),
    )


def change(pairs: Sequence[Pair]) -> Change:
    """A measure's means and the interval of their difference, by paired bootstrap over groups.

    Groups are drawn whole: the same question in nine languages is less than nine trials.

    >>> change([(1.0, 0.0, "a"), (1.0, 0.0, "b"), (0.0, 0.0, "c"), (None, 1.0, "d")])
    Change(a=0.6666666666666666, b=0.0, difference=-0.6666666666666666, n=3, low=-1.0, high=0.0)
    >>> change([(None, 1.0, "a")])
    Change(a=None, b=None, difference=None, n=0, low=None, high=None)
    """
    judged = [(a, b, group) for a, b, group in pairs if a is not None and b is not None]
    if not judged:
        return Change(None, None, None, 0, None, None)
    n = len(judged)
    a, b = sum(a for a, _, _ in judged) / n, sum(b for _, b, _ in judged) / n
    low, high = _interval([b - a for a, b, _ in judged], [group for _, _, group in judged])
    return Change(a, b, b - a, n, low, high)


def _interval(
    differences: Sequence[float], groups: Sequence[str]
) -> tuple[float | None, float | None]:
    names, at = np.unique(np.array(groups), return_inverse=True)
    if len(names) < 2:
        return None, None
    sums = np.bincount(at, weights=np.array(differences))
    counts = np.bincount(at)
    chance = np.random.default_rng(SEED)
    means = []
    for _ in range(0, RESAMPLES, _AT_ONCE):
        drawn = chance.integers(len(names), size=(_AT_ONCE, len(names)))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    low, high = np.percentile(np.concatenate(means), (2.5, 97.5))
    return float(low), float(high)


def differences(a: Run, b: Run) -> dict[str, tuple[str, str]]:
    """What differs between two runs besides their results, by its name."""
    facts, others = _facts(a), _facts(b)
    return {
        name: (facts.get(name, "-"), others.get(name, "-"))
        for name in sorted(facts.keys() | others.keys())
        if facts.get(name) != others.get(name)
    }


def _facts(run: Run) -> dict[str, str]:
    about = run.about
    parts: dict[str, Mapping[str, Any]] = {
        "prompt": {name: digest[:12] for name, digest in about.prompts.items()},
        "setting": about.settings,
        "corpus": about.corpus,
        "questions": {k: v for k, v in about.questions.items() if k in ("sha256", "set")},
        "package": about.packages,
    }
    facts = {"system": about.system, "model": about.model, "commit": about.commit}
    for part, values in parts.items():
        facts |= {f"{part} {name}": str(value) for name, value in values.items()}
    return facts


def _changes(pairs: Sequence[tuple[Asked, Asked]]) -> dict[str, Change]:
    names = dict.fromkeys(name for old, new in pairs for name in (*old.scores, *new.scores))
    values = {name: _score(name) for name in names}
    values |= {"error": lambda row: float(bool(row.error)), "generated": generated}
    found = {
        name: change([(value(old), value(new), old.group) for old, new in pairs])
        for name, value in values.items()
    }
    return {name: each for name, each in found.items() if each.n}


def _score(name: str) -> Callable[[Asked], float | None]:
    return lambda row: row.scores.get(name)


def generated(row: Asked) -> float | None:
    """Whether the chat model's words were shown; None where nothing was answered."""
    return float(row.mode == "generated") if row.answer else None


def _flip(old: Asked, new: Asked) -> Flip:
    return Flip(old.id, old.lang, old.question, old.outcome, new.outcome, _said(old), _said(new))


def _said(row: Asked) -> str:
    text = row.error or (row.answer.text if row.answer else "")
    short = " ".join(text.split())
    return short if len(short) <= _SHORT else short[: _SHORT - 1] + "…"


def comparison_page(a: Run, b: Run, found: Comparison) -> str:
    """The comparison as one HTML page, with each answer that flipped in both runs."""
    return render(
        "comparison.html.jinja",
        a=a.folder,
        b=b.folder,
        notes=list(filter(None, map(cut_note, (a, b)))),
        found=found,
        shared=_shared(found),
        verdict=verdict,
        before={row.id: row for row in a.results},
        after={row.id: row for row in b.results},
    )


def print_comparison(found: Comparison, flips: int, console: Console) -> None:
    """Print it as tables, with at most `flips` questions of each kind of flip."""
    console.print(_shared(found), highlight=False)
    if found.differs:
        console.print(_table("What differs", ("", "A", "B"), _rows(found.differs)))
    measures = (_measure(name, each) for name, each in found.changes.items())
    headings = ("", "A", "B", "B - A", "95 %", "n", "")
    console.print(_table("Measures", headings, measures))
    for title, part in (("Right in A, not in B", found.lost), ("Right in B, not in A", found.won)):
        console.print(escape(f"{title}: {len(part)}"), highlight=False)
        for flip in part[:flips]:
            console.print(escape(_flip_text(flip)), highlight=False)
        if len(part) > flips:
            console.print(f"  and {len(part) - flips} more, see --flips", highlight=False)


def _shared(found: Comparison) -> str:
    noun = "question is" if found.shared == 1 else "questions are"
    line = f"{found.shared} {noun} in both runs and compared"
    left = [
        f"{count} {what}"
        for count, what in (
            (found.only_a, "only in A"),
            (found.only_b, "only in B"),
            (found.reworded, "with other words or another right answer"),
        )
        if count
    ]
    return f"{line}; left out: {', '.join(left)}" if left else line


def _rows(differs: Mapping[str, tuple[str, str]]) -> Iterable[Sequence[str]]:
    return ((name, *both) for name, both in differs.items())


def _measure(name: str, each: Change) -> Sequence[str]:
    interval = "-" if each.low is None else f"{each.low:+.3f} to {each.high:+.3f}"
    label = name.replace("_", " ")
    return (label, f"{each.a:.3f}", f"{each.b:.3f}", f"{each.difference:+.3f}", interval,
            str(each.n), verdict(name, each))  # fmt: skip


def verdict(name: str, each: Change) -> str:
    """What a change is that chance seldom makes, else ""; "generated" has no better."""
    if not each.significant or each.difference is None:
        return ""
    if name == "generated":
        return "changed"
    return "better" if (each.difference > 0) != (name in _FEWER) else "worse"


def _flip_text(flip: Flip) -> str:
    return (
        f"  {flip.id} ({flip.was} -> {flip.now}): {flip.question}\n    A: {flip.a}\n    B: {flip.b}"
    )


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("", "A", "B") else "right")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


@click.command("compare")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option(
    "--flips", type=click.IntRange(min=0), default=10, show_default=True,
    help="List this many questions that are right in one run only.",
)  # fmt: skip
@click.option("--html", type=click.Path(path_type=Path), help="Write a page to this file too.")
def _command(a: Path, b: Path, as_json: bool, flips: int, html: Path | None) -> int:
    """Compare the run folder B with the run folder A, question by question."""
    runs = read_run(a), read_run(b)
    for note in filter(None, map(cut_note, runs)):
        click.echo(note, err=True)
    found = compare(*runs)
    if html:
        write_page(comparison_page(*runs, found), html)
    if as_json:
        click.echo(found.to_json(indent=2))
    else:
        print_comparison(found, flips, Console())
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run `rag eval compare` with these arguments and return its exit status: 0, or 2.

    Raises InputError for folders that are no runs or have no question in common.
    """
    return invoke(_command, argv, "rag eval compare")
