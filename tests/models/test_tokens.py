"""Tokens are counted without a network, and an estimate is never too small."""

from pathlib import Path

import pytest
import tiktoken

from rag.errors import ModelError
from rag.models.chat import chat_model
from rag.models.tokens import count_openai_tokens, estimate_tokens, place_tables
from rag.resources import seeds_folder
from rag.settings import Settings, cache_folder

ARTICLES = sorted(seeds_folder().glob("*.txt"))


@pytest.mark.parametrize(
    ("model", "count"),
    [("gpt-4o", 2), ("gpt-4", 2), ("gpt-6-luna", 2), ("no-such-model", 2), ("gpt-oss-20b", 2)],
)
def test_counts_by_the_models_own_table(model: str, count: int) -> None:
    assert count_openai_tokens("hello world", model) == count
    assert count_openai_tokens("", model) == 0


def test_old_and_new_tables_differ() -> None:
    hebrew = "הממשלה החליטה לדחות את ההצבעה"
    assert count_openai_tokens(hebrew, "gpt-4") > count_openai_tokens(hebrew, "gpt-4o")


def test_text_that_looks_like_a_control_token_is_text() -> None:
    assert count_openai_tokens("<|endoftext|>", "gpt-4o") > 1


def test_tables_lie_where_tiktoken_looks() -> None:
    folder = place_tables()
    assert folder == cache_folder() / "tiktoken"
    assert len(list(folder.iterdir())) == 2
    for name in ("cl100k_base", "o200k_base"):  # tiktoken checks each table's checksum
        assert tiktoken.get_encoding(name).encode("hello")


def test_a_damaged_table_is_mended() -> None:
    for table in place_tables().iterdir():
        table.write_bytes(b"x")
    assert all(table.stat().st_size > 1_000_000 for table in place_tables().iterdir())


def test_a_folder_that_the_user_chose_stays_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "mine"))
    assert place_tables() == tmp_path / "mine"


def test_names_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"token tables to .*file.*; set TIKTOKEN_CACHE_DIR"):
        place_tables()


@pytest.mark.parametrize("article", ARTICLES, ids=lambda path: path.name[:3])
@pytest.mark.parametrize("model", ["gpt-4", "gpt-4o"])
def test_the_estimate_is_never_too_small(article: Path, model: str) -> None:
    text = article.read_text("utf-8")
    count = count_openai_tokens(text, model)
    assert count <= estimate_tokens(text) <= 4 * count


def test_the_estimate_holds_for_the_embedded_model(embedded_gguf: Path) -> None:
    model = chat_model(Settings.read(model="embedded"))
    assert model is not None
    for article in ARTICLES:
        text = article.read_text("utf-8")
        assert model.get_num_tokens(text) <= estimate_tokens(text)
    assert model.get_num_tokens("hello world") == 2
