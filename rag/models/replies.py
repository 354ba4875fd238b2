"""Replies of a chat model that are kept, so that no call need be made twice."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.models.choice import choose, model_label
from rag.models.weights import EMBEDDED
from rag.records import Record, Usage
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage


@dataclass(frozen=True, slots=True)
class Reply(Record):
    """A reply of the chat model that was kept."""

    text: str
    whole: bool
    """False where its reader stopped the model, having read enough."""
    usage: Usage
    seconds: float


class Replies(Protocol):
    """Where replies are kept."""

    def get(self, key: str) -> Reply | None:
        """The reply to a call, or None."""

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply; a whole one never gives way to one that was begun."""


_PARAMETERS = (
    "model_name",
    "temperature",
    "top_p",
    "seed",
    "max_tokens",
    "reasoning_effort",
    "extra_body",
)
"""What of a chat model may change its reply to the same words."""


def reply_key(
    model: "BaseChatModel",
    settings: Settings,
    messages: "list[BaseMessage]",
    schema: dict[str, Any] | None,
) -> str:
    """Names a call: the model and its weights, what it is asked, and how."""
    call = {
        "model": model_label(settings),
        "weights": _weights(settings),
        "parameters": {name: getattr(model, name, None) for name in _PARAMETERS},
        "messages": [(message.type, str(message.text)) for message in messages],
        "schema": schema,
    }
    text = json.dumps(call, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _weights(settings: Settings) -> str:
    """Tells two files of weights apart; "" for a model that runs elsewhere.

    A file of the hub is told by its name, which is in the model's label.
    """
    choice = choose(settings)
    if choice.kind == "embedded":
        return EMBEDDED.sha256
    if choice.kind != "gguf":
        return ""
    try:
        stat = Path(choice.name).expanduser().stat()
    except OSError:
        return ""  # the call itself will name the fault
    return f"{stat.st_size} {stat.st_mtime_ns}"
