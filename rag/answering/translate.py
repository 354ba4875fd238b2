"""Translate: one quote -> the asker's language, shown only where code finds no fault in it.

Where no translation may be shown, code says what it can of the quote (`rag.answering.gloss`).
"""

import threading
from dataclasses import dataclass, field, replace
from typing import Literal

from rag.answering.gloss import gloss
from rag.answering.translation_drafts import Attempt, attempt, on_one_line, source_language
from rag.answering.translation_faults import Quote
from rag.errors import InputError, RagError
from rag.languages.cldr import language_name
from rag.languages.detect import detect
from rag.languages.frames import frame, listed
from rag.languages.locales import FALLBACK, framed_languages
from rag.models.choice import choose, model_label
from rag.models.conversation import Conversation
from rag.parts import Parts
from rag.records import Record, Usage
from rag.settings import Settings

MAX_QUOTE = 1_000
"""Characters; more would not fit the tokens that a reply may have (`RAG_MAX_TOKENS`)."""
EMBEDDED_PAIRS: frozenset[tuple[str, str]] = frozenset()
"""From which language into which the embedded model's translations are shown: of those that
pass the checks most say something false (docs/decisions/translations.md)."""
MOST_KEPT = 256

Outcome = Literal["checked", "same", "none", "weak", "long", "refused", "failed", "stopped"]
"""What came of it: a translation; or none, since the quote is in that language, there is no
model, the model is not trusted with these languages, the quote is too long, its drafts have
faults, the model failed, or it was stopped."""


@dataclass(frozen=True, slots=True)
class Translation(Record):
    """What is shown of a quote in the asker's language."""

    text: str
    """The translation, if it is "checked"; else what code can say, "" for nothing."""
    lang: str
    """Language of the text."""
    label: str
    """That a machine translated, in the asker's language; "" for what code says."""
    model: str
    """The model that was asked; "" when none was."""
    status: str
    """"checked", or why there is no translation, in one line."""
    outcome: Outcome
    usage: Usage = field(default_factory=Usage)
    """What this call took: nothing when the translation was kept from an earlier one."""


Key = tuple[Quote, str, str]
"""A quote, the model's label and the embedder's name."""


class Kept:
    """The translations used last, MOST_KEPT at most; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[Key, Translation] = {}

    def get(self, key: Key) -> Translation | None:
        """What was kept; now that it was used it is let go of last."""
        with self._lock:
            found = self._found.pop(key, None)
            if found:
                self._found[key] = found
            return found

    def put(self, key: Key, made: Translation) -> None:
        """Keep one more, and let go of the one that was not used for longest."""
        with self._lock:
            self._found[key] = made
            if len(self._found) > MOST_KEPT:
                del self._found[next(iter(self._found))]

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._found.clear()


kept = Kept()


def translate(text: str, lang: str, to: str, parts: Parts, stop: threading.Event) -> Translation:
    """A checked translation of a quote, or what code can say of it and why there is none.

    `lang` and `to` are ISO 639-1 codes, `lang` "" when unknown. Setting `stop` ends it
    within a second. Raises InputError for a text without words or a language that is none,
    SettingsError for a model's name that says nothing; a model that fails is told of in
    `status`.
    """
    quote, label = _checked_quote(text, lang, to), model_label(parts.settings)
    refusal = _refused_beforehand(quote, parts.settings)
    if refusal:
        return _untranslated(quote, *refusal)
    key = (quote, label, parts.settings.embeddings)
    found = kept.get(key)
    if found:
        return replace(found, usage=Usage())
    made = _translated(quote, label, parts, stop)
    if made.outcome in ("checked", "refused"):
        kept.put(key, made)
    return made


def _translated(quote: Quote, label: str, parts: Parts, stop: threading.Event) -> Translation:
    """What the model makes of the quote."""
    model = None
    try:
        assert parts.chat_model is not None
        model = Conversation(parts.chat_model, parts.settings, parts.replies)
        attempts = attempt(quote, model, parts.embedder, stop)
    except RagError as error:
        usage = model.usage if model else Usage()
        return _untranslated(quote, "failed", str(error), label, usage)
    if stop.is_set():
        return _untranslated(quote, "stopped", "stopped", label, model.usage)
    return _checked(quote, attempts[-1], label, model.usage)


def _checked_quote(text: str, lang: str, to: str) -> Quote:
    if not isinstance(text, str) or not any(map(str.isalnum, text)):
        raise InputError(f"the quote {str(text)[:40]!r} holds no words; give a text")
    if language_name(to) == to:
        raise InputError(f"to={to!r} is not a known language; give a code such as en, kk or zh")
    return Quote(on_one_line(text), lang or detect(text).lang, to)


def _refused_beforehand(quote: Quote, settings: Settings) -> tuple[Outcome, str] | None:
    """Why the model is not asked, where that is so."""
    if quote.lang == quote.to:
        return "same", f"the quote is in {language_name(quote.to)} already"
    kind = choose(settings).kind
    if kind == "none":
        return "none", "no model"
    if kind == "embedded" and (quote.lang, quote.to) not in EMBEDDED_PAIRS:
        pair = f"from {source_language(quote)} into {language_name(quote.to)}"
        return "weak", f"the embedded model is not good enough {pair}; set RAG_MODEL to another"
    if len(quote.text) > MAX_QUOTE:
        size = f"{len(quote.text):,} characters"
        return "long", f"the quote has {size}, {MAX_QUOTE:,} is the most that is translated"
    return None


def _checked(quote: Quote, last: Attempt, model: str, usage: Usage) -> Translation:
    if last.fault:
        status = f"the model's translation could not be checked: {last.fault.reason}"
        return _untranslated(quote, "refused", status, model, usage)
    label = frame("translation", quote.to)
    return Translation(last.draft, quote.to, label, model, "checked", "checked", usage)


def _untranslated(
    quote: Quote, outcome: Outcome, status: str, model: str = "", usage: Usage | None = None
) -> Translation:
    """What code can say of the quote, but for one that the asker can read."""
    lang = quote.to if quote.to in framed_languages() else FALLBACK
    names = gloss(quote.text, quote.lang, lang) if outcome != "same" else ()
    said = frame("names", lang, names=listed(names, lang)) if names else ""
    return Translation(said, lang, "", model, status, outcome, usage or Usage())
