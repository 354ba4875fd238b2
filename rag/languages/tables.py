"""The tables of words that lie beside the code, as TOML."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def read_table(name: str, package: str = "rag.languages") -> dict[str, Any]:
    """A table of a package by the name of its file, without the ending."""
    text = (files(package) / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
