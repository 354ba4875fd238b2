"""Ask articles in any language; every sentence of an answer rests on a quote.

The files tell the story:

    cli.py, page/        the command line and the chat page
    engine.py            one corpus, open for questions: what `rag.open` returns
    ingestion.py         story 1: read.py -> split.py -> embed.py -> store.py
    sentences.py         where sentences end, in many languages
    encoder.py           what runs the embedding model: unigram.py, e5_file.py, e5_graph.py
    generations.py       where a store is kept: exact.py, chroma.py
    asking.py            story 2: question.py -> small_talk.py -> understanding.py -> retrieve.py
                         -> rerank.py; then with a model context.py -> writing.py -> cite.py,
                         without one evidence.py -> cite.py
    question.py          what is asked: history.py, answer_language.py
    understanding.py     what is meant: exemplars.py, follow_up.py; overview.py, corpus_answer.py
    context.py           what the model reads; messages.py, what it is asked
    writing.py           its draft, checked and mended: draft.py, verification.py
    audit.py             whether every particular of a sentence follows from its quotes
    claim_language.py    whether a claim is in another language than the one asked for
    gloss.py             what a quote names, said in the asker's language
    disagreement.py      whether two articles say different things of one thing
    abstention.py        what is told where the articles do not say
    feedback.py          what readers thought of answers
    translate.py         a quote in the asker's language, by the chat model and checked
    uploads.py           articles that people add while it runs; staging.py checks their files
    late_interaction.py  question and passage compared token by token
    particulars.py       whether a passage names the figures and countries that are asked for
    reader.py            question and passage read together: does it answer, and where
    relevance.py         one probability from all that is known of a passage
    filters.py           what a search is limited to
    language.py          which language a text is in
    prompts.py           load and fill prompts/*.md
    figures.py           what a figure is worth, in any script; number_words.py, fractions.py
    dates.py, units.py   months, weekdays and dates; what a figure counts
    reckoning.py         dates that follow from the article's date
    names.py             names across scripts, by transliteration.py
    known_names.py       names known by heart; common_words.py, words that are none
    opposites.py         mother for father, north for south
    folding.py           digits and forms of letters made alike, with a map back
    territories.py       which countries a text names
    choice.py, models.py the chat model that is asked for, and made; llama.py, hub.py, weights.py
    conversation.py      calls to it; thoughts.py, what it thinks and does not reply
    chat_server.py       servers of chat models: chat_stream.py, model_list.py, server_options.py
    embedding_server.py  servers of embedding models
    model_errors.py      every failure of a model as one line
    tokens.py            how many tokens a text takes
    vectors.py, lock.py  the cache of vectors; one writer at a time
    records.py           what flows between the stages
    settings.py          what a person may choose; resources.py, where the files lie
    parts.py             the parts that a corpus is worked with
    errors.py            every error that users meet
    langchain.py         the retriever and the runnable for LangChain
    doctor.py            checks all of it and names the mend
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import RagError
from rag.records import (
    Answer,
    AnswerEvent,
    CallEvent,
    Citation,
    Document,
    Event,
    Hit,
    HitsEvent,
    IngestReport,
    StageEvent,
    Statement,
    TextEvent,
    Usage,
)

# What libraries would tell their makers. Each is read when its library is imported, so the
# names stand before all of them; and whatever was set before, this program reports nothing.
os.environ.update(
    ORT_DISABLE_TELEMETRY="1",  # onnxruntime: a device id, and a database of events
    ANONYMIZED_TELEMETRY="False",  # Chroma
    GRADIO_ANALYTICS_ENABLED="False",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_UPDATE_CHECK="1",
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from langchain_core.messages import AIMessage
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable

    from rag.engine import History, Rag, Where
    from rag.settings import Settings

__all__ = [
    "Answer",
    "AnswerEvent",
    "CallEvent",
    "Citation",
    "Document",
    "Event",
    "Hit",
    "HitsEvent",
    "IngestReport",
    "RagError",
    "StageEvent",
    "Statement",
    "TextEvent",
    "Usage",
    "aask",
    "as_retriever",
    "as_runnable",
    "ask",
    "astream",
    "documents",
    "ingest",
    "open",
    "search",
    "stream",
]


def open(store: str | Path | None = None, settings: Settings | None = None) -> Rag:
    """A corpus of its own, with the methods of this module; several can be open at once.

    `store` is the store's folder; `settings` the rest, read from the environment when
    None. A store that is still empty is filled from the corpus at the first question.
    """
    from rag.engine import Rag
    from rag.settings import Settings

    settings = settings or Settings.read()
    if store is not None:
        settings = settings.model_copy(update={"store": Path(store).expanduser().resolve()})
    return Rag(settings)


@cache
def _default() -> Rag:
    return open()


def ask(
    question: str,
    history: History = (),
    language: str | None = None,
    k: int | None = None,
    where: Where | None = None,
) -> Answer:
    """The checked answer from the default corpus; see `rag.engine.Rag.ask`."""
    return _default().ask(question, history, language, k, where)


async def aask(
    question: str,
    history: History = (),
    language: str | None = None,
    k: int | None = None,
    where: Where | None = None,
) -> Answer:
    """`ask` without blocking the event loop; cancelling it stops the model."""
    return await _default().aask(question, history, language, k, where)


def stream(
    question: str,
    history: History = (),
    language: str | None = None,
    k: int | None = None,
    where: Where | None = None,
) -> Iterator[Event]:
    """Hits, text and calls as they come, the answer last; closing it stops the model."""
    return _default().stream(question, history, language, k, where)


def astream(
    question: str,
    history: History = (),
    language: str | None = None,
    k: int | None = None,
    where: Where | None = None,
) -> AsyncGenerator[Event, None]:
    """`stream` for an event loop."""
    return _default().astream(question, history, language, k, where)


def search(question: str, k: int = 8, where: Where | None = None) -> list[Hit]:
    """The k passages nearest to the question, best first, in whatever language."""
    return _default().search(question, k, where)


def ingest(
    path: str | Path | None = None, *, rebuild: bool = False, fresh: bool = False
) -> IngestReport:
    """Make the default store hold what a folder or file holds now; see `Rag.ingest`."""
    return _default().ingest(path, rebuild=rebuild, fresh=fresh)


def documents() -> dict[str, Document]:
    """Every stored article by its source, with its text unchanged."""
    return _default().documents()


def as_retriever(k: int = 8, where: Where | None = None) -> BaseRetriever:
    """A LangChain retriever over the default corpus."""
    return _default().as_retriever(k, where)


def as_runnable() -> Runnable[str | dict[str, Any], AIMessage]:
    """A LangChain runnable from a question to a message with citations."""
    return _default().as_runnable()
