"""The parts that a corpus is worked with, built once and in one place."""

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from rag.embedding.cache import VectorCache
from rag.errors import ModelError
from rag.settings import Settings
from rag.store.store import Store

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.embedding.cross_encoder import CrossEncoder
    from rag.embedding.embedder import Embedder
    from rag.models.replies import Replies

_log = logging.getLogger(__name__)


class Parts:
    """Settings with the store, embedder and chat model that they name.

    Nothing is opened or loaded before it is used. `parts.chat_model = …` puts another in its
    place; so for each of the parts.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.replies: Replies | None = None
        """Where replies of the chat model are kept, so that no call need be made twice."""

    @cached_property
    def store(self) -> Store:
        """The store of this corpus."""
        settings = self.settings
        return Store(settings.store_folder, settings.collection, settings.chroma_url)

    @cached_property
    def cache(self) -> VectorCache:
        """Vectors that were computed before."""
        return VectorCache(self.settings.store_folder / "vectors.sqlite")

    @cached_property
    def embedder(self) -> "Embedder":
        """The embedding model; raises SettingsError for an unknown one."""
        from rag.embedding.embedder import embedder

        return embedder(self.settings, self.cache)

    @cached_property
    def cross_encoder(self) -> "CrossEncoder | None":
        """The cross-encoder; None, and a line in the log, where it cannot run."""
        from rag.embedding.cross_encoder import open_cross_encoder

        try:
            return open_cross_encoder(self.embedder.embeddings)
        except ModelError as error:
            _log.warning("passages are ranked without being read: %s", error)
            return None

    @cached_property
    def chat_model(self) -> "BaseChatModel | None":
        """The chat model; None when answers are to be quotes only."""
        from rag.models.chat import chat_model

        return chat_model(self.settings)

    def close(self) -> None:
        """Let go of the store and the cache."""
        self.store.close()
        self.cache.close()
