"""The chat model's drafts of a translation, the second with the complaint about the first."""

import re
import threading
import unicodedata
from contextlib import closing
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from rag.answering.gloss import gloss
from rag.answering.translation_faults import TOO_LONG, Fault, Quote, find_fault
from rag.embedding.embedder import Embedder
from rag.languages.cldr import language_name
from rag.languages.locales import framed_languages
from rag.models.conversation import Conversation
from rag.prompts import fill, object_schema, read_object
from rag.records import Record

SCHEMA = object_schema(translation={"type": "string"})
_ATTEMPTS = 2
_ENDLESS = 4
"""Characters of a reply for each of the quote's; more is a model that repeats itself."""
_TAG = re.compile(r"<(?=\s*/?\s*quote)", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What is no text, and marks of direction that would turn the text around them."""


@dataclass(frozen=True, slots=True)
class Attempt(Record):
    """One draft of the model, and its fault; "" where the reply holds none."""

    draft: str
    fault: Fault | None


def attempt(
    quote: Quote, model: Conversation, embedder: Embedder, stop: threading.Event
) -> tuple[Attempt, ...]:
    """The model's drafts, the last without a fault if one is; fewer once `stop` is set.

    Raises ModelError.
    """
    attempts: list[Attempt] = []
    messages: list[BaseMessage] = [HumanMessage(_prompt(quote))]
    while len(attempts) < _ATTEMPTS:
        with closing(model.stream(messages, SCHEMA, stop)) as replies:
            endless = any(len(reply) > _ENDLESS * len(quote.text) + 200 for reply in replies)
        if stop.is_set():
            break
        draft = read_translation(model.reply)
        fault = TOO_LONG if endless else find_fault(draft, quote, embedder)
        attempts.append(Attempt(draft, fault))
        if fault is None:
            break
        again = fill("retranslate", problem=fault.reason, language=language_name(quote.to))
        messages = [*messages, AIMessage(model.reply), HumanMessage(again)]
    return tuple(attempts)


def read_translation(reply: str) -> str:
    """The translation in a reply, on one line; "" when it is not of the form asked for.

    >>> read_translation('{"translation": "A new  bridge"}')
    'A new bridge'
    """
    text = read_object(reply).get("translation")
    return _CONTROLS.sub("", on_one_line(text)) if isinstance(text, str) else ""


def on_one_line(text: str) -> str:
    """The text as it is compared: the embedder takes letters apart from their marks for others."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def source_language(quote: Quote) -> str:
    """What the quote's language is called in English."""
    return language_name(quote.lang) or "its language"


def _prompt(quote: Quote) -> str:
    """What the model is asked; the quote cannot end what delimits it."""
    # The gloss is in English where the language has no frames: no help to translate.
    names = gloss(quote.text, quote.lang, quote.to) if quote.to in framed_languages() else ()
    return fill(
        "translate",
        source=source_language(quote),
        language=language_name(quote.to),
        quote=_TAG.sub("‹", quote.text),
        known=_TAG.sub("‹", "; ".join(names)) or "nothing",
    )
