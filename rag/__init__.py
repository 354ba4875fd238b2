"""Ask articles in any language; every sentence of an answer rests on a quote.

The rooms, each of which imports only those below it; its own docstring is its map:

    cli/, page/, doctor.py   the command line, the chat page, what checks an install
    engine.py, langchain.py  one corpus, open for questions: what `rag.open` returns
    answering/, ingestion/   the two stories below
    understanding/           what is asked
    retrieval/               which passages and sentences most likely answer
    checking/                whether what a sentence says follows from its quotes
    reading/                 a file becomes documents, passages and sentences
    parts.py                 the store and models that a corpus is worked with
    store/, embedding/       where passages are kept; texts as vectors, and the cross-encoder
    models/                  the chat model
    languages/, prompts.py   what is known of languages; the prompts of models
    records.py, errors.py    what flows between the rooms; settings.py, resources.py

A question, told by `answering/ask.py`:

    understanding/question.py -> small_talk.py -> understand.py
    -> answering/find.py (retrieval/retrieve.py -> rerank.py)
    -> with a chat model context.py -> write.py -> cite.py
    -> without one, or where nothing of it passes, quote.py, or abstention.py

A file, told by `ingestion/ingest.py`:

    reading/corpus.py -> reading/split.py -> embedding/embedder.py -> store/store.py
"""

import os
from functools import cache, wraps
from inspect import iscoroutinefunction, signature
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
    from rag.engine import Rag
    from rag.settings import Settings

    __version__: str

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
    "__version__",
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


def open(store: str | Path | None = None, settings: "Settings | None" = None) -> "Rag":
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


def __getattr__(name: str) -> Any:
    """`__version__`, and the methods of `Rag` as functions; nothing is imported before."""
    if name == "__version__":
        from importlib.metadata import version

        return version("quoted-rag")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rag.engine import Rag

    return globals().setdefault(name, _on_default_corpus(getattr(Rag, name)))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


@cache
def _default_corpus() -> "Rag":
    return open()


def _on_default_corpus(method: Any) -> Any:
    """A method of `Rag` as a function; the environment is read at the first call of any."""

    @wraps(method)
    def call(*args: Any, **named: Any) -> Any:
        return method(_default_corpus(), *args, **named)

    @wraps(method)
    async def acall(*args: Any, **named: Any) -> Any:
        return await method(_default_corpus(), *args, **named)

    function: Any = acall if iscoroutinefunction(method) else call
    whole = signature(method)
    function.__signature__ = whole.replace(parameters=list(whole.parameters.values())[1:])
    return function


if TYPE_CHECKING:
    _rag = _default_corpus()
    ask, aask, stream, astream = _rag.ask, _rag.aask, _rag.stream, _rag.astream
    search, ingest, documents = _rag.search, _rag.ingest, _rag.documents
    as_retriever, as_runnable = _rag.as_retriever, _rag.as_runnable
