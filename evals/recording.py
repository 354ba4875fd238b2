"""Prompts and replies of one chat model in a folder: what waits, and what was replied.

`prompts.jsonl` holds the prompts that wait for a reply, `replies.jsonl` what the model said,
written by whoever has it. Both name a call by the digest of all that it asks.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.files import write_whole
from rag.errors import InputError, ModelError
from rag.records import Record

PROMPTS = "prompts.jsonl"
REPLIES = "replies.jsonl"

Said = tuple[str, str]
"""Role and text of a message; the roles are those of OpenAI: system, user, assistant."""


class NoReplyError(ModelError):
    """The folder holds no reply to a call yet, so that its question waits."""


@dataclass(frozen=True, slots=True)
class Prompt(Record):
    """One call that waits; what a right answer holds is not in it."""

    key: str
    case: str
    """The question that it is asked for."""
    call: int
    """The first call for the question is 1."""
    messages: tuple[Said, ...]
    schema: dict[str, Any] | None = None
    """The JSON schema that the reply is to keep to; None asks for text."""

    def line(self) -> bytes:
        """The prompt as one line of JSON."""
        messages = [{"role": role, "content": text} for role, text in self.messages]
        return _line(self.to_dict() | {"messages": messages})


class Recording:
    """A folder's replies, and the prompts that have none; raises InputError for a broken file.

    Tell it of each question by `begin`; `waits` then says whether a reply was missed for it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.replies = read_replies(folder)
        self.digest = hashlib.sha256(_content(folder / REPLIES)).hexdigest()
        """Of the replies' file as the run found it."""
        self.waits = False
        self.waiting = 0
        """Questions so far that wait; one counts for each system that asks it."""
        self._case, self._calls = "", 0
        self._written = {each.key for each in read_prompts(folder)}
        self._missed: dict[str, Prompt] = {}

    @property
    def label(self) -> str:
        """Who replied, as a run tells it."""
        return f"{self.name}, replies recorded by hand"

    def begin(self, case: str) -> None:
        """From now on calls are made for this question."""
        self._case, self._calls, self.waits = case, 0, False

    def reply(self, messages: Sequence[Said], schema: dict[str, Any] | None = None) -> str:
        """What the model said to this; raises NoReplyError, and keeps the prompt, if nothing."""
        self._calls += 1
        key = key_of(messages, schema)
        if key in self.replies:
            return self.replies[key]
        # What follows a missed reply rests on words that the model did not say.
        if not self.waits:
            self._miss(Prompt(key, self._case, self._calls, tuple(messages), schema))
            self.waits, self.waiting = True, self.waiting + 1
        raise NoReplyError(f"{self.name} has not replied yet; put replies into {self.folder}")

    def finish(self) -> None:
        """Leave in the file of prompts only those that this run waits for."""
        write_whole(self.folder / PROMPTS, b"".join(each.line() for each in self._missed.values()))

    def _miss(self, prompt: Prompt) -> None:
        self._missed.setdefault(prompt.key, prompt)
        if prompt.key not in self._written:
            self._written.add(prompt.key)
            _append(self.folder / PROMPTS, [prompt.line()])


def key_of(messages: Iterable[Said], schema: Mapping[str, Any] | None = None) -> str:
    """Names a call by all that it asks.

    >>> key_of([("user", "When?")]) == key_of([("user", "When?")], None)
    True
    >>> key_of([("user", "When?")]) == key_of([("system", "When?")])
    False
    """
    asked = json.dumps([[list(each) for each in messages], schema], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def read_replies(folder: Path) -> dict[str, str]:
    """The replies by their keys, of two to one call the last; raises InputError."""
    path = folder / REPLIES
    found = {}
    for number, row in _rows(path):
        key, text = row.get("key"), reply_text(row.get("reply"))
        if not isinstance(key, str) or not text:
            raise InputError(
                f"{path}, line {number}: a reply is a key and words that are not empty"
            )
        found[key] = text
    return found


def reply_text(reply: object) -> str:
    """A reply as the model would have sent it; "" for what is none.

    >>> reply_text({"claims": []}), reply_text(" Six."), reply_text("  "), reply_text(7)
    ('{"claims": []}', ' Six.', '', '')
    """
    if isinstance(reply, dict):
        return json.dumps(reply, ensure_ascii=False)
    return reply if isinstance(reply, str) and reply.strip() else ""


def read_prompts(folder: Path) -> tuple[Prompt, ...]:
    """The prompts that the file holds, each once; raises InputError."""
    path = folder / PROMPTS
    found = {}
    for number, row in _rows(path):
        try:
            said = tuple((str(each["role"]), str(each["content"])) for each in row["messages"])
            prompt = Prompt(str(row["key"]), str(row["case"]), row["call"], said, row["schema"])
        except (KeyError, TypeError) as fault:
            raise InputError(f"{path}, line {number}: this is no prompt: {fault!r}") from None
        found[prompt.key] = prompt
    return tuple(found.values())


def waiting(folder: Path) -> list[Prompt]:
    """The prompts that nobody has replied to yet, in the order in which they were asked."""
    replied = read_replies(folder)
    return [each for each in read_prompts(folder) if each.key not in replied]


@dataclass(frozen=True, slots=True)
class Added(Record):
    """What came of replies that were to be added."""

    added: int
    refused: tuple[str, ...]
    """Why a line was left out, one line each."""


def add_replies(folder: Path, file: Path) -> Added:
    """Add the replies of a file to the folder's, less those that no call waits for.

    A reply to a call that has one takes its place. Raises InputError for a file that cannot
    be read.
    """
    before = read_replies(folder)
    known = before.keys() | {each.key for each in read_prompts(folder)}
    if not file.is_file():
        raise InputError(f"{file} is not there; name a file of replies")
    given, refused = dict[str, str](), list[str]()
    for number, row, fault in _each_row(file):
        fault = fault or _fault(row, known)
        if fault:
            refused.append(f"{file}, line {number}: {fault}")
        else:
            given[row["key"]] = reply_text(row["reply"])
    new = {key: text for key, text in given.items() if before.get(key) != text}
    _append(folder / REPLIES, [_line({"key": key, "reply": new[key]}) for key in new])
    return Added(len(given), tuple(refused))


def _fault(row: Mapping[str, Any], known: Collection[object]) -> str:
    """Why this is no reply to add; "" where it is one."""
    key = row.get("key")
    if key not in known:
        return f"no prompt has the key {str(key)[:40]!r}"
    return "" if reply_text(row.get("reply")) else f"the reply to {key} is empty or no text"


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with the numbers of their lines; none where there is no file."""
    for number, row, fault in _each_row(path):
        if fault:
            raise InputError(f"{path}, line {number}: {fault}")
        yield number, row


def _each_row(path: Path) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Number, object and fault of each line that holds anything."""
    for number, line in enumerate(_content(path).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as fault:
            yield number, {}, f"this is not JSON: {fault}"
            continue
        good = isinstance(row, dict)
        yield number, row if good else {}, "" if good else "a line must be a JSON object"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror}") from fault


def _line(row: Mapping[str, Any]) -> bytes:
    # Half of a surrogate pair, which an article may hold, has no UTF-8.
    return (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _append(path: Path, lines: Sequence[bytes]) -> None:
    """Add lines, after an end to a last one that a hand left without."""
    begun = _content(path)
    between = b"\n" if begun and not begun.endswith(b"\n") else b""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(between + b"".join(lines))
    except OSError as fault:
        raise InputError(f"{path} cannot be written: {fault.strerror}") from fault
