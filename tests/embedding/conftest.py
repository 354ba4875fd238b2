"""The one encoder that all tests of this folder share."""

import pytest

from rag.embedding.encoder import Encoder, open_encoder


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return open_encoder()
