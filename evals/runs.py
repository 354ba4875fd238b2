"""Read a run folder: what `rag eval run` was asked, and each question with its outcome."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from evals.cases import Distractor, Quote
from rag.errors import InputError
from rag.records import Citation, Hit, Record, Statement, Usage

FORMAT = 1
ABOUT, RESULTS = "run.json", "results.jsonl"

Outcome = Literal[
    "right",
    "wrong",
    "wrongly answered",
    "abstained rightly",
    "abstained wrongly",
    "not judged",
    "error",
]


@dataclass(frozen=True, slots=True)
class Reply(Record):
    """An answer as a run keeps it: `rag.records.Answer` without its hits."""

    text: str
    citations: tuple[Citation, ...]
    abstained: bool
    language: str = ""
    mode: str = ""
    query: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    statements: tuple[Statement, ...] = ()
    notice: str = ""
    """Why the model's words are missing; "" when nothing failed."""


@dataclass(frozen=True, slots=True)
class Call(Record):
    """One call of the chat model; see `rag.records.CallEvent`."""

    prompt: tuple[tuple[str, str], ...]
    reply: str
    refused: str = ""
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Asked(Record):
    """One question, what a right answer holds, and what came of it."""

    id: str
    lang: str
    kind: str
    group: str
    """Questions of one group ask the same thing in different languages."""
    question: str
    scores: dict[str, FiniteFloat | None]
    """By the names of `evals.metrics.Scores`; None could not be judged."""
    history: tuple[tuple[str, str], ...] = ()
    evidence: tuple[tuple[Quote, ...], ...] = ()
    """Of each needed fact the quotes that prove it, each of them alone."""
    must: tuple[tuple[str, ...], ...] = ()
    must_not: tuple[str, ...] = ()
    distractor: Distractor | None = None
    answer: Reply | None = None
    hits: tuple[Hit, ...] = ()
    calls: tuple[Call, ...] = ()
    error: str = ""
    cited: tuple[int, ...] = ()
    """Positions in `evidence` of the facts that the answer cites."""
    seconds: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """How it went, in one word or two."""
        if self.error:
            return "error"
        if self.scores.get("wrongly_abstained"):
            return "abstained wrongly"
        tempted = self.scores.get("wrongly_answered")
        if tempted is not None:
            return "wrongly answered" if tempted else "abstained rightly"
        right = self.scores.get("facts_right")
        if right is None:  # the public sets know answers, not facts
            right = self.scores.get("answer_contained")
        if right is None:
            return "not judged"
        return "right" if right else "wrong"

    @property
    def mode(self) -> str:
        """How the answer was made: generated, quoted, abstained; "" where there is none."""
        return self.answer.mode if self.answer else ""

    @property
    def digest(self) -> str:
        """The same for two rows only if the same was asked and expected."""
        asked = [self.lang, self.question, self.history, self.must, self.must_not]
        quotes = [[quote.to_dict() for quote in quotes] for quotes in self.evidence]
        text = json.dumps([*asked, quotes], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class About(Record):
    """What was measured, by what, and on what; fields that a run lacks are empty."""

    format: int
    system: str = ""
    started: str = ""
    finished: str | None = None
    """None for a run that was cut short."""
    model: str = ""
    replies: dict[str, Any] = field(default_factory=dict)
    """How many replies were recorded by hand, and the SHA-256 of their file; empty where a
    connected model replied."""
    settings: dict[str, Any] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each prompt by its file's name."""
    corpus: dict[str, Any] = field(default_factory=dict)
    questions: dict[str, Any] = field(default_factory=dict)
    packages: dict[str, Any] = field(default_factory=dict)
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Run(Record):
    """A run folder that was read."""

    folder: str
    about: About
    results: tuple[Asked, ...]
    """In the order in which they were asked; each id once, at least one."""
    cut: bool = False
    """Whether a last line that was cut short was left out."""


def read_run(folder: Path) -> Run:
    """The run in a folder; raises InputError that names the first fault.

    A last line that a killed run left unfinished is dropped, see `Run.cut`.
    """
    about = _about(folder / ABOUT)
    path = folder / RESULTS
    *lines, last = _bytes(path).split(b"\n")
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    rows = [_row(line, f"{path}, line {number}") for number, line in numbered]
    cut = bool(last.strip()) and not _is_json(last)
    if last.strip() and not cut:
        rows.append(_row(last, f"{path}, line {len(lines) + 1}"))
    if not rows:
        raise InputError(f"{path} holds no results; let `rag eval run` ask a question first")
    _check_ids(rows, path)
    return Run(str(folder), about, tuple(rows), cut)


def cut_note(run: Run) -> str:
    """One line on what was left out of a run; "" where nothing was."""
    if not run.cut:
        return ""
    return f"{run.folder}: the last line of {RESULTS} was cut short and is left out"


def _about(path: Path) -> About:
    try:
        found = json.loads(_bytes(path))
    except ValueError as fault:
        raise InputError(f"{path} is not JSON: {fault}") from None
    version = found.get("format") if isinstance(found, dict) else None
    if version != FORMAT:
        raise InputError(
            f"{path}: the format is {version!r}, this version reads {FORMAT}; run it again"
        )
    try:
        about: About = _adapter(About).validate_python(found)
    except ValidationError as fault:
        raise InputError(f"{path}: {first_finding(fault)}") from None
    return about


def _row(line: bytes, place: str) -> Asked:
    try:
        row: Asked = _adapter(Asked).validate_json(line)
    except ValidationError as fault:
        raise InputError(f"{place}: {first_finding(fault)}") from None
    return row


def _check_ids(rows: Sequence[Asked], path: Path) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise InputError(f"{path}: the question {row.id!r} stands twice")
        seen.add(row.id)


def first_finding(fault: ValidationError) -> str:
    """The first of pydantic's findings in one line."""
    found = fault.errors(include_url=False)[0]
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {found['msg']}" if place else found["msg"]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path} is not there; name a folder that `rag eval run` has written"
        ) from None
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror}") from None


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


@cache
def _adapter(record: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(record)
