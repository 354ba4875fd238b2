"""Texts to vectors: any LangChain `Embeddings`, a cache, and language-neutral vectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from langchain_core.embeddings import Embeddings

from rag.embedding.cache import VectorCache
from rag.embedding.e5 import E5_BUDGET, E5_NAME, E5Embeddings
from rag.embedding.encoder import Kind, Vectors, unit
from rag.embedding.language_means import LanguageMeans
from rag.embedding.late_interaction import QuestionTokens, TokenProjection, Tokens
from rag.errors import ModelError, SettingsError
from rag.settings import Settings

T = TypeVar("T")
Progress = Callable[[int], None]
"""Called with how many of the texts are done."""

E5_TRANSLATION_FLOOR = 0.5
"""Cosine, without language means, that 19 in 20 sentences and their translations reach, and
hardly any two sentences that say different things; `python -m evals.translation_cosines`."""
OPENAI_BUDGET = 512
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is searched."""

    vector: Vectors
    """Of length 1, without the mean of its language, shape (dimension,)."""
    tokens: QuestionTokens | None
    """None for an embedding model that does not tell of its tokens."""


class Embedder:
    """Unit vectors without the mean of their language, cached by the content of the text."""

    def __init__(
        self,
        embeddings: Embeddings,
        name: str,
        budget: int,
        count_tokens: Callable[[str], int],
        cache: VectorCache,
    ) -> None:
        self.embeddings = embeddings
        self.name = name
        self.budget = budget
        self.count_tokens = count_tokens
        self.means = LanguageMeans.of(name)
        self._cache = cache
        self.projection = TokenProjection()
        # A conversation asks for the same few questions again and again.
        self.read_question = lru_cache(maxsize=64)(self._read_question)

    @property
    def space(self) -> str:
        """Names the vector space; vectors of two spaces cannot be compared."""
        return f"{self.name} means={self.means.version}"

    def question(self, text: str, lang: str) -> Vectors:
        """The vector of a question, shape (dimension,)."""
        return self.read_question(text, lang).vector

    def _read_question(self, text: str, lang: str) -> Question:
        tokens = None
        if isinstance(self.embeddings, E5Embeddings):
            vectors, (states,) = self.embeddings.states([text], "query")
            tokens = self.projection.question(states, lang)
        else:
            vectors = self._embed([text], "query")
        return Question(self.means.subtract(vectors, [lang], "query")[0], tokens)

    def agrees(
        self, text: str, lang: str, quotes: Sequence[str], quote_langs: Sequence[str]
    ) -> bool | None:
        """Whether a text can be what the quotes say, in whatever language.

        None for a model without language means: its cosines are not comparable
        between languages, and no floor has been measured.
        """
        if self.name != E5_NAME:
            return None
        said = self.means.subtract(self._embed([text], "passage"), [lang], "sentence")[0]
        quoted = unit(self.sentences(quotes, quote_langs).sum(axis=0))
        return float(said @ quoted) >= E5_TRANSLATION_FLOOR

    def passages(
        self, texts: Sequence[str], langs: Sequence[str], progress: Progress = lambda done: None
    ) -> Vectors:
        """The vectors of passages, shape (len(texts), dimension).

        What the cache holds is not embedded again; what it lacks is added to it batch
        by batch, so that a run cut short has lost at most one batch.
        """
        return self.means.subtract(self._kept(texts, progress), langs, "passage")

    def sentences(
        self, texts: Sequence[str], langs: Sequence[str], progress: Progress = lambda done: None
    ) -> Vectors:
        """The vectors of sentences, shape (len(texts), dimension); cached too."""
        return self.means.subtract(self._kept(texts, progress), langs, "sentence")

    def tokens(
        self, texts: Sequence[str], langs: Sequence[str], progress: Progress = lambda done: None
    ) -> list[Tokens] | None:
        """The tokens of passages for late interaction, cached; None where there are none.

        Their vectors come of the same pass and are kept as well.
        """
        e5 = self.embeddings
        if not isinstance(e5, E5Embeddings):
            return None
        keys = [self.token_key(text, lang) for text, lang in zip(texts, langs, strict=True)]

        def make(batch: Sequence[int]) -> dict[bytes, Tokens]:
            vectors, states = e5.states([texts[i] for i in batch], "passage")
            rows = zip(batch, states, strict=True)
            made = {keys[i]: self.projection.passage(each, langs[i]) for i, each in rows}
            raw = [self.vector_key(texts[i]) for i in batch]
            self._cache.put(dict(zip(raw, vectors, strict=True)))
            self._cache.put_tokens(made)
            return made

        return _completed(keys, self._cache.get_tokens(keys), make, progress)

    def vector_key(self, text: str) -> bytes:
        """What the cache knows the vector of a passage or sentence by."""
        return self._cache.key(self.name, text)

    def token_key(self, text: str, lang: str) -> bytes:
        """What the cache knows the tokens of a passage by."""
        return self._cache.key(f"{self.name} tokens={self.projection.version} {lang}", text)

    def _kept(self, texts: Sequence[str], progress: Progress) -> Vectors:
        keys = [self.vector_key(text) for text in texts]

        def make(batch: Sequence[int]) -> dict[bytes, Vectors]:
            vectors = self._embed([texts[i] for i in batch], "passage")
            made = {keys[i]: vector for i, vector in zip(batch, vectors, strict=True)}
            self._cache.put(made)
            return made

        found = _completed(keys, self._cache.get(keys), make, progress)
        lengths = sorted(set(map(len, found)))
        if len(lengths) > 1:
            raise ModelError(
                f"{self.name} gave vectors of {lengths[0]} and of {lengths[-1]} numbers; check "
                "RAG_EMBEDDINGS, and ingest again"
            )
        return np.stack(found) if keys else np.zeros((0, 1), np.float32)

    def _embed(self, texts: list[str], kind: Kind) -> Vectors:
        if isinstance(self.embeddings, E5Embeddings):
            return self.embeddings.vectors(texts, kind)
        return unit(np.array(self._ask_server(texts, kind), dtype=np.float32))

    def _ask_server(self, texts: list[str], kind: Kind) -> list[list[float]]:
        from rag.models.errors import model_errors

        with model_errors(self.name, setting="RAG_EMBEDDINGS"):
            if kind == "query":
                return [self.embeddings.embed_query(text) for text in texts]
            return self.embeddings.embed_documents(texts)


def embedder(settings: Settings, cache: VectorCache) -> Embedder:
    """The embedder that the settings name; raises SettingsError for an unknown one."""
    provider, _, model = settings.embeddings.partition(":")
    if settings.embeddings == "e5":
        e5 = E5Embeddings()
        return Embedder(e5, E5_NAME, E5_BUDGET, e5.count_tokens, cache)
    if provider == "openai" and model:
        return _openai_embedder(settings, model, cache)
    raise SettingsError(
        f"RAG_EMBEDDINGS={settings.embeddings!r} is not known; "
        "use e5 or openai:NAME, such as openai:text-embedding-3-large"
    )


def _openai_embedder(settings: Settings, model: str, cache: VectorCache) -> Embedder:
    from rag.embedding.server import server_embeddings
    from rag.models.tokens import count_openai_tokens

    client, name = server_embeddings(settings, model)
    return Embedder(client, name, OPENAI_BUDGET, lambda t: count_openai_tokens(t, model), cache)


def _completed(
    keys: Sequence[bytes],
    found: dict[bytes, T],
    make: Callable[[Sequence[int]], dict[bytes, T]],
    progress: Progress,
) -> list[T]:
    """The value of each key: what was found, and what is made of the others batch by batch."""
    progress(len(found))
    missing = list({key: i for i, key in enumerate(keys) if key not in found}.values())
    for start in range(0, len(missing), _BATCH):
        found |= make(missing[start : start + _BATCH])
        progress(len(found))
    return [found[key] for key in keys]
