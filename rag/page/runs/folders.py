"""The evaluation's runs on disk: each as a line of their list, or whole."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import FiniteFloat, NonNegativeInt, TypeAdapter, ValidationError

from rag.errors import InputError
from rag.records import Record
from rag.resources import evals_module

_LONGEST = 300
"""Of the reason why a run cannot be read, in code points."""


@dataclass(frozen=True, slots=True)
class Measure(Record):
    """One measure of a run, over `n` answers that it could judge."""

    mean: float
    n: int
    se: float | None = None
    """Standard error; None where it is not known."""
    aim: str = ""
    """What is aimed at, such as "≥ 0.85"; "" where nothing is."""
    met: bool = False

    @property
    def cell(self) -> str:
        """As `rag eval table` prints it: mean, number, and * where the aim is met.

        >>> Measure(0.25, 12).cell, Measure(0.9, 4, aim="≥ 0.85", met=True).cell
        ('0.250 (12)', '0.900 (4) *')
        """
        return f"{self.mean:.3f} ({self.n}){' *' if self.met else ''}"


@dataclass(frozen=True, slots=True)
class ListedRun(Record):
    """A run folder as the list shows it, from `run.json` and `summary.json`."""

    name: str
    """The folder's own name."""
    state: Literal["whole", "cut", "begun", "broken"]
    """All was asked; it was interrupted; it has no figures yet; it cannot be read."""
    when: datetime
    """When it was begun; when `run.json` was written where that is not told."""
    reason: str = ""
    """Why it cannot be read, in one line."""
    system: str = ""
    model: str = ""
    questions: str = ""
    """The question set."""
    asked: int | None = None
    planned: int | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)
    """By the names and in the order of `rag eval table`."""


def kept_runs() -> Path:
    """The folder in which `rag eval run` keeps its runs; it may not be there yet."""
    folder: Path = evals_module("evals.run_folder").runs_folder()
    return folder


def run_path(name: object, folder: Path) -> Path | None:
    """The run folder of exactly this name; None for any other name or thing."""
    return next((path for path in _paths(folder) if _name(path) == name), None)


def found_runs(folder: Path) -> list[ListedRun]:
    """Every run in the folder, newest first, without reading its answers."""
    return sorted(
        map(listed_run, _paths(folder)), key=lambda run: (run.when, run.name), reverse=True
    )


def _paths(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if os.path.isfile(path / "run.json")]
    except OSError:
        return []


def _name(path: Path) -> str:
    """The folder's name; what of it is not UTF-8 cannot be shown."""
    return os.fsencode(path.name).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class _Figure(Record):
    mean: FiniteFloat | None
    n: NonNegativeInt
    se: FiniteFloat | None = None


@dataclass(frozen=True, slots=True)
class _Seconds(Record):
    median: FiniteFloat | None
    p95: FiniteFloat | None
    n: NonNegativeInt


@dataclass(frozen=True, slots=True)
class _Summary(Record):
    """What is shown of `summary.json`."""

    figures: dict[str, _Figure]
    seconds: _Seconds
    asked: NonNegativeInt
    planned: NonNegativeInt


def listed_run(path: Path) -> ListedRun:
    """The run in a folder; one that cannot be read says why."""
    return _listed(path, (_version(path / "run.json"), _version(path / "summary.json")))


def _version(path: Path) -> tuple[int, ...]:
    """What changes whenever the file is written; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=2_000)
def _listed(path: Path, versions: tuple[tuple[int, ...], ...]) -> ListedRun:
    written = _written(path)
    try:
        about, summary = _read(path)
    except (InputError, ValidationError, OSError, ValueError, RecursionError) as fault:
        return ListedRun(_name(path), "broken", written, reason=why(fault, path))
    planned = about.questions.get("planned")
    return ListedRun(
        name=_name(path),
        state="begun" if summary is None else "whole" if about.finished else "cut",
        when=_began(about.started) or written,
        system=about.system,
        model=about.model,
        questions=str(about.questions.get("set", "")),
        asked=summary.asked if summary else None,
        planned=summary.planned if summary else planned if isinstance(planned, int) else None,
        measures=measures(about, summary.to_dict()) if summary else {},
    )


def _read(path: Path) -> tuple[Any, _Summary | None]:
    """The `evals.runs.About` of a run, and its figures as soon as it has some."""
    runs, folders = evals_module("evals.runs"), evals_module("evals.run_folder")
    summary = None
    if (path / folders.SUMMARY).exists():
        about, figures = folders.read_summary(path)
        summary = _adapter(_Summary).validate_python(figures)
    else:
        try:
            about = json.loads((path / runs.ABOUT).read_bytes())
        except ValueError as fault:
            raise InputError(f"{runs.ABOUT} is not JSON: {fault}") from None
    found = _adapter(runs.About).validate_python(about)
    if found.format != runs.FORMAT:
        raise InputError(f"its format is {found.format}, this version reads {runs.FORMAT}")
    return found, summary


@cache
def _adapter(record: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(record)


def measures(about: Any, summary: Mapping[str, Any]) -> dict[str, Measure]:
    """The run's column of `rag eval table`, with what is aimed at."""
    table = evals_module("evals.table")
    values = table.column(about.to_dict(), summary).values
    found = {}
    for name, aim in table.AIMS.items():
        mean, n = values.get(name, (None, 0))
        if mean is not None:
            se = summary["figures"].get(name, {}).get("se")
            told = f"{'≤' if aim.at_most else '≥'} {aim.value:g}" if aim else ""
            found[name] = Measure(mean, n, se, told, bool(aim and aim.met(mean)))
    return found


def _written(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp((path / "run.json").stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return datetime.min.replace(tzinfo=UTC)


def _began(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def read_whole(path: Path) -> Any:
    """The `evals.runs.Run` in a folder; raises InputError."""
    try:
        return evals_module("evals.runs").read_run(path)
    except RecursionError:
        raise InputError(f"{path.name} holds JSON that is nested too deeply") from None


def why(fault: Exception, path: Path) -> str:
    """The fault in one line, without where on this machine the runs lie."""
    found = isinstance(fault, ValidationError)
    told = evals_module("evals.runs").first_finding(fault) if found else str(fault)
    return " ".join(told.replace(f"{path.parent}{os.sep}", "").split())[:_LONGEST]
