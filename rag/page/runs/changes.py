"""Two runs of the evaluation compared, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.page.html.table import (
    NOTHING,
    english,
    inside,
    isolated,
    note,
    number,
    paragraph,
    row,
    table,
    text,
)
from rag.page.html.words import Words
from rag.page.runs.views import measure_name
from rag.resources import evals_module

if TYPE_CHECKING:
    from evals.compare import Change, Comparison, Flip

MOST_FLIPS = 20
"""Answers that are shown of each kind of flip."""


def comparison_html(a: str, b: str, found: Comparison, say: Words) -> str:
    """The runs A and B by their names: what differs, each measure's change, what flipped."""
    settings = [text(say("runs.setting")), "A", "B"]
    differs = [row(english(name), map(isolated, both)) for name, both in found.differs.items()]
    keys = ("difference", "interval", "judged", "verdict")
    measures = [text(say("runs.measure")), "A", "B", *(text(say(f"runs.{key}")) for key in keys)]
    changes = [_change_row(name, each, say) for name, each in found.changes.items()]
    parts = [
        f"<h2>A: {isolated(a)}<br>B: {isolated(b)}</h2>",
        note(_counted(found, say)),
        table(say("runs.differs"), settings, differs) if differs else "",
        table(say("runs.changes"), measures, changes),
        _flips("lost", found.lost, say),
        _flips("won", found.won, say),
    ]
    return "".join(parts)


def _counted(found: Comparison, say: Words) -> str:
    left = {"only_a": found.only_a, "only_b": found.only_b, "reworded": found.reworded}
    told = [say("runs.shared", count=inside(found.shared))]
    return "; ".join(told + [say(f"runs.{key}", count=inside(n)) for key, n in left.items() if n])


def _change_row(name: str, each: Change, say: Words) -> str:
    interval = NOTHING if each.low is None else f"{each.low:+.3f} … {each.high:+.3f}"
    shown = [f"{each.a:.3f}", f"{each.b:.3f}", f"{each.difference:+.3f}", interval, str(each.n)]
    verdict = text(say(f"runs.{_verdict(name, each)}"))
    return row(measure_name(name), [*map(number, shown), verdict])


def _verdict(name: str, each: Change) -> str:
    """As `rag eval compare` marks it; how often the model's words are shown is neither."""
    if not each.significant or each.difference is None:
        return "chance"
    if name == "generated":
        return "changed"
    fewer = name == "error" or name in evals_module("evals.metrics").LOWER_IS_BETTER
    return "better" if (each.difference > 0) != fewer else "worse"


def _flips(key: str, flips: Sequence[Flip], say: Words) -> str:
    more = len(flips) - MOST_FLIPS
    parts = [f"<h3>{text(say(f'runs.{key}', count=inside(len(flips))))}</h3>"]
    if flips:
        shown = "".join(_flip(flip, say) for flip in flips[:MOST_FLIPS])
        parts.append(f'<ul class="flips">{shown}</ul>')
    if more > 0:
        parts.append(note(say("runs.more", count=inside(more))))
    return "".join(parts)


def _flip(flip: Flip, say: Words) -> str:
    answers = "".join(
        f"<dt>{name}: {text(say('runs.is_' + outcome.replace(' ', '_')))}</dt>"
        f"<dd>{paragraph(said)}</dd>"
        for name, outcome, said in (("A", flip.was, flip.a), ("B", flip.now, flip.b))
    )
    question = paragraph(flip.question, flip.lang)
    return f'<li>{question}<p class="id">{isolated(flip.id)}</p><dl>{answers}</dl></li>'
