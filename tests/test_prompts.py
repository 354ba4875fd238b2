"""Prompts are filled whole or not at all."""

import pytest

from rag.errors import RagError
from rag.prompts import fill, read_object


def test_a_missing_value_of_a_prompt_is_an_error() -> None:
    with pytest.raises(RagError, match="retry"):
        fill("retry", language="English")


@pytest.mark.parametrize("reply", ["", "no", "{", "[]", '["a"]', "} {", '{"a": ' * 5000 + "}"])
def test_a_reply_without_an_object_is_an_empty_one(reply: str) -> None:
    assert read_object(reply) == {}
