"""Questions whose right answers are known, checked against the articles they cite."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from rag.errors import InputError
from rag.records import Record

Kind = Literal[
    "figure",
    "date",
    "who",
    "fact",
    "list",
    "two_article",
    "follow_up",
    "false_premise",
    "unanswerable",
]
Temptation = Literal[
    "other_entity", "other_year", "other_quantity", "other_event", "partial", "outside"
]

_REQUIRED = {"id", "lang", "kind", "group", "question", "evidence", "must", "must_not"}
_OPTIONAL = {"history", "distractor"}


@dataclass(frozen=True, slots=True)
class Quote(Record):
    """Words of one article: `article[start:end] == text`, and they stand there once."""

    source: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """One fact that an answer must rest on; any of the quotes proves it alone."""

    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Distractor(Record):
    """The near thing in the articles that tempts to answer what they do not say."""

    quotes: tuple[Quote, ...]
    type: Temptation


@dataclass(frozen=True, slots=True)
class Case(Record):
    """A question and what is known of its right answer."""

    id: str
    lang: str
    """ISO 639-1 code of the question, and so of the answer."""
    kind: Kind
    group: str
    """Cases of one group ask the same thing in different languages."""
    question: str
    history: tuple[tuple[str, str], ...]
    """Questions and answers that went before; follow-ups only."""
    evidence: tuple[Evidence, ...]
    """All that is needed for the answer; empty when the articles do not say."""
    must: tuple[tuple[str, ...], ...]
    """A right answer holds at least one alternative of every group."""
    must_not: tuple[str, ...]
    """Strings that only a wrong answer holds."""
    distractor: Distractor | None

    @property
    def answerable(self) -> bool:
        """Whether the articles tell; otherwise abstaining is right."""
        return self.kind != "unanswerable"


def load_cases(path: Path, sources: Mapping[str, str]) -> tuple[Case, ...]:
    """The cases of a JSON Lines file, in order, checked against `sources`.

    `sources` maps each article's name to its text. Raises InputError that names
    the line of the first fault.
    """
    lines = _read_lines(path)
    cases: dict[str, Case] = {}
    for number, line in enumerate(lines, start=1):
        try:
            case = _read_case(line, sources)
            _require(case.id not in cases, f"the id {case.id!r} stands twice")
        except ValueError as fault:
            raise InputError(f"{path}, line {number}: {fault}") from fault
        cases[case.id] = case
    return tuple(cases.values())


def _read_lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: the questions cannot be read: {fault}") from fault
    if not any(line.strip() for line in lines):
        raise InputError(f"{path}: the file holds no questions")
    return lines[:-1] if not lines[-1] else lines


def _read_case(line: str, sources: Mapping[str, str]) -> Case:
    row = _read_object(line)
    case = Case(
        id=_string(row, "id"),
        lang=_string(row, "lang"),
        kind=cast(Kind, _choice(row, "kind", get_args(Kind))),
        group=_string(row, "group"),
        question=_string(row, "question"),
        history=_history(row.get("history", [])),
        evidence=tuple(
            Evidence(_quotes(item, sources, {"or"})) for item in _list(row["evidence"], "evidence")
        ),
        must=tuple(_strings(group, "must") for group in _list(row["must"], "must")),
        must_not=_strings(row["must_not"], "must_not"),
        distractor=_distractor(row.get("distractor"), sources),
    )
    _check(case)
    return case


def _read_object(line: str) -> dict[str, Any]:
    row = json.loads(line)
    _require(isinstance(row, dict), "a case must be a JSON object")
    missing, unknown = _REQUIRED - row.keys(), row.keys() - _REQUIRED - _OPTIONAL
    _require(not missing, f"these fields are missing: {', '.join(sorted(missing))}")
    _require(not unknown, f"these fields are unknown: {', '.join(sorted(unknown))}")
    return cast(dict[str, Any], row)


def _check(case: Case) -> None:
    _require(len(case.lang) == 2 and case.lang.islower(), f"lang {case.lang!r} is not ISO 639-1")
    _require(all(case.must), "a must group has no alternatives")
    _require((case.kind == "follow_up") == bool(case.history), "history is for follow_up alone")
    if case.answerable:
        _require(bool(case.evidence and case.must), "evidence and must may not be empty")
        _require(case.distractor is None, "a distractor is for unanswerable alone")
    else:
        _require(not case.evidence and not case.must, "unanswerable has neither evidence nor must")
        _require(case.distractor is not None, "unanswerable needs a distractor")
    if case.kind == "two_article":
        articles = {quote.source for item in case.evidence for quote in item.quotes}
        _require(len(articles) > 1, "two_article needs evidence from two articles")


def _quotes(item: Any, sources: Mapping[str, str], optional: set[str]) -> tuple[Quote, ...]:
    _require(isinstance(item, dict), "a quote must be a JSON object")
    unknown = item.keys() - {"source", "quote"} - optional
    _require(not unknown, f"a quote has unknown fields: {', '.join(sorted(unknown))}")
    others = [_quotes(other, sources, set()) for other in _list(item.get("or", []), "or")]
    return (_quote(item, sources), *(quote for other in others for quote in other))


def _quote(item: Mapping[str, Any], sources: Mapping[str, str]) -> Quote:
    source, text = _string(item, "source"), _string(item, "quote")
    _require(source in sources, f"no article is named {source!r}; ingest the articles first")
    times = sources[source].count(text)
    _require(times == 1, f"this quote stands {times} times in {source}: {text!r}")
    start = sources[source].index(text)
    return Quote(source, start, start + len(text), text)


def _distractor(item: Any, sources: Mapping[str, str]) -> Distractor | None:
    if item is None:
        return None
    quotes = _quotes(item, sources, {"or", "type"})
    return Distractor(quotes, cast(Temptation, _choice(item, "type", get_args(Temptation))))


def _history(items: Any) -> tuple[tuple[str, str], ...]:
    pairs = [_strings(pair, "history") for pair in _list(items, "history")]
    _require(all(len(pair) == 2 for pair in pairs), "history holds pairs of question and answer")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _string(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be text")
    return value


def _choice(row: Mapping[str, Any], name: str, choices: Sequence[str]) -> str:
    value = _string(row, name)
    _require(value in choices, f"{name} {value!r} is none of {', '.join(choices)}")
    return value


def _strings(value: Any, name: str) -> tuple[str, ...]:
    items = _list(value, name)
    fine = all(isinstance(item, str) and item.strip() for item in items)
    _require(fine, f"{name} must hold texts that are not empty")
    return tuple(items)


def _list(value: Any, name: str) -> list[Any]:
    _require(isinstance(value, list), f"{name} must be a list")
    return cast(list[Any], value)


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(fault)
