"""Check everything that an answer depends on, and name the mend of what is wrong."""

import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rag.embedding.cross_encoder import open_cross_encoder
from rag.errors import RagError
from rag.parts import Parts
from rag.records import Record
from rag.settings import Settings, cache_folder

_STORE_ROOM = 200_000_000
_MODEL_ROOM = 1_200_000_000
"""Bytes free that the next ingest, and the first start of the embedded model, may need."""


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
        "cross-encoder": _cross_encoder,
        "store": _store,
        "chat model": _chat_model,
        "token tables": _token_tables,
        "disk": _disk,
        "chat page": _chat_page,
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
        return Finding(name, False, detail or str(error), mend if detail else "")


def _corpus(parts: Parts) -> Finding:
    path = parts.settings.corpus
    if not path.exists():
        return Finding("corpus", False, f"{path} is not there", "set RAG_CORPUS to your articles")
    return Finding("corpus", True, str(path))


def _embedding(parts: Parts) -> Finding:
    embedder = parts.embedder
    detail = f"{embedder.name}, {len(embedder.question('test', 'en'))} dimensions"
    return Finding("embedding model", True, detail)


def _cross_encoder(parts: Parts) -> Finding:
    network = open_cross_encoder(parts.embedder.embeddings)
    network.read("Who came?", ["Anna came."])
    return Finding("cross-encoder", True, f"weights {network.version}")


def _store(parts: Parts) -> Finding:
    place, manifest = parts.store.place, parts.store.manifest()
    fill = f"rag ingest {shlex.quote(str(parts.settings.corpus))}"
    if manifest is None:
        return Finding("store", False, f"{place} holds nothing yet", fill)
    parts.store.check(parts.embedder.space)
    parts.store.verify()
    parts.store.nearest(parts.embedder.question("test", "en"), 1)
    if not manifest.documents:
        return Finding("store", False, f"{place} holds no article any more", fill)
    return Finding(
        "store",
        True,
        f"{place}: {manifest.documents} articles, {manifest.passages} passages, "
        f"{manifest.metric}, format {manifest.format}",
    )


def _chat_model(parts: Parts) -> Finding:
    from rag.models.chat import check_chat_model

    return Finding("chat model", True, check_chat_model(parts.settings))


def _token_tables(parts: Parts) -> Finding:
    from rag.models.tokens import count_openai_tokens

    count = count_openai_tokens("token tables are in place", "gpt-4o")
    return Finding("token tables", True, f"o200k counts {count} tokens offline")


def _disk(parts: Parts) -> Finding:
    needs = {_existing(parts.store.folder): _STORE_ROOM}
    if _joins_a_model(parts.settings):
        cache = _existing(cache_folder())
        needs[cache] = needs.get(cache, 0) + _MODEL_ROOM
    for folder, room in needs.items():
        free = shutil.disk_usage(folder).free
        if free < room:
            return Finding("disk", False, f"{free / 1e6:,.0f} MB free at {folder}",
                           f"make {(room - free) / 1e6:,.0f} MB of room there")  # fmt: skip
    return Finding("disk", True, "room enough")


def _chat_page(parts: Parts) -> Finding:
    """Who can reach the page, and whether it takes files."""
    from rag.page.server.access import check_access, is_loopback, uploads_allowed

    settings = parts.settings
    check_access(settings)
    if is_loopback(settings.host):
        who = "only this machine" + (", with a login" if settings.login else "")
    else:
        who = "others too, with a login" if settings.login else "everyone, without a login"
    uploads = uploads_allowed(settings)
    detail = f"{settings.host}, port {settings.port}: {who}; uploads {'on' if uploads else 'off'}"
    if settings.uploads == "on" and not uploads:
        return Finding("chat page", False, f"{detail}, although RAG_UPLOADS=on",
                       "set RAG_LOGIN=user:password, or RAG_HOST=127.0.0.1")  # fmt: skip
    return Finding("chat page", True, detail)


def _joins_a_model(settings: Settings) -> bool:
    """Whether the next answer would first put the embedded model's file together."""
    from rag.models.choice import choose
    from rag.models.weights import model_path

    try:
        embedded = choose(settings).kind == "embedded"
    except RagError:
        return False
    return embedded and not model_path(cache_folder()).exists()


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())
