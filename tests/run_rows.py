"""Runs as `rag eval run` writes them, of questions that a test words itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.cases import Case, Distractor, Evidence, Quote
from evals.measure import Result
from evals.metrics import Scores, cited, score
from evals.run_folder import RunFolder
from rag.models.errors import NO_FORM
from rag.records import Answer, Citation, Hit

ARTICLE = "Der Hafen zählte 340 Boote. Die Schule hat 640 Schüler."
QUOTE = ARTICLE[:27]
PROOF = Quote("hafen.txt", 0, 27, QUOTE)
ABOUT: dict[str, Any] = {
    "format": 1,
    "system": "rag",
    "started": "2031-02-03T04:05:06+00:00",
    "model": "tiny",
    "settings": {"model": "gguf:tiny", "max_tokens": 200},
    "prompts": {"reader.md": "ab" * 32},
    "corpus": {"sha256": "cd" * 32, "documents": 1},
    "questions": {"file": "q.jsonl", "sha256": "ef" * 32, "planned": 9, "set": "articles"},
    "packages": {"numpy": "9.9"},
    "commit": "0123456789abcdef-dirty",
    "finished": "2031-02-03T04:09:06+00:00",
}


def case(name: str = "boats", **changes: Any) -> Case:
    """A question whose answer is 340."""
    fields: dict[str, Any] = {
        "id": name,
        "lang": "en",
        "kind": "figure",
        "group": name,
        "question": f"How many boats are there in {name}?",
        "history": (),
        "evidence": (Evidence((PROOF,)),),
        "must": (("340",),),
        "must_not": ("640",),
        "distractor": None,
    }
    return Case(**fields | changes)


def unanswerable(name: str = "ducks", **changes: Any) -> Case:
    """A question that the article does not answer."""
    trap = Distractor((PROOF,), "other_entity")
    return case(name, kind="unanswerable", evidence=(), must=(), distractor=trap, **changes)


def answer(text: str = "There are 340 boats. [1]", **changes: Any) -> Answer:
    """An answer with the right quote; none where it abstains."""
    citation = Citation(1, "hafen.txt", 0, 27, QUOTE, title="Hafen", lang="de")
    fields: dict[str, Any] = {
        "text": text,
        "citations": () if changes.get("abstained") else (citation,),
        "abstained": False,
        "language": "en",
        "hits": (Hit("hafen.txt", 0, len(ARTICLE), ARTICLE, score=0.83, lang="de"),),
        "mode": "abstained" if changes.get("abstained") else "generated",
        "model": "tiny",
    }
    return Answer(**fields | changes)


def result(asked: Case, said: Answer | None = None, **changes: Any) -> Result:
    """The question with its answer, scored as a run scores it."""
    said = said or answer()
    row = said.to_dict()
    fields: dict[str, Any] = {
        "case": asked,
        "hits": tuple(row.pop("hits")),
        "answer": row,
        "calls": (call("{}", said.mode == "quoted"),),
        "error": "",
        "scores": score(asked, said, {"hafen.txt": ARTICLE}, lambda text: "en"),
        "cited": cited(asked, said.citations),
        "seconds": 1.5,
    }
    return Result(**fields | changes)


def call(reply: str, refused: bool = False, prompt: str = "Boats?") -> dict[str, Any]:
    """One call of the chat model, refused for a reply that is no JSON."""
    told = NO_FORM if refused else ""
    return {"prompt": [["human", prompt]], "reply": reply, "refused": told, "cached": False}


def failed(asked: Case, message: str = "the model does not answer; start it") -> Result:
    """The question with an error in the place of an answer."""
    return result(asked, answer=None, error=message, scores=Scores(), cited=(), calls=(), hits=())


def write_run(folder: Path, results: Sequence[Result], **about: Any) -> Path:
    """The run folder with these results."""
    run = RunFolder(folder, ABOUT | about)
    for each in results:
        run.write(each)
    run.close()
    return folder
