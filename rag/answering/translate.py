"""Translate: one quote -> the asker's language, shown only where code finds no fault in it.

The chat model translates; each particular must then stand on both sides (`rag.checking.audit`), the
language and length must be right, and each sentence must be near to one of the other side.
Where no translation may be shown, code says what it can of the quote (`rag.answering.gloss`).
"""

import json
import re
import threading
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from rag.answering.gloss import gloss
from rag.checking.audit import audit
from rag.errors import InputError, RagError
from rag.languages.detect import detect, language_name
from rag.languages.sentences import split_sentences
from rag.models.errors import NO_FORM
from rag.prompts import FALLBACK, fill, framed_languages, names_frame, translation_label
from rag.records import Record, Usage

if TYPE_CHECKING:
    from rag.embedding.embedder import Embedder
    from rag.embedding.encoder import Vectors
    from rag.models.chat import Conversation
    from rag.parts import Parts
    from rag.settings import Settings

MAX_QUOTE = 1_000
"""Characters; more would not fit the tokens that a reply may have (`RAG_MAX_TOKENS`)."""
EMBEDDED_PAIRS: frozenset[tuple[str, str]] = frozenset()
"""From which language into which the embedded model's translations are shown: of those that
pass the checks most say something false (docs/decisions/translations.md)."""
LENGTHS = 0.6, 2.0
"""A translation's tokens for each of the quote's; 99 in 100 by people lie between."""
MEANING_FLOOR, SENTENCE_FLOOR = 0.4, 0.3
"""Centred cosine of a translation with the quote, and of each sentence of several with the
nearest of the other side; 19 in 20 by people reach the first, fewer from Hebrew."""
MOST_KEPT = 256
_ATTEMPTS = 2
_ENDLESS = 4
"""Characters of a reply for each of the quote's; more is a model that repeats itself."""
_FOREIGN_LETTERS = 0.1
"""Share of letters in a third script; a few are a word that the quote is about."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"translation": {"type": "string"}},
    "required": ["translation"],
    "additionalProperties": False,
}

Outcome = Literal["checked", "same", "none", "weak", "long", "refused", "failed", "stopped"]
"""What came of it: a translation; or none, since the quote is in that language, there is no
model, the model is not trusted with these languages, the quote is too long, its drafts have
faults, the model failed, or it was stopped."""
Kind = Literal[
    "form", "language", "script", "length", "address", "particular", "left out", "meaning"
]


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


@dataclass(frozen=True, slots=True)
class Quote(Record):
    """What is translated: a text on one line, its language ("" when unknown), into which."""

    text: str
    lang: str
    to: str


@dataclass(frozen=True, slots=True)
class Fault(Record):
    """Why a draft is not shown, in words that a model can act on."""

    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class Attempt(Record):
    """One draft of the model, and its fault; "" where the reply holds none."""

    draft: str
    fault: Fault | None


def translate(text: str, lang: str, to: str, parts: "Parts", stop: threading.Event) -> Translation:
    """A checked translation of a quote, or what code can say of it and why there is none.

    `lang` and `to` are ISO 639-1 codes, `lang` "" when unknown. Setting `stop` ends it
    within a second. Raises InputError for a text without words or a language that is none,
    SettingsError for a model's name that says nothing; a model that fails is told of in
    `status`.
    """
    from rag.models.chat import Conversation, model_label

    quote = _checked_quote(text, lang, to)
    label = model_label(parts.settings)
    refusal = _refused_beforehand(quote, parts.settings)
    if refusal:
        return _untranslated(quote, *refusal)
    key = (quote, label, parts.settings.embeddings)
    found = kept.get(key)
    if found:
        return replace(found, usage=Usage())
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
    made = _translation(quote, attempts[-1], label, model.usage)
    kept.put(key, made)
    return made


def attempt(
    quote: Quote, model: "Conversation", embedder: "Embedder", stop: threading.Event
) -> tuple[Attempt, ...]:
    """The model's drafts, the last without a fault if one is; fewer once `stop` is set.

    A draft with a fault is tried once more with the complaint. Raises ModelError.
    """
    attempts: list[Attempt] = []
    messages: list[BaseMessage] = [HumanMessage(_prompt(quote))]
    while len(attempts) < _ATTEMPTS:
        with closing(model.stream(messages, SCHEMA, stop)) as replies:
            endless = any(len(reply) > _ENDLESS * len(quote.text) + 200 for reply in replies)
        if stop.is_set():
            break
        draft = read_translation(model.reply)
        fault = _too_long() if endless else find_fault(draft, quote, embedder)
        attempts.append(Attempt(draft, fault))
        if fault is None:
            break
        messages = [*messages, AIMessage(model.reply), _retry(fault, quote)]
    return tuple(attempts)


def read_translation(reply: str) -> str:
    """The translation in a reply, on one line; "" when it is not of the form asked for.

    >>> read_translation('{"translation": "A new  bridge"}')
    'A new bridge'
    """
    try:
        found = json.loads(reply[reply.find("{") : reply.rfind("}") + 1], strict=False)
    except ValueError:
        return ""
    text = found.get("translation") if isinstance(found, dict) else None
    return _CONTROLS.sub("", _on_one_line(text)) if isinstance(text, str) else ""


def find_fault(draft: str, quote: Quote, embedder: "Embedder") -> Fault | None:
    """The first reason not to show a draft as a translation of the quote, if there is one."""
    if not any(map(str.isalnum, draft)):
        return Fault("form", NO_FORM)
    return next(_faults(draft, quote, embedder), None)


def _on_one_line(text: str) -> str:
    """The text as it is compared: the embedder takes letters apart from their marks for others."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


# --- before the model


def _checked_quote(text: str, lang: str, to: str) -> Quote:
    if not isinstance(text, str) or not any(map(str.isalnum, text)):
        raise InputError(f"the quote {str(text)[:40]!r} holds no words; give a text")
    if language_name(to) == to:
        raise InputError(f"to={to!r} is not a known language; give a code such as en, kk or zh")
    return Quote(_on_one_line(text), lang or detect(text).lang, to)


def _refused_beforehand(quote: Quote, settings: "Settings") -> tuple[Outcome, str] | None:
    """Why the model is not asked, where that is so."""
    from rag.models.chat import choose

    if quote.lang == quote.to:
        return "same", f"the quote is in {language_name(quote.to)} already"
    kind = choose(settings).kind
    if kind == "none":
        return "none", "no model"
    if kind == "embedded" and (quote.lang, quote.to) not in EMBEDDED_PAIRS:
        pair = f"from {_source(quote)} into {language_name(quote.to)}"
        return "weak", f"the embedded model is not good enough {pair}; set RAG_MODEL to another"
    if len(quote.text) > MAX_QUOTE:
        size = f"{len(quote.text):,} characters"
        return "long", f"the quote has {size}, {MAX_QUOTE:,} is the most that is translated"
    return None


def _prompt(quote: Quote) -> str:
    """What the model is asked; the quote cannot end what delimits it."""
    text = _TAG.sub("‹", quote.text)
    # The gloss is in English where the language has no frames: no help to translate.
    names = gloss(quote.text, quote.lang, quote.to) if quote.to in framed_languages() else ()
    return fill(
        "translate",
        source=_source(quote),
        language=language_name(quote.to),
        quote=text,
        known=_TAG.sub("‹", "; ".join(names)) or "nothing",
    )


def _retry(fault: Fault, quote: Quote) -> BaseMessage:
    language = language_name(quote.to)
    return HumanMessage(fill("retranslate", problem=fault.reason, language=language))


def _source(quote: Quote) -> str:
    return language_name(quote.lang) or "its language"


_TAG = re.compile(r"<(?=\s*/?\s*quote)", re.IGNORECASE)


# --- what is shown


def _translation(quote: Quote, last: Attempt, model: str, usage: Usage) -> Translation:
    if last.fault:
        status = f"the model's translation could not be checked: {last.fault.reason}"
        return _untranslated(quote, "refused", status, model, usage)
    label = translation_label(quote.to)
    return Translation(last.draft, quote.to, label, model, "checked", "checked", usage)


def _untranslated(
    quote: Quote, outcome: Outcome, status: str, model: str = "", usage: Usage | None = None
) -> Translation:
    """What code can say of the quote, but for one that the asker can read."""
    lang = quote.to if quote.to in framed_languages() else FALLBACK
    names = gloss(quote.text, quote.lang, lang) if outcome != "same" else ()
    said = names_frame(names, lang) if names else ""
    return Translation(said, lang, "", model, status, outcome, usage or Usage())


class Kept:
    """The translations made last, MOST_KEPT at most; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[Quote, str, str], Translation] = OrderedDict()

    def get(self, key: tuple[Quote, str, str]) -> Translation | None:
        """What was kept for a quote, the model's label and the embedder's name."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: tuple[Quote, str, str], made: Translation) -> None:
        """Keep one more, and let go of the one that was not used for longest."""
        with self._lock:
            self._found[key] = made
            if len(self._found) > MOST_KEPT:
                self._found.popitem(last=False)

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._found.clear()


kept = Kept()


# --- the checks, cheap ones first


def _faults(draft: str, quote: Quote, embedder: "Embedder") -> Iterator[Fault]:
    language = language_name(quote.to)
    if detect(draft).lang not in ("", quote.to):
        yield Fault("language", f"it is not in {language}")
    if _foreign_letters(draft) > _FOREIGN_LETTERS:
        yield Fault("script", f"it mixes other scripts into {language}")
    for address in _ADDRESS.findall(draft):
        if address not in quote.text:
            yield Fault("address", f"it adds the address {address}")
    low, high = LENGTHS
    length = embedder.count_tokens(_bare(draft)) / embedder.count_tokens(_bare(quote.text))
    if not low <= length <= high:
        yield Fault("length", "it is too short") if length < low else _too_long()
    for added in audit(draft, quote.to, [(quote.text, quote.lang)]):
        yield Fault("particular", f"the quote does not say {added.text}")
    for lost in audit(quote.text, quote.lang, [(draft, quote.to)]):
        yield Fault("left out", f"it does not say {lost.text}, as the quote does")
    if not _means_the_same(draft, quote, embedder):
        yield Fault("meaning", "it does not say what the quote says")


def _too_long() -> Fault:
    return Fault("length", "it is too long")


def _means_the_same(draft: str, quote: Quote, embedder: "Embedder") -> bool:
    """Whether the whole is near enough, and each sentence to some of the other side.

    True with a model without language means, whose cosines tell nothing across languages.
    """
    from rag.embedding.embedder import E5_NAME

    if embedder.name != E5_NAME:
        return True
    drafted = _vectors(draft, quote.to, embedder)
    quoted = _vectors(quote.text, quote.lang, embedder)
    cosines = drafted @ quoted.T
    if cosines[0, 0] < MEANING_FLOOR:
        return False
    nearest = [*cosines.max(axis=1), *cosines.max(axis=0)]
    return bool(min(nearest) >= SENTENCE_FLOOR)


def _vectors(text: str, lang: str, embedder: "Embedder") -> "Vectors":
    """Centred unit vectors of the whole and, of several, of each sentence; (n, dimension)."""
    import numpy as np

    spans = split_sentences(text, lang)
    texts = [text, *(text[start:end] for start, end in spans if len(spans) > 1)]
    texts = list(map(_bare, texts))
    raw = np.array(embedder.embeddings.embed_documents(texts), dtype=np.float32)
    return embedder.means.centre(raw, [lang] * len(texts), "sentence")


def _bare(text: str) -> str:
    """The text without vowel points, which the embedder has hardly ever read."""
    return _POINTS.sub("", text)


def _foreign_letters(text: str) -> float:
    """The share of letters that are neither Latin nor of the script that most are of."""
    scripts = Counter(map(_script, filter(str.isalpha, text)))
    latin = scripts.pop("LATIN", 0)
    if not scripts:
        return 0.0
    most = 0 if latin > sum(scripts.values()) else max(scripts.values())
    return (sum(scripts.values()) - most) / (latin + sum(scripts.values()))


def _script(letter: str) -> str:
    """The script by its letter's Unicode name; those that Japanese mixes are one."""
    name = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA") else name


_ADDRESS = re.compile(r"\w+://[^\s<>\"'”»]+|www\.[^\s<>\"'”»]+|[\w.+-]+@[\w-]+\.\w+")
_POINTS = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What is no text, and marks of direction that would turn the text around them."""
