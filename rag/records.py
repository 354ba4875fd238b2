"""What flows between the stages: small frozen records that serialise to JSON.

Every offset counts code points of `Document.text`, the stored and unchanged
text of one article.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["generated", "quoted", "abstained", "corpus", "small_talk"]
"""How an answer came about: worded by a model and checked, quoted by code, not at all because
the articles do not say, from what is known of the articles themselves, or without them because
nothing was asked."""


QueryKind = Literal["fact", "overview", "digest", "corpus"]
"""What a question wants: something that articles tell, what some articles are about, what all of
them are about, or something of the corpus itself (how many articles, in which languages)."""
StatementStatus = Literal["quoted", "checked", "unchecked", "refused"]
"""The article's own words; words of a model whose every particular was found in what it was shown;
words of a model in which there is no particular to check; words that are not shown."""


class Record:
    """Gives a dataclass its two JSON forms."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The record as plain dicts, lists, strings and numbers."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    def to_json(self, indent: int | None = None) -> str:
        """The record as JSON text, with letters of every script left readable."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)


@dataclass(frozen=True, slots=True)
class Document(Record):
    """One article as it is stored; `text` is never changed after reading."""

    source: str
    """File name relative to the corpus folder; for JSON Lines `file.jsonl#id`."""
    text: str
    lang: str = ""
    """ISO 639-1 code, "" when unknown."""
    title: str = ""
    date: str = ""
    """ISO 8601, and only where the article or its metadata states one."""
    publisher: str = ""
    page_starts: tuple[int, ...] = ()
    """Offset at which each page begins; empty for formats without pages."""


@dataclass(frozen=True, slots=True)
class Sentence(Record):
    """A sentence of one document: `document.text[start:end] == text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage(Record):
    """A paragraph, or part of one: `document.text[start:end] == text`."""

    source: str
    start: int
    end: int
    text: str
    sentences: tuple[Sentence, ...] = ()
    """In order, without overlap; together they hold all of the passage but white space."""
    lang: str = ""
    title: str = ""
    date: str = ""
    publisher: str = ""
    page: int | None = None
    """First page, counted from 1; None for formats without pages."""

    @property
    def in_context(self) -> str:
        """What is embedded: the passage led by its article's title, unless it holds it."""
        return led_by_title(self.text, self.title)

    def hit(self, score: float, signals: Mapping[str, float] | None = None) -> "Hit":
        """The passage as it was found."""
        own = {each.name: getattr(self, each.name) for each in dataclasses.fields(Passage)}
        return Hit(**own, score=score, signals=signals or {})


@dataclass(frozen=True, slots=True)
class Query(Record):
    """A question as it was asked, and as it is searched."""

    question: str
    """What is asked, without an order such as "Answer in Russian:"."""
    text: str
    """What is searched: the question, made whole where it is a follow-up."""
    question_lang: str
    answer_lang: str
    history: tuple[tuple[str, str], ...] = ()
    """Earlier (question, answer) turns, oldest first."""
    kind: QueryKind = "fact"
    searches: tuple[str, ...] = ()
    """Each part of a comparison or of a question in several parts, where they are searched one by
    one; empty where `text` alone is searched."""
    lead: str = ""
    """The earlier question that a follow-up leans on, with which `text` begins; "" without one."""

    @property
    def asked(self) -> str:
        """The part of `text` that is to be answered, without the earlier question it is led by."""
        return self.text.removeprefix(self.lead).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Passage):
    """A passage that was found for a question."""

    score: float
    """The probability that the passage answers, as `rag.retrieval.calibration` fits it."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """What the score is made of, by the signal's name: `rag.retrieval.calibration.SIGNALS`."""
    answer: tuple[int, int] | None = None
    """Where the likeliest answer stands in the article, if the passage holds one; None for a
    passage that the cross-encoder did not read."""
    shares: tuple[float, ...] = ()
    """Of each sentence how likely that answer stands in it rather than in another; empty for
    a passage that the cross-encoder did not read."""


@dataclass(frozen=True, slots=True)
class Citation(Record):
    """One mark of an answer: `article.text[start:end] == quote`, exactly."""

    number: int
    """The figure in the answer's mark, counted from 1."""
    source: str
    start: int
    end: int
    quote: str
    status: str = "exact"
    """"exact", or why the quote was refused."""
    title: str = ""
    lang: str = ""
    page: int | None = None
    date: str = ""


@dataclass(frozen=True, slots=True)
class Statement(Record):
    """A sentence that was to be answered, and its proof: `answer.text[start:end] == text`."""

    text: str
    marks: tuple[int, ...]
    """Numbers of the citations that it rests on; none for one that is not shown."""
    status: StatementStatus
    start: int = 0
    end: int = 0
    """Both 0 for one that is not shown."""
    reason: str = ""
    """Why it is not shown, in English, for the model and for operators."""


@dataclass(frozen=True, slots=True)
class Usage(Record):
    """What the chat model was asked to do for one answer."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Part of `prompt_tokens` that the model took from its prefix cache."""
    cost: float | None = 0.0
    """US dollars; None when the model's price is not known."""


@dataclass(frozen=True, slots=True)
class Answer(Record):
    """A checked answer: every statement of `text` ends in marks of `citations`."""

    text: str
    citations: tuple[Citation, ...]
    abstained: bool
    """True when the articles do not say, or nothing was asked; `citations` is then empty."""
    language: str
    hits: tuple[Hit, ...]
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    mode: Mode = "generated"
    query: str = ""
    """The text that was searched; it differs from the question in a follow-up."""
    model: str = ""
    statements: tuple[Statement, ...] = ()
    """The sentences of the text in order, and those of the model that were refused."""
    notice: str = ""
    """Why the model's words are missing, in one line for operators; "" when nothing failed."""


@dataclass(frozen=True, slots=True)
class HitsEvent(Record):
    """What was found, before the model reads it; only stages of understanding come before."""

    hits: tuple[Hit, ...]
    query: str
    kind: Literal["hits"] = "hits"


@dataclass(frozen=True, slots=True)
class StageEvent(Record):
    """What begins now, for those who wait while the chat model works."""

    stage: Literal["understanding", "reading", "checking", "rewriting", "verifying"]
    """The model says what is searched; it reads sentences; its whole reply is checked; it words
    what was refused again; it compares its own claims with their quotes."""
    sentences: int
    """How many sentences of articles the model is shown."""
    kind: Literal["stage"] = "stage"


@dataclass(frozen=True, slots=True)
class TextEvent(Record):
    """More of the answer's text; every figure in it has been checked already."""

    text: str
    replaces: bool = False
    """True when the text takes the place of all text sent so far."""
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class CallEvent(Record):
    """One call of the chat model, as soon as its reply was checked."""

    prompt: tuple[tuple[str, str], ...]
    """(role, text) of each message that was sent."""
    reply: str
    """What the model wrote, unchanged."""
    refused: str = ""
    """Why the reply is not shown; "" when it is."""
    cached: bool = False
    """Whether the reply was kept from an earlier call with the same prompt."""
    kind: Literal["call"] = "call"


@dataclass(frozen=True, slots=True)
class AnswerEvent(Record):
    """The stream's last event."""

    answer: Answer
    kind: Literal["answer"] = "answer"


Event = HitsEvent | StageEvent | TextEvent | CallEvent | AnswerEvent


@dataclass(frozen=True, slots=True)
class SkippedFile(Record):
    """A file that could not be read, and why in one line."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport(Record):
    """What one ingest did to the store."""

    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    skipped: tuple[SkippedFile, ...] = ()
    documents: int = 0
    """Documents in the store after the ingest."""
    passages: int = 0
    seconds: float = 0.0

    @property
    def wrote(self) -> bool:
        """Whether the store changed at all."""
        return bool(self.added or self.replaced or self.removed)


def led_by_title(text: str, title: str) -> str:
    """The text as it is embedded and read: after its article's title, unless it holds it."""
    return text if title in text else f"{title}\n{text}"
