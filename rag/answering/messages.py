"""What the chat model is asked, message by message, from `prompts/*.md`."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from rag.answering.context import Context
from rag.answering.draft import OWN_MARKS
from rag.languages.cldr import language_name
from rag.prompts import fill, turns
from rag.records import Query, Statement

_TURNS = 2
"""Earlier turns that the model sees, to understand what a follow-up is about."""


def answer_messages(query: Query, context: Context) -> list[BaseMessage]:
    """The question with what is read for it; what never changes comes first, to be cached."""
    task = query.kind if query.kind in ("overview", "digest") else ""
    size = "small_" if context.listed else ""
    return [
        SystemMessage(fill(f"{size}reader")),
        *_examples(f"{size}examples"),
        HumanMessage(
            fill(
                "question",
                articles=context.text(query.answer_lang),
                earlier=_earlier(query),
                question=_line(query.question) + _meant(query),
                task=f"\n{fill(task)}\n" if task else "",
                language=language_name(query.answer_lang),
            )
        ),
    ]


def retry_message(refused: Sequence[Statement], query: Query) -> BaseMessage:
    """Asks for the claims anew that were refused, and for nothing else."""
    problems = "\n".join(f"- “{each.text}”: {each.reason}" for each in refused)
    return HumanMessage(fill("retry", problems=problems, language=language_name(query.answer_lang)))


def form_message(query: Query) -> BaseMessage:
    """Asks once more for a reply of the form that was asked for."""
    return HumanMessage(fill("form", language=language_name(query.answer_lang)))


def _examples(name: str) -> list[BaseMessage]:
    return [
        message
        for question, reply in turns(name)
        for message in (HumanMessage(question), AIMessage(reply))
    ]


def _earlier(query: Query) -> str:
    """The last turns, each text on one line and without marks, which are none of this prompt."""
    turns = query.history[-_TURNS:]
    return "".join(
        f"\nEarlier question: {_line(q)}\nEarlier answer: {_line(a)}\n" for q, a in turns
    )


def _meant(query: Query) -> str:
    """The follow-up made whole, as it was searched."""
    return "" if query.text == query.question else f"\nAsked as a whole: {_line(query.text)}"


def _line(text: str) -> str:
    return " ".join(OWN_MARKS.sub("", text).split())
