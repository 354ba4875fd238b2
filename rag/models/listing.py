"""A server's list of its models, and which of them write text."""

import re
from dataclasses import dataclass
from typing import Any

from rag.records import Record

_NO_WRITER = re.compile(
    r"embed|rerank|minilm|mpnet|whisper|text-to-|speech|transcri|diffusion|dall-?e|moderation"
    r"|parakeet|kokoro|colbert|splade|paraphrase|arctic-e|ada-002|image|realtime|audio"
    r"|(?<![a-z])(bge|e5|gte|clip|siglip|tts|stt|asr|ocr|sdxl|flux|vae|lora|sora|guard)(?![a-z])",
    re.IGNORECASE,
)
"""In the names of models that embed, rank, listen, speak or draw; servers list them too."""
_NO_WRITER_TYPES = ("embed", "rerank", "image", "audio", "speech", "moderation", "transcri")


@dataclass(frozen=True, slots=True)
class ModelList(Record):
    """The models of one server."""

    place: str
    """The URL under which the list was found."""
    names: tuple[str, ...]
    writers: tuple[str, ...]
    """Those to be asked for text, the likeliest first."""


def read_list(found: object, place: str) -> ModelList | None:
    """The list in what a server sent; None where that is no list.

    >>> read_list({"data": [{"id": "bge-m3"}, {"id": "mini-chat"}]}, "").writers
    ('mini-chat',)
    """
    rows = _rows(found)
    if rows is None:
        return None
    named = [(name, row) for row in rows if (name := _name(row))]
    names = tuple(name for name, _ in named)
    return ModelList(place, names, tuple(n for n, row in named if _writes(n, row)) or names)


def _rows(found: object) -> list[Any] | None:
    if isinstance(found, list):
        return found
    if not isinstance(found, dict) or found.get("error"):
        return None
    rows = found.get("data", found.get("models"))
    if isinstance(rows, list):
        return rows
    # Some servers say of an empty list that it is null.
    return [] if rows is None and found.get("object") == "list" else None


def _name(row: object) -> str:
    if isinstance(row, dict):
        return str(row.get("id") or row.get("name") or row.get("model") or "")
    return row if isinstance(row, str) else ""


def _writes(name: str, row: object) -> bool:
    kind = str(row.get("type") or "").lower() if isinstance(row, dict) else ""
    return not _NO_WRITER.search(name) and not kind.startswith(_NO_WRITER_TYPES)
