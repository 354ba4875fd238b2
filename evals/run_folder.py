"""A run as a folder: what was asked, each result as soon as it is there, the figures."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import platformdirs

from evals.about import now
from evals.files import write_whole
from evals.measure import Result
from evals.runs import ABOUT, RESULTS
from evals.summary import Summary
from rag.errors import InputError
from rag.resources import evals_folder
from rag.settings import APP

SUMMARY = "summary.json"
REPLIES = "replies.sqlite"

_SAME = ("format", "system", "model", "settings", "prompts", "corpus", "questions")
"""What of `run.json` must not have changed when a run is taken up again."""


def runs_folder() -> Path:
    """Where runs are kept: `evals/runs` of a checkout, else in the user's data folder."""
    if (evals_folder().parent / "pyproject.toml").is_file():
        return evals_folder() / "runs"
    return Path(platformdirs.user_data_dir(APP)) / "runs"


def new_folder(model: str, system: str) -> Path:
    """The folder of a run that begins now."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    name = re.sub(r"[^\w.]+", "-", model).strip("-")[:60]
    return runs_folder() / "-".join([stamp, name, *([system] if system != "rag" else [])])


class RunFolder:
    """Writes one run; results of an earlier part of it are in `done`.

    Raises InputError for a folder that cannot be written or holds something else.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], resume: bool = False) -> None:
        self.path = path
        self._about = dict(about)
        self.done: tuple[Result, ...] = ()
        """What was answered before, in order."""
        if resume:
            self._about = _same(path, self._about)
            self.done = _results(path / RESULTS)
        else:
            _refuse_full(path)
        _write(path / ABOUT, self._about)
        self._file = _opened(path / RESULTS)

    def write(self, result: Result) -> None:
        """Add one result; a run that is killed after the call keeps it."""
        self._file.write((result.line() + "\n").encode("utf-8", "replace"))
        self._file.flush()

    def finish(self, measured: Summary, whole: bool) -> None:
        """Write the figures, and in `run.json` what was asked, and when if that was all."""
        self._about["questions"] = {**self._about["questions"], "asked": measured.asked}
        self._about["finished"] = now() if whole else None
        _write(self.path / SUMMARY, measured.to_dict())
        _write(self.path / ABOUT, self._about)

    def close(self) -> None:
        """Let go of the file of results."""
        self._file.close()


def left(planned: Sequence[str], done: Sequence[Result], path: Path) -> set[str]:
    """The ids that are still to be asked; raises InputError where others were asked."""
    asked = {result.case.id for result in done}
    foreign = asked - set(planned)
    if foreign:
        raise InputError(
            f"{path} asked {sorted(foreign)[0]!r}, which is not asked for now; take it up with "
            "the options that it was begun with"
        )
    return set(planned) - asked


def read_summary(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """`run.json` and `summary.json` of a run that has both; raises InputError."""
    found = []
    for name in (ABOUT, SUMMARY):
        try:
            found.append(json.loads((path / name).read_bytes()))
        except FileNotFoundError:
            raise InputError(
                f"{path} has no {name}; name a folder that `rag eval run` has written to its end, "
                "or take it up with --out FOLDER --resume"
            ) from None
        except (OSError, ValueError) as fault:
            raise InputError(f"{path / name} cannot be read: {fault}") from None
    if not all(isinstance(each, dict) for each in found):
        raise InputError(f"{path}: {ABOUT} and {SUMMARY} must be JSON objects; run it again")
    return found[0], found[1]


def _same(path: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """What the run was begun with, which must be what it is taken up with."""
    try:
        before = json.loads((path / ABOUT).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path} has no {ABOUT}, so there is no run to take up") from None
    except (OSError, ValueError) as fault:
        raise InputError(f"{path / ABOUT} cannot be read: {fault}") from None
    for name in _SAME:
        one, other = _steady(before.get(name)), _steady(about[name])
        if one != other:
            raise InputError(
                f"{path} was begun with {name} {_short(one)}, not {_short(other)}; "
                "begin a new run with another --out"
            )
    return {**before, "finished": None}


def _steady(value: Any) -> Any:
    """The value less what a run itself counts."""
    if isinstance(value, dict):
        return {key: each for key, each in value.items() if key != "asked"}
    return value


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:199] + "…"


def _results(path: Path) -> tuple[Result, ...]:
    """The results in a file; what a killed run left of a line is cut off it."""
    try:
        data = path.read_bytes() if path.exists() else b""
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)
    except OSError as fault:
        raise InputError(f"{path} cannot be taken up: {fault}") from None
    results = []
    for number, line in enumerate(data[:whole].split(b"\n")[:-1], start=1):
        try:
            results.append(Result.read(line))
        except ValueError as fault:
            raise InputError(f"{path}, line {number}: {fault}") from None
    return tuple(results)


def _refuse_full(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(
            f"--out {path} is there already and not an empty folder; name another one, or give "
            "--resume to take up the run in it"
        )


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("ab")
    except OSError as fault:
        raise InputError(f"{path}: results cannot be written there: {fault}") from fault


def _write(path: Path, content: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
