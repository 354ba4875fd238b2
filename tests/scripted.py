"""A chat model with behaviour: it replies what a test wrote, word by word."""

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field


class ScriptedChat(BaseChatModel):
    """Gives its replies in turn; remembers what it was asked and how far it came."""

    replies: list[str]
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    sent: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: list[BaseMessage], *_: Any, **options: Any) -> ChatResult:
        return generate_from_stream(self._stream(messages))

    def _stream(
        self, messages: list[BaseMessage], *_: Any, **options: Any
    ) -> Iterator[ChatGenerationChunk]:
        self.asked.append(messages)
        for word in self.replies[len(self.asked) - 1].split(" "):
            self.sent.append(word)
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"{word} "))
