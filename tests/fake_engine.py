"""An engine that answers as a question says, with questions about its two articles."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evals.cases import Case, Evidence, Quote
from rag.errors import ModelError
from rag.records import (
    Answer,
    AnswerEvent,
    CallEvent,
    Citation,
    Document,
    Event,
    Hit,
    HitsEvent,
    Usage,
)
from rag.settings import Settings

ARTICLES = {"a.txt": "Trade rose to 41 billion. Six jets flew.", "b.txt": "الصين وكازاخستان"}
PROOF = [{"source": "a.txt", "quote": "Trade rose to 41 billion."}]


def quote(text: str, source: str = "a.txt") -> Quote:
    start = ARTICLES[source].index(text)
    return Quote(source, start, start + len(text), text)


def citation(text: str, source: str = "a.txt") -> Citation:
    place = quote(text, source)
    lang = "ar" if source == "b.txt" else "en"
    return Citation(1, source, place.start, place.end, text, lang=lang)


def answer(text: str, *citations: Citation, **changes: Any) -> Answer:
    fields: dict[str, Any] = {"abstained": False, "language": "en", "hits": ()}
    return Answer(text, citations, **fields | changes)


def hit(start: int, end: int, source: str = "a.txt") -> Hit:
    return Hit(source, start, end, ARTICLES[source][start:end], score=1.0, lang="en")


def case(**changes: Any) -> Case:
    fields: dict[str, Any] = {
        "id": "one",
        "lang": "en",
        "kind": "figure",
        "group": "g",
        "question": "How much?",
        "history": (),
        "evidence": (Evidence((quote("Trade rose to 41 billion."),)),),
        "must": (("41", "forty-one"), ("billion",)),
        "must_not": ("21",),
        "distractor": None,
    }
    return Case(**fields | changes)


UNANSWERABLE = case(id="none", kind="unanswerable", evidence=(), must=())
ABSTAINED = answer("The articles do not say.", abstained=True)
SENTENCE = citation("Trade rose to 41 billion.")


class FakeEngine:
    """Answers each question as its words say: right, wrong, abstain, fail, stop or break."""

    def __init__(self) -> None:
        self.histories: list[list[tuple[str, str]]] = []
        self.asked: list[str] = []
        self.settings = Settings.read(model="none")
        self.stops = True

    def stream(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Iterator[Event]:
        self.asked.append(question)
        self.histories.append(list(history))
        yield HitsEvent((hit(0, 25),), question)
        match question:
            case "fail":
                raise ModelError("the model is away")
            case "stop" if self.stops:
                raise KeyboardInterrupt
            case "break":
                raise ZeroDivisionError
            case "abstain":
                yield AnswerEvent(ABSTAINED)
                return
        amount = "41" if question == "right" else "21"
        yield CallEvent((("human", question),), f"{amount} billion", cached=question == "kept")
        usage = Usage(calls=1, prompt_tokens=10, completion_tokens=2, cost=0.5)
        found = {"hits": (hit(0, 25),), "usage": usage}
        text = f"Trade between the two was {amount} billion [1]."
        yield AnswerEvent(answer(text, SENTENCE, **found))

    def search(self, question: str, k: int = 8) -> list[Hit]:
        if question == "fail":
            raise ModelError("the model is away")
        return [hit(0, 25)] if question == "right" else []

    def documents(self) -> dict[str, Document]:
        return {name: Document(name, text, "en") for name, text in ARTICLES.items()}


# --- files of questions and of results


def row(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "one",
        "lang": "en",
        "kind": "figure",
        "group": "g",
        "question": "How much?",
        "evidence": [{"source": "a.txt", "quote": "41 billion"}],
        "must": [["41"]],
        "must_not": [],
    }
    merged = fields | changes
    return {name: value for name, value in merged.items() if value is not None}


def write(path: Path, *names: str) -> Path:
    rows = [row(id=name, group=name, question=name, evidence=PROOF) for name in names]
    path.write_text("".join(json.dumps(item) + "\n" for item in rows), encoding="utf-8")
    return path


def lines(out: Path) -> list[dict[str, Any]]:
    text = (out / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]
