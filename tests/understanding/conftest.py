"""The embedding models of the tests here: the one that ships, and one that nothing is known of."""

from collections.abc import Iterator

import pytest

from rag.embedding.embedder import Embedder
from rag.embedding.encoder import Vectors
from rag.parts import Parts
from rag.settings import Settings
from rag.understanding.exemplars import NamedEmbedder


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("understanding")
    made = Parts(Settings.read(model="none", embeddings="e5", store=folder))
    yield made
    made.close()


@pytest.fixture(scope="session")
def embedder(parts: Parts) -> Embedder:
    return parts.embedder


class OtherModel:
    """Vectors of a space that nothing was fitted for; it must never be asked for one."""

    space = "another means=none"

    def question(self, text: str, lang: str) -> Vectors:
        raise AssertionError(text)


@pytest.fixture(scope="session")
def other_model() -> NamedEmbedder:
    return OtherModel()
