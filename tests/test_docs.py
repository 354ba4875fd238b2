"""README says what there is, and only that."""

import re
from pathlib import Path

import pytest

from rag.cli import app
from rag.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_readme() -> None:
    assert all(f"rag {name}" in README for name in app.commands)


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_in_the_table(field: str) -> None:
    name = field.upper() if field == "openai_api_key" else f"RAG_{field.upper()}"
    assert f"| `{name}` |" in README


def test_no_setting_is_in_the_table_that_does_not_exist() -> None:
    known = {f"RAG_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"RAG_[A-Z_]+", README)) <= known


def test_every_file_that_the_readme_names_is_there() -> None:
    for name in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / name).exists(), name


def test_the_demo_quote_is_the_article() -> None:
    source, start, end = re.search(r"\[1\] (\S+\.txt) \[(\d+):(\d+)\]", README).groups()  # type: ignore[union-attr]
    quote = (ROOT / "seeds" / source).read_text(encoding="utf-8")[int(start) : int(end)]
    assert quote in README


def test_the_constraints_name_no_registry() -> None:
    text = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert text.count("--hash=sha256:") > 100
