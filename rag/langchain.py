"""The corpus as LangChain parts: a retriever, and a runnable that answers."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage
from langchain_core.messages.content import Citation as CitationBlock
from langchain_core.messages.content import TextContentBlock, create_citation, create_text_block
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import ConfigDict

from rag.engine import Rag
from rag.errors import InputError
from rag.records import Answer


class PassageRetriever(BaseRetriever):
    """Passages as documents; `filter` or `where` at call or construction narrows them."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Rag
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
        hits = self.engine.search(query, k or self.k, filter or self.where)
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


def answering(engine: Rag) -> Runnable[str | dict[str, Any], AIMessage]:
    """A question, or a dict of `Rag.ask`'s arguments, to an AIMessage."""

    def invoke(asked: str | dict[str, Any]) -> AIMessage:
        return to_message(engine.ask(**_arguments(asked)))

    async def ainvoke(asked: str | dict[str, Any]) -> AIMessage:
        return to_message(await engine.aask(**_arguments(asked)))

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
    """A citation for each mark, in the order of the text."""
    cited = {citation.number: citation for citation in answer.citations}
    for mark in re.finditer(r"\[([0-9]+)\]", answer.text):
        if citation := cited.get(int(mark[1])):
            yield create_citation(
                title=citation.title or citation.source,
                start_index=mark.start(),
                end_index=mark.end(),
                cited_text=citation.quote,
                source=citation.source,
                start=citation.start,
                end=citation.end,
                status=citation.status,
            )


_ARGUMENTS = tuple(list(inspect.signature(Rag.ask).parameters)[1:])


def _arguments(asked: str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(asked, str):
        return {"question": asked}
    if not isinstance(asked, Mapping) or "question" not in asked or asked.keys() - {*_ARGUMENTS}:
        raise InputError(
            f"{asked!r} cannot be asked; give the question as a text, "
            f"or a dict of {', '.join(_ARGUMENTS)}"
        )
    return dict(asked)
