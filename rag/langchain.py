"""The corpus as LangChain parts: a retriever, and a runnable that answers."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.messages.content import Citation as CitationBlock
from langchain_core.messages.content import TextContentBlock, create_citation, create_text_block
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import ConfigDict

from rag.errors import InputError
from rag.records import Answer, Hit


@runtime_checkable
class Corpus(Protocol):
    """What is asked of `rag.engine.Rag` here."""

    def ask(self, question: str, *arguments: Any, **named: Any) -> Answer:
        """See `Rag.ask`."""

    async def aask(self, question: str, *arguments: Any, **named: Any) -> Answer:
        """See `Rag.aask`."""

    def search(self, question: str, k: int, where: Mapping[str, Any]) -> list[Hit]:
        """See `Rag.search`."""


class PassageRetriever(BaseRetriever):
    """Passages as documents; `where`, or in its place `filter` at the call, narrows them.

    Both take the filter of `Rag.search`, or one in Chroma's form such as
    {"lang": {"$in": ["he", "ar"]}}; InputError for a field that is not stored.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Corpus
    k: int = 8
    where: Mapping[str, Any] | None = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        filter: Mapping[str, Any] | None = None,
    ) -> list[Document]:
        where = own_filter(filter or self.where or {})
        hits = self.engine.search(query, self.k if k is None else k, where)
        return [
            Document(
                page_content=hit.text,
                id=f"{hit.source}:{hit.start}",
                metadata={
                    name: value
                    for name, value in hit.to_dict().items()
                    if name not in ("text", "sentences")
                },
            )
            for hit in hits
        ]


def own_filter(given: Mapping[str, Any]) -> dict[str, Any]:
    """A filter in our form, made of one in our form or in Chroma's; raises InputError.

    What has no form of ours ($or, $ne) is left for the store to refuse by its name.

    >>> own_filter({"$and": [{"lang": {"$in": ["he"]}}, {"date": {"$gte": "2024-07-01"}}]})
    {'lang': ['he'], 'date': {'gte': '2024-07-01'}}
    """
    where: dict[str, Any] = {}
    for field, value in _conditions(given):
        before = where.setdefault(field, value)
        if before is value:
            continue
        if not (isinstance(before, dict) and isinstance(value, dict)) or before.keys() & value:
            raise InputError(f"the filter {given!r} tells two things of {field}; give one")
        where[field] = before | value
    return where


def _conditions(given: Any) -> Iterator[tuple[str, Any]]:
    """Each field and its condition, those within $and too."""
    if not isinstance(given, Mapping):
        raise InputError(f"the filter {given!r} is not a dict such as {{'lang': 'he'}}")
    for field, value in given.items():
        if field == "$and" and isinstance(value, list | tuple):
            for each in value:
                yield from _conditions(each)
        else:
            yield field, _own_condition(value)


def _own_condition(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1 and value.keys() <= {"$in", "$eq"}:
        return next(iter(value.values()))
    return {str(name).removeprefix("$"): each for name, each in value.items()}


def ask_runnable(engine: Corpus) -> Runnable[str | dict[str, Any], AIMessage]:
    """A question, or a dict of `Rag.ask`'s arguments, to an AIMessage."""

    def invoke(asked: str | dict[str, Any]) -> AIMessage:
        return to_message(engine.ask(**_arguments(asked, engine)))

    async def ainvoke(asked: str | dict[str, Any]) -> AIMessage:
        return to_message(await engine.aask(**_arguments(asked, engine)))

    return RunnableLambda(invoke, ainvoke, name="rag")


def to_message(answer: Answer) -> AIMessage:
    """The answer with standard citations, and the whole record under `rag`.

    Each citation's indices span its mark in the text; `cited_text` is the quote, and
    `extras` say where in the article it stands.
    """
    block: TextContentBlock = create_text_block(answer.text, annotations=list(_marks(answer)))
    return AIMessage(
        content=[dict(block)],
        response_metadata={"rag": answer.to_dict(), "model_name": answer.model},
        usage_metadata={
            "input_tokens": answer.usage.prompt_tokens,
            "output_tokens": answer.usage.completion_tokens,
            "total_tokens": answer.usage.prompt_tokens + answer.usage.completion_tokens,
        },
    )


def _marks(answer: Answer) -> Iterator[CitationBlock]:
    """A citation for each mark, in the order of the text.

    Marks stand behind the statements; an article's own "[1]" within a quote is none.
    """
    cited = {citation.number: citation for citation in answer.citations}
    for statement in answer.statements:
        end = statement.end + 1
        for number in statement.marks:
            start, end = end, end + len(f"[{number}]")
            citation = cited[number]
            yield create_citation(
                title=citation.title or citation.source,
                start_index=start,
                end_index=end,
                cited_text=citation.quote,
                source=citation.source,
                start=citation.start,
                end=citation.end,
                status=citation.status,
            )


def _arguments(asked: str | dict[str, Any], engine: Corpus) -> dict[str, Any]:
    if isinstance(asked, str):
        return {"question": asked}
    known = inspect.signature(engine.ask).parameters
    if not isinstance(asked, Mapping) or "question" not in asked or asked.keys() - known:
        raise InputError(
            f"{asked!r} cannot be asked; give the question as a text, "
            f"or a dict of {', '.join(known)}"
        )
    return dict(asked)
