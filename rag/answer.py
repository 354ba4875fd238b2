"""Write: a question and numbered sentences -> a draft, claim by claim.

The model replies under a schema with the numbers of the sentences first and the
words after them; what the words may claim is for `cite.py` to check.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.utils.json import parse_partial_json

from rag.evidence import Evidence
from rag.figures import figures, written
from rag.prompts import fill, turns
from rag.records import Query, Record

MAX_CLAIMS = 4
_TURNS = 2
"""Earlier turns that the model sees, to understand what a follow-up is about."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "claims": {
            "type": "array",
            "maxItems": MAX_CLAIMS,
            "items": {
                "type": "object",
                "properties": {
                    "ids": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_CLAIMS,
                        "items": {"type": "integer"},
                    },
                    "text": {"type": "string"},
                },
                "required": ["ids", "text"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["claims"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Claim(Record):
    """A sentence that the model wrote and the numbers it wrote it from."""

    ids: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Draft(Record):
    """What the model has replied so far; no claims mean that it found no answer."""

    claims: tuple[Claim, ...]


def reader_messages(query: Query, evidence: Sequence[Evidence]) -> list[BaseMessage]:
    """What the model is asked; the part that never changes comes first, to be cached."""
    language = language_name(query.answer_lang)
    return [
        SystemMessage(fill("reader")),
        *_examples(),
        HumanMessage(
            fill(
                "question",
                sentences="\n".join(_numbered(each, query.answer_lang) for each in evidence),
                earlier=_earlier(query),
                question=query.question,
                language=language,
            )
        ),
    ]


def retry_message(problem: str, query: Query) -> BaseMessage:
    """Asks for the draft again, naming what was wrong with it."""
    language = language_name(query.answer_lang)
    return HumanMessage(fill("retry", problem=problem, language=language))


def read_draft(reply: str) -> Draft | None:
    """The claims in a reply, whole or cut short; None when it is not of the form asked for.

    >>> read_draft('{"claims": [{"ids": [2], "text": "It rai')
    Draft(claims=(Claim(ids=(2,), text='It rai'),))
    >>> read_draft("I cannot say.") is None
    True
    """
    start = reply.find("{")
    if start < 0:
        return None
    try:
        found = parse_partial_json(reply[start : reply.rfind("```") if "```" in reply else None])
    except ValueError:
        return None
    claims = found.get("claims") if isinstance(found, dict) else None
    if not isinstance(claims, list):
        return None
    return Draft(tuple(_claim(each) for each in claims[:MAX_CLAIMS] if _is_claim(each)))


@cache
def language_name(code: str) -> str:
    """The English name of a language: "kk" -> "Kazakh"; the code itself when unknown."""
    from babel import Locale

    name: str = Locale("en").languages.get(code, code)
    return name


def _is_claim(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("ids"), list)
        and isinstance(found.get("text"), str)
    )


def _claim(found: dict[str, Any]) -> Claim:
    ids = (number for number in found["ids"] if type(number) is int)
    return Claim(tuple(dict.fromkeys(ids)), found["text"])


def _examples() -> list[BaseMessage]:
    return [
        message
        for question, reply in turns("examples")
        for message in (HumanMessage(question), AIMessage(reply))
    ]


def _numbered(evidence: Evidence, lang: str) -> str:
    """The sentence on one line, with its figures as the asker's language writes them.

    Small models take a magnitude of one language for another; code does not.
    """
    text = " ".join(evidence.sentence.text.split())
    shown = [written(figure, lang) for figure in figures(text, evidence.hit.lang)]
    told = "; ".join(dict.fromkeys(filter(None, shown)))
    return f"[{evidence.number}] {text}" + (f" (figures: {told})" if told else "")


def _earlier(query: Query) -> str:
    turns = query.history[-_TURNS:]
    return "".join(f"\nEarlier question: {q}\nEarlier answer: {a}\n" for q, a in turns)
