"""One corpus, open for questions: the object that `rag.open` returns."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from rag.errors import InputError, StoreError
from rag.ingestion.ingest import Progress, ingest, no_progress
from rag.parts import Parts
from rag.records import Answer, AnswerEvent, Document, Event, Hit, IngestReport, StageEvent
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable

    from rag.answering.translate import Translation
    from rag.ingestion.uploads import Added

History = Sequence[Any]
"""Earlier turns, as `read_history` of `rag.understanding` takes them: (question, answer) pairs,
role dicts or LangChain messages."""
Where = Mapping[str, Any]
_LONGEST_END = 5.0
"""Seconds that an answer under way may take to notice that it is stopped."""


class Rag:
    """Ask, search and ingest one corpus. Several can be open in one process.

    Safe to use from several threads. Nothing is opened or loaded before the first
    call; a store that is still empty is filled from `settings.corpus` then.
    """

    def __init__(self, settings: Settings, progress: Progress = no_progress) -> None:
        self.settings = settings
        self.parts = Parts(settings)
        self._progress = progress
        self._filling = threading.Lock()
        self._threads: WeakSet[threading.Thread] = WeakSet()

    def ask(
        self,
        question: str,
        history: History = (),
        language: str | None = None,
        k: int | None = None,
        where: Where | None = None,
    ) -> Answer:
        """The checked answer, or one that says that the articles do not tell.

        `history` is earlier turns: (question, answer) pairs, role dicts as OpenAI's, or
        LangChain messages; `language` an ISO 639 code, the question's own when None; `k` how
        many passages are read; `where` a filter such as {"lang": "he", "date": {"gte":
        "2024-07-01"}}. Raises InputError for what cannot be asked, StoreError for what does not
        work; where the chat model fails, `Answer.notice` says why and quotes take its place.
        """
        *_, last = self.stream(question, history, language, k, where)
        assert isinstance(last, AnswerEvent)
        return last.answer

    async def aask(
        self,
        question: str,
        history: History = (),
        language: str | None = None,
        k: int | None = None,
        where: Where | None = None,
    ) -> Answer:
        """`ask` without blocking the event loop; cancelling it stops the model."""
        async for event in self.astream(question, history, language, k, where):
            last = event
        assert isinstance(last, AnswerEvent)
        return last.answer

    def stream(
        self,
        question: str,
        history: History = (),
        language: str | None = None,
        k: int | None = None,
        where: Where | None = None,
    ) -> Generator[Event, None, None]:
        """Hits, text and calls as they come, the answer last; closing it stops the model."""
        return self._events(threading.Event(), question, history, language, k, where)

    async def astream(
        self,
        question: str,
        history: History = (),
        language: str | None = None,
        k: int | None = None,
        where: Where | None = None,
    ) -> AsyncGenerator[Event, None]:
        """`stream` for an event loop; closing or cancelling it stops the model."""
        loop, stop = asyncio.get_running_loop(), threading.Event()
        queue: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()

        def work() -> None:
            end: BaseException | None = None
            try:
                for event in self._events(stop, question, history, language, k, where):
                    loop.call_soon_threadsafe(queue.put_nowait, event)
            except BaseException as error:
                end = error
            if not stop.is_set():
                loop.call_soon_threadsafe(queue.put_nowait, end)

        thread = threading.Thread(target=work, name="rag-astream", daemon=True)
        self._threads.add(thread)
        thread.start()
        try:
            while (event := await queue.get()) is not None:
                if isinstance(event, BaseException):
                    raise event
                yield event
        finally:
            stop.set()

    def _events(
        self,
        stop: threading.Event,
        question: str,
        history: History,
        language: str | None,
        k: int | None,
        where: Where | None,
    ) -> Generator[Event, None, None]:
        from rag.answering.ask import stream

        self._fill()
        yield from stream(
            question, self.parts, stop, history=history, language=language, k=k, where=where
        )

    def search(
        self,
        question: str,
        k: int = 8,
        where: Where | None = None,
        signals: Sequence[str] | None = None,
    ) -> list[Hit]:
        """The k passages nearest to the question, in whatever language, best first.

        `signals`, of `SIGNALS` in `rag.retrieval.calibration`, are those that count; None is all.
        """
        from rag.retrieval.calibration import checked_signals
        from rag.retrieval.retrieve import retrieve
        from rag.understanding.question import checked_k, to_query

        self._fill()
        query, names = to_query(question), checked_signals(signals)
        return retrieve(query, self.parts, checked_k(k), where, names)

    def translate(
        self, text: str, lang: str, to: str, stop: threading.Event | None = None
    ) -> "Translation":
        """A quote's translation by the chat model, checked against the quote.

        `lang` and `to` are ISO 639 codes. Where none passes, its text is what code can say of
        the quote, and its status says why. Setting `stop` ends the model. Raises InputError.
        """
        from rag.answering.translate import translate

        return translate(text, lang, to, self.parts, stop or threading.Event())

    def ingest(
        self,
        path: str | Path | None = None,
        *,
        rebuild: bool = False,
        fresh: bool = False,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Make the store hold what a folder or file holds now.

        Without a path that is the corpus of the settings, or, where they name none, the
        folder that the store was made from.
        `rebuild` writes it anew even when nothing changed, `fresh` also forgets what
        came from other folders. Files that cannot be read are named in the report.
        `progress` is told of each step; None tells those that opened this corpus.
        """
        return ingest(
            path or self._corpus(),
            self.parts,
            rebuild=rebuild,
            fresh=fresh,
            progress=progress or self._progress,
        )

    def uploaded(self) -> set[str]:
        """The sources of the stored articles that `add_files` added."""
        from rag.ingestion.uploads import uploaded

        return uploaded(self.parts)

    def add_files(
        self, files: Sequence[tuple[str, Path]], progress: Progress | None = None
    ) -> "Added":
        """Keep files, each a name given by its owner and the path of its bytes, and ingest them.

        See `rag.ingestion.uploads.add_files`.
        """
        from rag.ingestion.uploads import add_files

        with suppress(InputError):  # what is added may be the first article
            self._fill()
        return add_files(files, self.parts, progress or self._progress)

    def remove_file(self, source: str, progress: Progress | None = None) -> tuple[str, ...]:
        """Take the file of an article that was added away; the sources that went with it.

        See `rag.ingestion.uploads.remove_file`.
        """
        from rag.ingestion.uploads import remove_file

        return remove_file(source, self.parts, progress or self._progress)

    def warm_up(self, stop: threading.Event | None = None) -> None:
        """Open and load now what a question needs, so that the first one need not wait.

        The chat model is not asked. Setting `stop` ends it early. Raises StoreError and
        ModelError for what does not work.
        """
        document = next(iter(self.documents().values()), None)
        if document is None:
            return
        first = (document.title or document.text)[:100]
        stop = stop or threading.Event()
        with (
            suppress(InputError),
            closing(self._events(stop, first, (), None, None, None)) as events,
        ):
            # A model would be asked after the second, or after a stage.
            for event in islice(events, 2):
                if isinstance(event, StageEvent):
                    break

    def documents(self) -> dict[str, Document]:
        """Every stored article by its source, with its text unchanged."""
        self._fill()
        return {name: each.document for name, each in self.parts.store.documents().items()}

    def as_retriever(self, k: int = 8, where: Where | None = None) -> "BaseRetriever":
        """A LangChain retriever over this corpus; passages with their offsets as metadata."""
        from rag.langchain import PassageRetriever

        return PassageRetriever(engine=self, k=k, where=where)

    def as_runnable(self) -> "Runnable[str | dict[str, Any], AIMessage]":
        """A LangChain runnable: a question, or a dict of `ask`'s arguments, to a message.

        The message's text block carries langchain-core `Citation` annotations.
        """
        from rag.langchain import ask_runnable

        return ask_runnable(self)

    def close(self) -> None:
        """Let go of files, once nothing reads them; the next call opens them again."""
        for thread in list(self._threads):
            thread.join(_LONGEST_END)
        self.parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _corpus(self) -> Path:
        from rag.ingestion.uploads import uploads_folder

        if "corpus" in self.settings.model_fields_set:
            return self.settings.corpus
        try:
            manifest = self.parts.store.manifest()
        except StoreError:  # a broken store does not tell, and is to be mended
            manifest = None
        added = str(uploads_folder(self.settings))
        roots = [root for root in manifest.roots if root != added] if manifest else []
        return Path(roots[0]) if len(roots) == 1 else self.settings.corpus

    def _fill(self) -> None:
        with self._filling:
            if self.parts.store.manifest() is None:
                self.ingest()
