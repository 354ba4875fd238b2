"""Read a model's reply: JSON of claims -> a draft, while it is written and when it is whole."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.prompts import object_schema
from rag.records import Record

OWN_MARKS = re.compile(r"\s*\[[\d\s,;]*\]")
"""Marks of sentences that a model, or an earlier answer, has in its words."""
MAX_CLAIMS = 8
MAX_IDS = 6
"""Sentences that one claim may name."""

_IDS = {"type": "array", "minItems": 1, "maxItems": MAX_IDS, "items": {"type": "integer"}}
SCHEMA = object_schema(
    claims={
        "type": "array",
        "maxItems": MAX_CLAIMS,
        "items": object_schema(ids=_IDS, text={"type": "string"}),
    }
)


@dataclass(frozen=True, slots=True)
class Claim(Record):
    """A sentence that the model wrote and the numbers it wrote it from."""

    ids: tuple[int, ...]
    text: str
    closed: bool = True
    """Whether the model has written all of it; what was cut off is never shown as whole."""


@dataclass(frozen=True, slots=True)
class Draft(Record):
    """What the model has replied so far; no claims mean that it found no answer."""

    claims: tuple[Claim, ...]


def read_draft(reply: str) -> Draft | None:
    """The claims in a reply, whole or cut short; None when it is not of the form asked for.

    Of several drafts the last whole one that has claims counts. Only `{"claims": []}`
    itself is a draft without claims.

    >>> read_draft('{"claims": [{"ids": [2], "text": "It rai')
    Draft(claims=(Claim(ids=(2,), text='It rai', closed=False),))
    >>> read_draft("I cannot say.") is None
    True
    """
    found = list(_candidates(reply))
    with_claims = [each for each in found if each.claims]
    whole = [each for each in with_claims if each.whole]
    for last in (whole or with_claims)[-1:]:
        return Draft(last.claims[:MAX_CLAIMS])
    return Draft(()) if found and all(each.says_nothing for each in found) else None


# --- the drafts in a reply


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What is, or begins as, a draft; without claims where none of them can be read."""

    claims: tuple[Claim, ...]
    whole: bool = True
    says_nothing: bool = False
    """Whether it is `{"claims": []}`."""


_JSON = json.JSONDecoder(strict=False)  # models leave line breaks inside strings
_BEGINS = re.compile(r'\{\s*"|\[\s*[{"]')
_MOST_TRIES = 20
"""Places in one reply at which JSON may seem to begin; each costs time."""
_LIST = re.compile(r'\{\s*"claims"\s*:\s*\[|\[(?=\s*\{\s*"(?:ids?|text)"\s*:)')
_CLAIM = re.compile(r'\{\s*"(?:ids?|text)"\s*:')
_ITEM = re.compile(r'[\s,]*(?=[{"])')


def _candidates(reply: str) -> Iterator[_Candidate]:
    """Each draft in the reply, in order."""
    place = tries = 0
    while (begins := _BEGINS.search(reply, place)) and (tries := tries + 1) <= _MOST_TRIES:
        start = begins.start()
        value, place = _value(reply, start)
        if place > start:
            yield from _of_value(value)
        elif begun := _LIST.match(reply, start):
            claims, place = _unfinished_list(reply, begun.end())
            yield _Candidate(claims, whole=False)
        elif _CLAIM.match(reply, start):
            yield _Candidate(_unfinished(reply, start), whole=False)
            return
        else:
            place = start + 1


def _value(reply: str, start: int) -> tuple[Any, int]:
    """The whole JSON value at a place and where it ends; `start` where there is none."""
    try:
        return _JSON.raw_decode(reply, start)
    except (ValueError, RecursionError):
        return None, start


def _of_value(value: Any) -> Iterator[_Candidate]:
    """The draft in a whole JSON value; nothing where that is of another kind."""
    if isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))  # {"reply": {"claims": [...]}}
        value = inner if isinstance(inner, dict) and "claims" in inner else value
    if isinstance(value, dict) and "claims" in value:
        items = value["claims"]
        yield _Candidate(_claims(_listed(items)), says_nothing=items == [])
    elif claims := _claims(_listed(value)):
        yield _Candidate(claims)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _unfinished_list(reply: str, place: int) -> tuple[tuple[Claim, ...], int]:
    """The claims of a list whose end is missing, and the place where they end."""
    items: list[Any] = []
    while found := _ITEM.match(reply, place):
        value, place = _value(reply, found.end())
        if place == found.end():
            return _claims(items) + _unfinished(reply, place), len(reply)
        items.append(value)
    return _claims(items), place


def _unfinished(reply: str, start: int) -> tuple[Claim, ...]:
    """The claim that begins at a place and was not closed, as far as it goes."""
    ids, text = _BEGUN_IDS.search(reply, start), _BEGUN_TEXT.search(reply, start)
    if ids is None or text is None:
        return ()
    return (Claim(_ids([ids[1]]), _decoded(f'"{text[1]}"'), closed=False),)


_BEGUN_IDS = re.compile(r'"ids?"\s*:\s*(\[[^\]{}]*\]|"[^"{}]*"|[\d.]+(?=\s*,))')
_BEGUN_TEXT = re.compile(r'"text"\s*:\s*"((?:[^"\\]|\\(?:u[0-9a-fA-F]{4}|[^u]))*)')


def _decoded(string: str) -> str:
    value, _ = _value(string, 0)
    return _without_halves(value) if isinstance(value, str) else ""


# --- one claim

_MARK = re.compile(r"\s*\[(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\]")
_BETWEEN_IDS = re.compile(r"[\s\[\](),;#\"]+")
_ID = re.compile(r"(\d{1,6})(?:\.0+)?")


def _claims(items: Sequence[Any]) -> tuple[Claim, ...]:
    """Those that can be read; what was not asked for among them is no claim."""
    return tuple(claim for each in items if (claim := _claim(each)))


def _claim(found: Any) -> Claim | None:
    if isinstance(found, str):
        return _marked(_without_halves(found))
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        return None
    told = [found[name] for name in ("ids", "id") if name in found]
    text = _without_halves(found["text"])
    return Claim(_ids(told), text) if told else _marked(text)


def _without_halves(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _marked(text: str) -> Claim | None:
    """The claim that names its sentences by marks such as "[1]" in its own text."""
    ids = _ids(_MARK.findall(text))
    return Claim(ids, _MARK.sub("", text).strip()) if ids else None


def _ids(told: Any) -> tuple[int, ...]:
    """Numbers of sentences, each once, however they are written.

    >>> _ids([1, "2", 3.0, "[4], [5]", True, 2.5, "six"])
    (1, 2, 3, 4, 5)
    """
    return tuple(dict.fromkeys(_numbers(told)))


def _numbers(told: Any, depth: int = 3) -> Iterator[int]:
    if isinstance(told, list) and depth:
        for each in told:
            yield from _numbers(each, depth - 1)
    elif isinstance(told, str):
        found = map(_ID.fullmatch, _BETWEEN_IDS.split(told))
        yield from (int(each[1]) for each in found if each)
    elif type(told) is int or (isinstance(told, float) and told.is_integer()):
        yield int(told)
