"""What an answer says: text with marks, its citations, and how it came about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.records import (
    Citation,
    Hit,
    Mode,
    Query,
    Record,
    Statement,
    StatementStatus,
    Usage,
)
from rag.retrieval.sentence_selection import Evidence


@dataclass(frozen=True, slots=True)
class Checked(Record):
    """Text with marks `[1]`, the citation of each mark, and the text's sentences."""

    text: str
    citations: tuple[Citation, ...] = ()
    statements: tuple[Statement, ...] = ()

    @property
    def refused(self) -> tuple[Statement, ...]:
        """The claims that are not shown."""
        return tuple(each for each in self.statements if each.status == "refused")


@dataclass(frozen=True, slots=True)
class Reply(Record):
    """What is said to a question, and what it rests on."""

    query: Query
    checked: Checked
    mode: Mode
    hits: tuple[Hit, ...] = ()
    notice: str = ""
    """Why the model did not word it, if it was to."""
    usage: Usage = field(default_factory=Usage)


class ReplyText:
    """An answer as it is put together: statements with their marks, and what stands between."""

    def __init__(self, between: str = " ") -> None:
        self._between = between
        self._text = ""
        self._statements: list[Statement] = []
        self._citations: dict[int, Citation] = {}

    def add(self, text: str, sources: Sequence[Evidence], status: StatementStatus) -> None:
        """A statement and its marks; one that was made already is not made again."""
        if any(each.text == text and each.status != "refused" for each in self._statements):
            return
        for each in sources:
            number = len(self._citations) + 1
            self._citations.setdefault(each.number, _citation(number, each))
        marks = tuple(self._citations[each.number].number for each in sources)
        start = self.say(text + " " + "".join(f"[{mark}]" for mark in marks))
        self._statements.append(Statement(text, marks, status, start, start + len(text)))

    def say(self, text: str) -> int:
        """Text that claims nothing of its own; returns where it begins."""
        start = len(self._text) + len(self._between) if self._text else 0
        self._text = f"{self._text}{self._between}{text}" if self._text else text
        return start

    def refuse(self, text: str, reason: str) -> None:
        """What is not shown, and why."""
        statement = Statement(text, (), "refused", reason=reason)
        if statement not in self._statements:
            self._statements.append(statement)

    def checked(self) -> Checked:
        """All that was put together."""
        return Checked(self._text, tuple(self._citations.values()), tuple(self._statements))


def _citation(number: int, evidence: Evidence) -> Citation:
    sentence, hit = evidence.sentence, evidence.hit
    return Citation(
        number=number,
        source=hit.source,
        start=sentence.start,
        end=sentence.end,
        quote=sentence.text,
        title=hit.title,
        lang=hit.lang,
        page=hit.page,
        date=hit.date,
    )
