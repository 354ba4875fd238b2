"""A chat model as a judge: does the answer state the same as the evidence?

It reads only what the evaluation knows to be right, and its agreement with `facts_right`
says how far it can be trusted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import Template
from typing import TYPE_CHECKING, Any

from evals.cases import Case
from evals.matching import without_marks
from rag.errors import InputError, ModelError
from rag.records import Answer, Record
from rag.resources import evals_folder
from rag.settings import Settings

if TYPE_CHECKING:
    from evals.metrics import Score, Scores
    from rag.models.replies import Replies

PROMPT = "judge.md"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["same", "different"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Agreement(Record):
    """How often two ways to judge the same answers agree."""

    n: int
    agreement: float
    """Share of the answers on which both say the same."""
    kappa: float | None
    """Cohen's kappa; None where one of them says the same of all answers."""


class Judge:
    """Adds the judge's score to those of an answer that can be judged by evidence.

    A verdict that did not come, or cannot be read, is None; `unjudged` counts these.
    """

    def __init__(self, settings: Settings, replies: "Replies | None" = None) -> None:
        from rag.models.chat import chat_model

        model = chat_model(settings)
        if model is None:
            raise InputError(
                f"--judge needs a chat model and RAG_MODEL={settings.model!r} is none; "
                "set RAG_MODEL or RAG_BASE_URL in the environment"
            )
        self._model = model
        self._settings = settings
        self._replies = replies
        self.unjudged = 0
        self.fault = ""
        """Why the last one could not be judged."""

    def __call__(self, case: Case, answer: Answer | None, scores: "Scores") -> "Scores":
        """The scores with the verdict: 1.0 for the same, 0.0 for different."""
        if not case.answerable:
            return scores
        if answer is None or answer.abstained:
            return replace(scores, judge=0.0)
        return replace(scores, judge=self._verdict(case, answer))

    def _verdict(self, case: Case, answer: Answer) -> "Score":
        from langchain_core.messages import HumanMessage

        from rag.models.conversation import Conversation

        talk = Conversation(self._model, self._settings, self._replies)
        try:
            verdict = read_verdict(talk.ask([HumanMessage(prompt(case, answer))], SCHEMA))
            fault = "" if verdict is not None else f"{talk.reply[:80]!r} is no verdict"
        except ModelError as error:
            verdict, fault = None, str(error)
        if verdict is None:
            self.unjudged, self.fault = self.unjudged + 1, fault
        return verdict


def prompt(case: Case, answer: Answer) -> str:
    """What the judge is asked about one answer."""
    quotes = [f"- {item.quotes[0].text}" for item in case.evidence]
    facts = [f"- {' or '.join(group)}" for group in case.must]
    lines = ["It is written:", *quotes, "A right answer holds, in any language:", *facts]
    if case.must_not:
        lines += ["A wrong one holds:", *(f"- {text}" for text in case.must_not)]
    template = Template((evals_folder() / PROMPT).read_text(encoding="utf-8"))
    return template.substitute(
        question=case.question, reference="\n".join(lines), answer=without_marks(answer.text)
    )


def read_verdict(reply: str) -> "Score":
    """1.0 for the same, 0.0 for different, None for anything else.

    >>> read_verdict('{"verdict": "same"}'), read_verdict('```{"verdict": "different"}```')
    (1.0, 0.0)
    >>> read_verdict("I think it is the same.") is None
    True
    """
    try:
        found = json.loads(reply[reply.find("{") : reply.rfind("}") + 1])
    except ValueError:
        return None
    verdict = found.get("verdict") if isinstance(found, dict) else None
    return {"same": 1.0, "different": 0.0}.get(verdict) if isinstance(verdict, str) else None


def agreement(pairs: "Sequence[tuple[Score, Score]]") -> Agreement | None:
    """Of the pairs in which both judged; None where there is none.

    >>> agreement([(1.0, 1.0), (0.0, 0.0), (1.0, 0.0), (0.0, 0.0), (None, 1.0)])
    Agreement(n=4, agreement=0.75, kappa=0.5)
    >>> agreement([(1.0, 1.0)]).kappa is None
    True
    """
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not both:
        return None
    n = len(both)
    share = sum(a == b for a, b in both) / n
    ones = [sum(one) / n for one in zip(*both, strict=True)]
    chance = ones[0] * ones[1] + (1 - ones[0]) * (1 - ones[1])
    return Agreement(n, share, None if chance == 1 else (share - chance) / (1 - chance))
