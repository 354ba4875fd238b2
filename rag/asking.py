"""Story 2: question -> resolve -> retrieve -> write -> cite, as a stream of events."""

import re
import threading
import time
import unicodedata
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage

from rag.abstention import explain
from rag.answer import SCHEMA, Draft, language_name, read_draft, reader_messages, retry_message
from rag.cite import Checked, Judge, Refused, check_words, cite, quote, settled_text
from rag.disagreement import differ
from rag.errors import InputError
from rag.evidence import Evidence, choose_evidence, to_quote, to_read
from rag.follow_up import resolve
from rag.language import detect
from rag.parts import Parts
from rag.prompts import FALLBACK, small_talk_reply
from rag.records import (
    Answer,
    AnswerEvent,
    CallEvent,
    Event,
    Hit,
    HitsEvent,
    Mode,
    Query,
    StageEvent,
    TextEvent,
    Usage,
)
from rag.retrieve import retrieve
from rag.small_talk import SmallTalk, small_talk

MAX_QUESTION = 2_000
"""Characters; the embedder reads 512 tokens, and a question is not a document."""
MAX_K = 100
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class _Written:
    """What came of asking the model, and what that took."""

    checked: Checked
    mode: Mode
    usage: Usage


def stream(
    question: str,
    parts: Parts,
    stop: threading.Event,
    *,
    history: Sequence[tuple[str, str]] = (),
    language: str | None = None,
    k: int | None = None,
    where: Mapping[str, Any] | None = None,
) -> Iterator[Event]:
    """Yield the hits, then text as it becomes certain, then the whole Answer.

    Closing the iterator stops the model, and so does setting `stop`; the iterator then
    ends without an Answer.
    """
    started = time.monotonic()
    k, query = checked_k(k), understand(question, history, language)
    said = small_talk(query, parts.embedder)
    if said is not None:
        query = replace(query, answer_lang=query.answer_lang if language else said.lang)
        yield HitsEvent((), query.text)
        written = yield from _reply(said, query)
        yield AnswerEvent(_answer(written, query, (), parts, time.monotonic() - started))
        return
    query = resolve(query, parts.embedder)
    hits = retrieve(query, parts, k, where)
    yield HitsEvent(tuple(hits), query.text)
    evidence = choose_evidence(query, hits, parts)
    result = yield from _write(query, hits, evidence, parts, stop)
    if result is not None:
        yield AnswerEvent(_answer(result, query, hits, parts, time.monotonic() - started))


def understand(
    question: str, history: Sequence[tuple[str, str]] = (), language: str | None = None
) -> Query:
    """The question, checked, with its language and history; raises InputError.

    The answer's language is the question's. A question too short to tell (a name, a
    figure) takes that of the conversation before it, and English where there is none.
    """
    question = _checked_question(question)
    turns = _checked_history(history)
    said = [question, *(asked for asked, _ in reversed(turns))]
    lang = next((found for found in map(_lang, said) if found), FALLBACK)
    return Query(
        question=question,
        text=question,
        question_lang=lang,
        answer_lang=_checked_language(language) if language else lang,
        history=turns,
    )


def _lang(text: str) -> str:
    return detect(text).lang


def _write(
    query: Query,
    hits: Sequence[Hit],
    evidence: Sequence[Evidence],
    parts: Parts,
    stop: threading.Event,
) -> Generator[StageEvent | TextEvent | CallEvent, None, _Written | None]:
    """Draft and check, once more with the complaint if need be, else quote.

    None when it was stopped.
    """
    if not evidence:
        return (yield from _abstain(query, hits, Usage()))
    from rag.models import Conversation, words_answers

    if parts.chat_model is None or not words_answers(parts.settings):
        return (yield from _quote(evidence, query, parts, Usage()))
    model = Conversation(parts.chat_model, parts.settings, parts.replies)
    shown = to_read(evidence, parts)
    judge = partial(check_words, query=query, detect=_lang, agrees=parts.embedder.agrees)
    messages = reader_messages(query, shown)
    for attempt in range(_ATTEMPTS):
        yield StageEvent("rewriting" if attempt else "reading", len(shown))
        replies = model.stream(messages, SCHEMA, stop)
        outcome = yield from _draft(replies, query, shown, judge, attempt)
        if stop.is_set():
            return None
        refused = str(outcome) if isinstance(outcome, Refused) else ""
        prompt = tuple((m.type, str(m.text)) for m in messages)
        yield CallEvent(prompt, model.reply, refused, model.cached)
        if isinstance(outcome, Checked):
            if outcome.text:
                return _Written(outcome, "generated", model.usage)
            if attempt == 0:
                return (yield from _abstain(query, hits, model.usage))
            break  # it found an answer before and cannot word it
        messages = [*messages, AIMessage(model.reply), retry_message(str(outcome), query)]
    return (yield from _quote(evidence, query, parts, model.usage))


def _draft(
    replies: Generator[str, None, None],
    query: Query,
    evidence: Sequence[Evidence],
    judge: Judge,
    attempt: int,
) -> Generator[StageEvent | TextEvent, None, Checked | Refused]:
    """One reply of the model, shown as far as it is settled.

    The first is stopped once a claim is refused; of the last the other claims are kept.
    """
    shown, reply, last = "", "", attempt == _ATTEMPTS - 1
    replaces = attempt > 0
    try:
        with closing(replies):  # however this ends, the model stops
            for reply in replies:
                text = settled_text(read_draft(reply) or Draft(()), evidence, query, last)
                if text != shown:
                    begins = text.startswith(shown)
                    yield TextEvent(
                        text[len(shown) :] if begins and not replaces else text,
                        replaces or not begins,
                    )
                    shown, replaces = text, False
        yield StageEvent("checking", len(evidence))
        draft = read_draft(reply)
        if draft is None:
            raise Refused("it is not the JSON that was asked for")
        checked = cite(draft, evidence, query, judge, partly=last)
        if checked.statements and not checked.text:
            raise Refused(checked.statements[0].status)
    except Refused as refusal:
        return refusal
    if checked.text and checked.text != shown:
        yield TextEvent(checked.text, replaces=True)
    return checked


def _quote(
    evidence: Sequence[Evidence], query: Query, parts: Parts, usage: Usage
) -> Generator[TextEvent, None, _Written]:
    chosen = to_quote(evidence)
    checked = quote(chosen, query, differ(chosen, parts.embedder))
    yield TextEvent(checked.text, replaces=True)
    return _Written(checked, "quoted", usage)


def _abstain(
    query: Query, hits: Sequence[Hit], usage: Usage
) -> Generator[TextEvent, None, _Written]:
    text = explain(query, hits)
    yield TextEvent(text, replaces=True)
    return _Written(Checked(text, ()), "abstained", usage)


def _reply(said: SmallTalk, query: Query) -> Generator[TextEvent, None, _Written]:
    text = small_talk_reply(said.kind, query.answer_lang)
    yield TextEvent(text, replaces=True)
    return _Written(Checked(text, ()), "small_talk", Usage())


def _answer(
    written: _Written, query: Query, hits: Sequence[Hit], parts: Parts, seconds: float
) -> Answer:
    from rag.models import model_label

    return Answer(
        text=written.checked.text,
        citations=written.checked.citations,
        abstained=written.mode in ("abstained", "small_talk"),
        language=query.answer_lang,
        hits=tuple(hits),
        statements=written.checked.statements,
        usage=written.usage,
        seconds=seconds,
        mode=written.mode,
        query=query.text,
        model=model_label(parts.settings),
    )


def _checked_question(question: str) -> str:
    if not isinstance(question, str):
        raise InputError(f"the question is a {type(question).__name__}, not text; ask in words")
    text = question.strip()
    if not text:
        raise InputError("the question is empty; ask something in words")
    if len(text) > MAX_QUESTION:
        raise InputError(
            f"the question has {len(text):,} characters, {MAX_QUESTION:,} is the most; shorten it"
        )
    for char in text:
        if unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") and char not in "\n\r\t":
            raise InputError(
                f"the question holds U+{ord(char):04X}, which is not text; ask in words"
            )
    if not any(char.isalnum() for char in text):
        raise InputError(f"the question {text[:40]!r} holds no words; ask in words")
    return text


def _checked_history(history: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((str(asked), str(answered)) for asked, answered in history)
    except (TypeError, ValueError):
        raise InputError(
            f"history={str(history)[:60]!r} is not a list of (question, answer) pairs"
        ) from None


def _checked_language(language: str) -> str:
    code = language.strip().lower().replace("_", "-").partition("-")[0]
    if not re.fullmatch(r"[a-z]{2,3}", code) or language_name(code) == code:
        raise InputError(f"language={language!r} is not known; give a code such as en, kk or zh")
    return code


def checked_k(k: int | None) -> int | None:
    if k is not None and not (isinstance(k, int) and 1 <= k <= MAX_K):
        raise InputError(f"k={k!r} is not a number of passages; give one from 1 to {MAX_K}")
    return k
