"""A real store of a few articles."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.engine import Rag
from rag.settings import Settings


def written(folder: Path, articles: Mapping[str, str]) -> Path:
    """The folder, made if need be, with each article in a file of its name."""
    folder.mkdir(exist_ok=True)
    for name, text in articles.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def filled_store(folder: Path, articles: Mapping[str, str], **flags: Any) -> Settings:
    """Settings of a store that holds these articles; no chat model, unless `flags` name one."""
    corpus = written(folder / "corpus", articles)
    chosen = {"store": folder / "store", "model": "none", "embeddings": "e5"}
    settings = Settings.read(corpus=corpus, **chosen | flags)
    with Rag(settings) as engine:
        engine.ingest()
    return settings
