"""What programs may call: the named endpoints of the page, for `gradio_client` and others."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from rag.engine import Rag
from rag.errors import InputError, RagError
from rag.page.chat.queue import EngineQueue

P = ParamSpec("P")
T = TypeVar("T")


def add_endpoints(engine: Rag, queue: EngineQueue) -> None:
    """Add /ask, /search, /article, /articles and /translate to the page in whose context it is."""
    calls = Endpoints(engine, queue)
    for call in (calls.ask, calls.search, calls.articles, calls.article, calls.translate):
        gr.events.api(_told(call), api_name=call.__name__, concurrency_limit=None)


class Endpoints:
    """Each takes and gives JSON; what cannot be done is an error of one line."""

    def __init__(self, engine: Rag, queue: EngineQueue) -> None:
        self._engine, self._queue = engine, queue

    async def ask(
        self,
        question: str,
        request: gr.Request,
        language: str = "",
        where: dict[str, Any] | None = None,
        history: list[Any] | None = None,
    ) -> dict[str, Any]:
        """Answer one question, in any language, from the articles.

        `language` is an ISO 639 code for the answer, the question's own when empty; `where` a
        filter such as {"lang": ["he"], "date": {"gte": "2024-07-01"}}; `history` earlier
        [question, answer] pairs, or messages with `role` and `content`. Gives the answer's text
        with marks such as [1], under `citations` the exact quote of each mark with its article and
        offsets (in code points), and `abstained`, which is true when no article tells.
        """
        answer = await self._queue.ask(
            question, history or [], language, where or {}, str(request.session_hash)
        )
        return answer.to_dict()

    async def search(
        self, question: str, k: int = 8, where: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Find the k passages nearest to a question, in whatever language, best first.

        Each has its article's `source`, `start` and `end` in code points, its `text`, and as
        `score` the probability that it answers.
        """
        async with self._queue.alone():
            hits = await asyncio.to_thread(self._engine.search, question, k, where)
        return [hit.to_dict() for hit in hits]

    async def articles(self) -> list[dict[str, Any]]:
        """List the articles: `source`, `title`, `lang`, `date`, `publisher` and `characters`."""
        documents = await asyncio.to_thread(self._engine.documents)
        return [
            {
                "source": each.source,
                "title": each.title,
                "lang": each.lang,
                "date": each.date,
                "publisher": each.publisher,
                "characters": len(each.text),
            }
            for each in documents.values()
        ]

    async def article(self, source: str) -> dict[str, Any]:
        """Give one article whole; the offsets of citations count code points of its `text`."""
        document = (await asyncio.to_thread(self._engine.documents)).get(source)
        if document is None:
            raise InputError(f"there is no article {source!r}; /articles lists them")
        return document.to_dict()

    async def translate(self, text: str, lang: str, to: str) -> dict[str, Any]:
        """Translate a quote by the chat model, from one ISO 639 code to another, checked.

        Where no translation passes, `text` is what code can say of the quote (figures, dates,
        countries, names), `label` is empty and `status` says why.
        """
        return (await self._queue.translate(text, lang, to)).to_dict()


def _told(call: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The call with its errors as Gradio sends them."""

    @wraps(call)
    async def telling(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await call(*args, **kwargs)
        except RagError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return telling
