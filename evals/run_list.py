"""A folder of runs as a page: what each was asked, how far it came, its main figures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evals.pages.render import render
from evals.run_folder import SUMMARY, read_summary
from evals.runs import ABOUT
from evals.table import column
from rag.errors import InputError
from rag.records import Record

MAIN = (
    "right_in_language",
    "facts_right",
    "evidence_cited",
    "citations_apt",
    "wrongly_answered",
    "wrongly_abstained",
    "evidence_found",
    "seconds median",
)
"""The measures that have a column."""


@dataclass(frozen=True, slots=True)
class ListedRun(Record):
    """A run folder as the list shows it; of one that cannot be read only name and `fault`."""

    name: str
    fault: str = ""
    started: str = ""
    system: str = ""
    model: str = ""
    questions: str = ""
    """The question set."""
    state: str = ""
    """How many of its questions were asked."""
    values: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    """Of each measure the mean, and the number of answers behind it."""


def holds_runs(folder: Path) -> bool:
    """Whether it is no run itself, but a folder with one."""
    return not (folder / ABOUT).is_file() and bool(_paths(folder))


def runs_page(folder: Path) -> str:
    """The runs in a folder as one page, newest first, without reading their answers."""
    runs = sorted(map(_listed, _paths(folder)), key=lambda run: (run.started, run.name))
    return render("runs.html.jinja", runs=runs[::-1], measures=MAIN)


def _paths(folder: Path) -> list[Path]:
    return [each.parent for each in folder.glob(f"*/{ABOUT}") if each.is_file()]


def _listed(path: Path) -> ListedRun:
    try:
        return _read(path)
    except (InputError, OSError, RecursionError) as fault:
        reason = str(fault).replace(f"{path.parent}/", "")
    except (AttributeError, KeyError, TypeError, ValueError):
        reason = f"{ABOUT} or {SUMMARY} is not what a run has written"
    return ListedRun(path.name, " ".join(reason.split()))


def _read(path: Path) -> ListedRun:
    if (path / SUMMARY).is_file():
        about, summary = read_summary(path)
        values = column(about, summary).values
        state = f"{summary['asked']} of {summary['planned']}"
    else:
        about, values, state = json.loads((path / ABOUT).read_bytes()), {}, "begun"
    return ListedRun(
        path.name,
        started=str(about["started"]),
        system=str(about["system"]),
        model=str(about["model"]),
        questions=str(about["questions"].get("set", "")),
        state=state,
        values={name: (float(mean), int(n)) for name, (mean, n) in values.items()},
    )
