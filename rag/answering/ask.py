"""Story 2: question -> understand -> retrieve -> write -> cite, as a stream of events."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

from rag.answering.abstention import explain
from rag.answering.cite import Checked, cited, quote
from rag.answering.context import MOST_HITS, Context, context_of, fitting, listing_of
from rag.answering.contradiction import differ
from rag.answering.corpus_answer import about_corpus
from rag.answering.overview import central_sentences, chosen_articles, passages_of
from rag.answering.write import Writing
from rag.errors import ModelError
from rag.parts import Parts
from rag.prompts import small_talk_reply, sources_differ_lead
from rag.records import (
    Answer,
    AnswerEvent,
    CallEvent,
    Document,
    Event,
    Hit,
    HitsEvent,
    Mode,
    Query,
    Record,
    StageEvent,
    TextEvent,
    Usage,
)
from rag.retrieval.retrieve import retrieve
from rag.retrieval.sentence_selection import QUOTED, Evidence, choose_evidence, to_quote
from rag.store.filters import meets, parse_filter
from rag.understanding.question import checked_k, understand
from rag.understanding.small_talk import SmallTalk, small_talk
from rag.understanding.understand import by_code, by_model, wants_model

if TYPE_CHECKING:
    from rag.models.chat import Conversation

T = TypeVar("T")
Where = Mapping[str, Any] | None


Steps = HitsEvent | StageEvent | TextEvent | CallEvent


@dataclass(frozen=True, slots=True)
class _Asked:
    """What goes with a question, from its first stage to its last."""

    parts: Parts
    stop: threading.Event
    language: str | None
    k: int | None
    where: Where


@dataclass(frozen=True, slots=True)
class _Found(Record):
    """A question, or a part of one, and what was found for it, best first."""

    query: Query
    hits: Sequence[Hit]


@dataclass(frozen=True, slots=True)
class _Written(Record):
    """What an answer says, and why the model did not word it if it was to."""

    checked: Checked
    mode: Mode
    notice: str = ""


@dataclass(frozen=True, slots=True)
class _Done(Record):
    """What an answer is made of."""

    query: Query
    written: _Written
    hits: tuple[Hit, ...] = ()
    usage: Usage = field(default_factory=Usage)


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
    asked = _Asked(parts, stop, language, checked_k(k), where)
    done = yield from _done(understand(question, history, language), asked)
    if done is not None and not stop.is_set():
        yield AnswerEvent(_answer(done, parts, time.monotonic() - started))


def _done(query: Query, asked: _Asked) -> Generator[Steps, None, _Done | None]:
    """Small talk, or what is told of the corpus, or of its articles; None when stopped."""
    said = small_talk(query, asked.parts.embedder)
    if said is not None:
        return (yield from _small_talk(said, query, asked))
    model = _writer(asked.parts)
    query, fault = yield from _understood(query, asked, model)
    if asked.stop.is_set():
        return None
    if query.kind == "corpus":
        yield HitsEvent((), query.text)
        text = about_corpus(query, _documents(asked.parts, asked.where), asked.parts.embedder)
        return _Done(query, (yield from _tell(text, "corpus")), usage=_usage(model))
    written = yield from _from_articles(query, asked, None if fault else model, fault)
    return replace(written, usage=_usage(model)) if written else None


def _small_talk(
    said: SmallTalk, query: Query, asked: _Asked
) -> Generator[HitsEvent | TextEvent, None, _Done]:
    chosen = asked.language or query.answer_lang != query.question_lang
    told = query if chosen else replace(query, answer_lang=said.lang)
    yield HitsEvent((), told.text)
    text = small_talk_reply(said.kind, told.answer_lang)
    return _Done(told, (yield from _tell(text, "small_talk")))


def _from_articles(
    query: Query, asked: _Asked, model: "Conversation | None", fault: str
) -> Generator[Steps, None, _Done | None]:
    """Find, then write with the model or quote without one; None when stopped."""
    parts = asked.parts
    whole = model is not None and not _is_small(query, parts)
    found = _find(query, asked, asked.k or (MOST_HITS if whole else None))
    hits = _in_turn([each.hits for each in found])
    if whole:
        hits = fitting(hits, _budget(parts), parts.embedder.count_tokens)
    hits = hits[: asked.k or MOST_HITS]
    if asked.stop.is_set():
        return None
    yield HitsEvent(tuple(hits), query.text)
    context = _context(query, found, hits, parts) if model else Context()
    if model is not None and context.excerpts:
        written = yield from _write(query, found, hits, asked, model, context)
    else:
        written = yield from _quote(query, found, hits, parts, fault)
    return _Done(query, written, tuple(hits))


def _writer(parts: Parts) -> "Conversation | None":
    """The chat model, if it is to word answers."""
    from rag.models.chat import Conversation, words_answers

    if parts.chat_model is None or not words_answers(parts.settings):
        return None
    return Conversation(parts.chat_model, parts.settings, parts.replies)


def _understood(
    query: Query, asked: _Asked, model: "Conversation | None"
) -> Generator[StageEvent | CallEvent, None, tuple[Query, str]]:
    """What is meant and searched, by a served model where it helps; and why that failed, or ""."""
    from rag.models.chat import choose

    parts = asked.parts
    query = by_code(query, parts)
    served = choose(parts.settings).kind not in ("embedded", "gguf", "hf")
    if model is None or not served or asked.stop.is_set() or not wants_model(query, parts):
        return query, ""
    yield StageEvent("understanding", 0)
    titles = [_title_line(each) for each in _documents(parts).values()]
    is_set = bool(asked.language)
    try:
        query = yield from by_model(query, model, titles, asked.stop, language_is_set=is_set)
    except ModelError as error:
        return query, str(error)
    return query, ""


def _title_line(document: Document) -> str:
    return ", ".join(
        filter(None, (document.title or document.source, document.lang, document.date))
    )


def _find(query: Query, asked: _Asked, k: int | None) -> list[_Found]:
    """The passages for the question, or for each part of it; for an overview whole articles."""
    parts, where = asked.parts, asked.where
    if query.kind in ("overview", "digest"):
        hits = retrieve(query, parts, MOST_HITS, where)
        sources = chosen_articles(query, hits, _documents(parts, where), query.kind)
        passages = passages_of(sources, parts, where)
        by_article = [[hit for hit in passages if hit.source == source] for source in sources]
        return [_Found(query, _in_turn(by_article))]
    parts_of = [replace(query, text=text, lead="") for text in query.searches] or [query]
    return [_Found(each, retrieve(each, parts, k, where)) for each in parts_of]


def _in_turn(ranked: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The first of each list, then the second of each, and so on; each passage once."""
    found = (hit for row in zip_longest(*ranked) for hit in row if hit is not None)
    return list({(hit.source, hit.start): hit for hit in reversed(list(found))}.values())[::-1]


def _context(query: Query, found: Sequence[_Found], hits: Sequence[Hit], parts: Parts) -> Context:
    """What the model reads; nothing where a small one would make an answer of anything."""
    if not _is_small(query, parts):
        return context_of(hits)
    evidence = _evidence(found, parts)
    count_tokens = parts.embedder.count_tokens
    return listing_of(evidence, _budget(parts), count_tokens) if evidence else Context()


def _is_small(query: Query, parts: Parts) -> bool:
    """Whether the model is the embedded one, which for a fact reads likely sentences alone."""
    from rag.models.chat import choose

    return choose(parts.settings).kind == "embedded" and query.kind == "fact"


def _write(
    query: Query,
    found: Sequence[_Found],
    hits: Sequence[Hit],
    asked: _Asked,
    model: "Conversation",
    context: Context,
) -> Generator[StageEvent | TextEvent | CallEvent, None, _Written]:
    """What the model words and code checks; else quotes, first of what the model cited."""
    writing = Writing(query, context, model, asked.stop)
    yield from writing.write(asked.parts.settings.verify)
    if asked.stop.is_set() or writing.checked.text:
        return _Written(writing.checked, "generated", writing.fault)
    if writing.silent:
        return (yield from _abstain(query, hits))
    chosen = cited(writing.draft, context)[:QUOTED]
    written = yield from _quote(query, found, hits, asked.parts, writing.fault, chosen)
    refused = writing.checked.statements
    checked = written.checked
    return replace(written, checked=replace(checked, statements=(*checked.statements, *refused)))


def _quote(
    query: Query,
    found: Sequence[_Found],
    hits: Sequence[Hit],
    parts: Parts,
    notice: str,
    chosen: Sequence[Evidence] = (),
) -> Generator[TextEvent, None, _Written]:
    """The sentences that most likely answer, or that were chosen; else that none does."""
    evidence = list(chosen) or _to_quote(query, found, parts)
    if not evidence:
        return replace((yield from _abstain(query, hits)), notice=notice)
    by_article = query.kind in ("overview", "digest")
    differs = not by_article and differ(evidence, parts.embedder)
    lead = sources_differ_lead(query.answer_lang) if differs else ""
    checked = quote(evidence, query, lead, by_article or differs)
    yield TextEvent(checked.text, replaces=True)
    return _Written(checked, "quoted", notice)


def _to_quote(query: Query, found: Sequence[_Found], parts: Parts) -> list[Evidence]:
    if query.kind in ("overview", "digest"):
        return central_sentences(list(dict.fromkeys(h.source for h in found[0].hits)), parts)
    return _evidence(found, parts, to_quote)


def _evidence(
    found: Sequence[_Found],
    parts: Parts,
    chosen: Callable[[Sequence[Evidence]], Sequence[Evidence]] = list,
) -> list[Evidence]:
    """The sentences that may answer each part of the question, each once."""
    each = [chosen(choose_evidence(one.query, one.hits, parts)) for one in found]
    once = {(e.hit.source, e.sentence.start): e for evidence in each for e in evidence}
    return [replace(e, number=number) for number, e in enumerate(once.values(), 1)]


def _abstain(query: Query, hits: Sequence[Hit]) -> Generator[TextEvent, None, _Written]:
    return (yield from _tell(explain(query, hits), "abstained"))


def _tell(text: str, mode: Mode) -> Generator[TextEvent, None, _Written]:
    """What the program itself says."""
    yield TextEvent(text, replaces=True)
    return _Written(Checked(text), mode)


def _documents(parts: Parts, where: Where = None) -> dict[str, Document]:
    """The stored articles that meet the filter, by their source."""
    conditions, stored = parse_filter(where), parts.store.documents()
    return {n: each.document for n, each in stored.items() if meets(each.document, conditions)}


def _budget(parts: Parts) -> int:
    from rag.models.chat import context_budget

    return context_budget(parts.settings)


def _usage(model: "Conversation | None") -> Usage:
    return model.usage if model else Usage()


def _answer(done: _Done, parts: Parts, seconds: float) -> Answer:
    from rag.models.chat import model_label

    query, written = done.query, done.written
    return Answer(
        text=written.checked.text,
        citations=written.checked.citations,
        abstained=written.mode in ("abstained", "small_talk"),
        language=query.answer_lang,
        hits=done.hits,
        statements=written.checked.statements,
        usage=done.usage,
        seconds=seconds,
        mode=written.mode,
        query=query.text,
        model=model_label(parts.settings),
        notice=written.notice,
    )
