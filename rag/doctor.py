"""Check everything that an answer depends on, and name the mend of what is wrong."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rag.errors import RagError, StoreError
from rag.parts import Parts
from rag.records import Record
from rag.settings import Settings, cache_folder

_ROOM = 2_000_000_000
"""Bytes free that a first start may need: the joined model and a store."""


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """One thing that was looked at; `mend` is the next step when it is not ok."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at each part; nothing is written, and a part that fails stops no other."""
    parts = Parts(settings)
    checks: dict[str, Callable[[Parts], Finding]] = {
        "corpus": _corpus,
        "embedding model": _embedding,
        "store": _store,
        "chat model": _chat_model,
        "token tables": _token_tables,
        "disk": _disk,
    }
    try:
        return [_guarded(name, check, parts) for name, check in checks.items()]
    finally:
        parts.close()


def _guarded(name: str, check: Callable[[Parts], Finding], parts: Parts) -> Finding:
    try:
        return check(parts)
    except RagError as error:
        # Our messages name the next step after a semicolon.
        detail, _, mend = str(error).rpartition("; ")
        return Finding(name, False, detail or str(error), mend)


def _corpus(parts: Parts) -> Finding:
    path = parts.settings.corpus
    if not path.exists():
        return Finding("corpus", False, f"{path} is not there", "set RAG_CORPUS to your articles")
    return Finding("corpus", True, str(path))


def _embedding(parts: Parts) -> Finding:
    vector = parts.embedder.question("test", "en")
    return Finding("embedding model", True, f"{parts.embedder.name}, {len(vector)} dimensions")


def _store(parts: Parts) -> Finding:
    where = parts.settings.chroma_url or str(parts.store.folder)
    if parts.store.manifest() is None:
        return Finding("store", False, f"{where} holds nothing yet", "rag ingest")
    manifest = parts.store.check(parts.embedder.space)
    parts.store.verify()
    _dimension(parts, manifest.dimension)
    return Finding(
        "store",
        True,
        f"{where}: {manifest.documents} articles, {manifest.passages} passages, "
        f"{manifest.metric}, format {manifest.format}",
    )


def _dimension(parts: Parts, stored: int) -> None:
    ours = len(parts.embedder.question("test", "en"))
    if ours != stored:
        raise StoreError(
            f"the store has vectors of {stored} dimensions, {parts.embedder.name} makes {ours}; "
            "rag ingest --rebuild"
        )


def _chat_model(parts: Parts) -> Finding:
    from rag.models import check_chat_model

    return Finding("chat model", True, check_chat_model(parts.settings))


def _token_tables(parts: Parts) -> Finding:
    from rag.tokens import count_openai_tokens

    count = count_openai_tokens("token tables are in place", "gpt-4o")
    return Finding("token tables", True, f"o200k counts {count} tokens offline")


def _disk(parts: Parts) -> Finding:
    folders = {_existing(parts.store.folder), _existing(cache_folder())}
    for folder in sorted(folders):
        free = shutil.disk_usage(folder).free
        if free < _ROOM:
            return Finding(
                "disk", False, f"{free / 1e9:.1f} GB free at {folder}", f"free {_ROOM / 1e9:.0f} GB"
            )
    return Finding("disk", True, "room enough")


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())
