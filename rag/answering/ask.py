"""Story 2: question -> understand -> find -> write or quote, as a stream of events."""

import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from rag.answering.cite import cited
from rag.answering.context import Context, context_of, listing_of
from rag.answering.corpus_answer import about_corpus
from rag.answering.find import Findings, Where, find, stored_documents
from rag.answering.quote import abstention, evidence_of, extractive_answer
from rag.answering.reply import Checked, Reply
from rag.answering.write import Writing
from rag.languages.frames import frame
from rag.models.choice import choose, context_budget, model_label, words_answers
from rag.models.conversation import Conversation
from rag.parts import Parts
from rag.records import (
    Answer,
    AnswerEvent,
    CallEvent,
    Event,
    HitsEvent,
    Query,
    StageEvent,
    TextEvent,
)
from rag.retrieval.sentence_selection import MOST_QUOTES
from rag.settings import Settings
from rag.understanding.question import checked_k, to_query
from rag.understanding.small_talk import SmallTalk, small_talk
from rag.understanding.understand import Understood, understand

Replying = Generator[HitsEvent | StageEvent | TextEvent | CallEvent, None, Reply]


@dataclass(frozen=True, slots=True)
class Request:
    """What goes with a question, from its first stage to its last."""

    parts: Parts
    stop: threading.Event
    language: str | None
    k: int | None
    where: Where


class _Stopped(Exception):  # noqa: N818  (it was asked for, and is no fault)
    """Nobody waits for the answer any more."""


def stream(
    question: str,
    parts: Parts,
    stop: threading.Event,
    *,
    history: object = (),
    language: str | None = None,
    k: int | None = None,
    where: Where = None,
) -> Iterator[Event]:
    """Yield the hits, then text as it becomes certain, then the whole Answer.

    Closing the iterator stops the model, and so does setting `stop`; the iterator then
    ends without an Answer.
    """
    started = time.monotonic()
    request = Request(parts, stop, language, checked_k(k), where)
    query = to_query(question, history, language)
    try:
        reply = yield from _reply(query, request)
        _stop_if_asked(request)
    except _Stopped:
        return
    yield AnswerEvent(_answer(reply, parts.settings, time.monotonic() - started))


def _reply(query: Query, request: Request) -> Replying:
    """What the question gets: its stages in their order."""
    parts = request.parts
    talk = small_talk(query, parts.embedder)
    if talk is not None:
        return (yield from _small_talk_reply(talk, query, request))
    model = _writer(parts)
    understood = yield from understand(query, parts, model, request.stop, request.language)
    _stop_if_asked(request)
    if understood.query.kind == "corpus":
        reply = yield from _corpus_reply(understood.query, request)
    else:
        reply = yield from _article_reply(understood, request, model)
    return replace(reply, usage=model.usage) if model else reply


def _article_reply(
    understood: Understood, request: Request, model: Conversation | None
) -> Replying:
    """Find passages, then write with the model; quote without one, and where it failed before."""
    parts, query = request.parts, understood.query
    model = None if understood.fault else model
    reads_passages = model is not None and not _reads_sentences(query, parts.settings)
    budget = context_budget(parts.settings) if reads_passages else None
    found = find(query, parts, request.k, request.where, budget)
    _stop_if_asked(request)
    yield HitsEvent(found.hits, query.text)
    context = _context(found, parts) if model else Context()
    if model is not None and context.excerpts:
        return (yield from _write(found, context, model, request))
    return (yield from _say(extractive_answer(found, parts, understood.fault)))


def _write(found: Findings, context: Context, model: Conversation, request: Request) -> Replying:
    """What the model words and code checks; else quotes, first of what the model cited."""
    writing = Writing(found.query, context, model, request.stop)
    yield from writing.write(request.parts.settings.verify)
    if request.stop.is_set() or writing.checked.text:
        return Reply(found.query, writing.checked, "generated", found.hits, writing.fault)
    if writing.silent:
        return (yield from _say(abstention(found)))
    chosen = cited(writing.draft, context)[:MOST_QUOTES]
    reply = yield from _say(extractive_answer(found, request.parts, writing.fault, chosen))
    statements = (*reply.checked.statements, *writing.checked.statements)
    return replace(reply, checked=replace(reply.checked, statements=statements))


def _small_talk_reply(talk: SmallTalk, query: Query, request: Request) -> Replying:
    chosen = request.language or query.answer_lang != query.question_lang
    query = query if chosen else replace(query, answer_lang=talk.lang)
    yield HitsEvent((), query.text)
    said = Checked(frame(talk.kind, query.answer_lang))
    return (yield from _say(Reply(query, said, "small_talk")))


def _corpus_reply(query: Query, request: Request) -> Replying:
    yield HitsEvent((), query.text)
    documents = stored_documents(request.parts, request.where)
    said = Checked(about_corpus(query, documents, request.parts.embedder))
    return (yield from _say(Reply(query, said, "corpus")))


def _say(reply: Reply) -> Replying:
    """Show what code says, in the place of all that was shown."""
    yield TextEvent(reply.checked.text, replaces=True)
    return reply


def _writer(parts: Parts) -> Conversation | None:
    """The chat model, if it is to word answers."""
    if parts.chat_model is None or not words_answers(parts.settings):
        return None
    return Conversation(parts.chat_model, parts.settings, parts.replies)


def _context(found: Findings, parts: Parts) -> Context:
    """What the model reads; nothing where a small one would make an answer of anything."""
    if not _reads_sentences(found.query, parts.settings):
        return context_of(found.hits)
    evidence, budget = evidence_of(found, parts), context_budget(parts.settings)
    return listing_of(evidence, budget, parts.embedder.count_tokens) if evidence else Context()


def _reads_sentences(query: Query, settings: Settings) -> bool:
    """Whether the model is the embedded one, which for a fact reads likely sentences alone."""
    return choose(settings).kind == "embedded" and query.kind == "fact"


def _stop_if_asked(request: Request) -> None:
    if request.stop.is_set():
        raise _Stopped


def _answer(reply: Reply, settings: Settings, seconds: float) -> Answer:
    return Answer(
        text=reply.checked.text,
        citations=reply.checked.citations,
        abstained=reply.mode in ("abstained", "small_talk"),
        language=reply.query.answer_lang,
        hits=reply.hits,
        statements=reply.checked.statements,
        usage=reply.usage,
        seconds=seconds,
        mode=reply.mode,
        query=reply.query.text,
        model=model_label(settings),
        notice=reply.notice,
    )
