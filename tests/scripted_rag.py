"""An engine with a script, for faults and waits that must be forced."""

import threading
from collections.abc import Generator, Sequence

from rag.engine import History, Rag, Where
from rag.errors import ModelError
from rag.records import (
    Answer,
    AnswerEvent,
    Citation,
    Document,
    Event,
    Hit,
    HitsEvent,
    StageEvent,
    Statement,
    TextEvent,
)
from rag.settings import Settings
from rag.understanding.question import to_query

TEXT = "פתיחה.\r\nהשיחות נמשכו 3 שעות,\nו-17 מסמכים נחתמו.\nסוף."
QUOTE = "השיחות נמשכו 3 שעות,\nו-17 מסמכים נחתמו."
START = TEXT.index(QUOTE)
DOCUMENT = Document("talks.txt", TEXT, "he", "The talks", "2024-07-01")
CITATION = Citation(
    1, DOCUMENT.source, START, START + len(QUOTE), QUOTE,
    title=DOCUMENT.title, lang=DOCUMENT.lang, date=DOCUMENT.date,
)  # fmt: skip
HIT = Hit("talks.txt", START, START + len(QUOTE), QUOTE, score=0.9, lang="he", title="The talks")


class ScriptedRag(Rag):
    """Says `words` one by one while `go` is set, then the answer; notes what was asked of it.

    The question "fail" meets a ModelError, "fault" something nobody expected, "unknown" an
    answer that abstains.
    """

    def __init__(self, settings: Settings, words: Sequence[str] = (), pause: float = 0.0) -> None:
        super().__init__(settings)
        self.words = words or ["Talks ", "took ", "3 hours ", "[1]"]
        self.pause = pause
        self.histories: dict[str, History] = {}
        self.filters: dict[str, Where | None] = {}
        self.running = 0
        self.most_running = 0
        self.go, self.stopped, self.ended = (threading.Event() for _ in range(3))
        self.go.set()

    def documents(self) -> dict[str, Document]:
        return {DOCUMENT.source: DOCUMENT}

    def _events(
        self,
        stop: threading.Event,
        question: str,
        history: History,
        language: str | None,
        k: int | None,
        where: Where | None,
    ) -> Generator[Event, None, None]:
        to_query(question, history)
        self.histories[question] = list(history)
        self.filters[question] = where
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            yield from self._said(stop, question)
        finally:
            self.running -= 1
            self.ended.set()

    def _said(self, stop: threading.Event, question: str) -> Generator[Event, None, None]:
        if question == "fault":
            raise ZeroDivisionError("secret <b>details</b>")
        yield HitsEvent((HIT,), question)
        if question == "fail":
            raise ModelError("the model at <i>http://127.0.0.1:1</i> does not answer; start it")
        yield StageEvent("reading", 6)
        for word in self.words:
            self.go.wait()
            if stop.wait(self.pause):
                self.stopped.set()
                return
            yield TextEvent(word)
        yield AnswerEvent(self._answer(question))

    def _answer(self, question: str) -> Answer:
        text = "".join(self.words)
        abstained, said = question == "unknown", text.removesuffix("[1]").rstrip()
        return Answer(
            text=text,
            citations=() if abstained else (CITATION,),
            abstained=abstained,
            language="en",
            hits=(HIT,),
            mode="abstained" if abstained else "generated",
            query=question,
            model="a model",
            statements=() if abstained else (Statement(said, (1,), "checked", 0, len(said)),),
        )
