"""How many tokens a text takes: OpenAI's own count, offline, or a safe estimate."""

import gzip
import hashlib
import os
import re
import tempfile
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import ModelError
from rag.settings import cache_folder

if TYPE_CHECKING:
    import tiktoken

_TABLES = {
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
}
"""File names under which tiktoken looks for a table: the SHA-1 of its source address."""

_NEWEST = "o200k_base"


def count_openai_tokens(text: str, model: str) -> int:
    """Tokens of the text for an OpenAI model, without any network.

    A model that tiktoken does not know is taken to be newer than tiktoken and is
    counted by o200k. Raises ModelError when no folder can hold the tables.
    """
    # The text is data: "<|endoftext|>" in an article is a few letters, not an end.
    return len(_encoding(model).encode(text, disallowed_special=()))


@lru_cache(maxsize=32)  # a prompt is counted anew with each piece of its reply
def estimate_tokens(text: str) -> int:
    """A count that tokenizers stay below, so that a prompt which fits by it does fit.

    Three ASCII letters make one token, and any other character is one by itself. On
    the five articles that is 1.0 to 1.5 times the most that Qwen, o200k and cl100k
    count, and 1.0 times on figures alone.

    >>> estimate_tokens("rain 2024"), estimate_tokens("מטר")
    (7, 3)
    """
    letters = len(re.findall(r"[A-Za-z]", text))
    return len(text) - letters + -(-letters // 3)


@cache
def _encoding(model: str) -> "tiktoken.Encoding":
    import tiktoken

    place_tables()
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        name = _NEWEST
    # The tables of models before 2023 are not at hand, and nobody asks for them.
    known = name in _TABLES or name.startswith("o200k")
    return tiktoken.get_encoding(name if known else _NEWEST)


def place_tables() -> Path:
    """Put OpenAI's token tables where tiktoken looks for them, so that it downloads nothing.

    That is `TIKTOKEN_CACHE_DIR` when it is set, and a folder of our own, which the
    variable then names, when it is not. Raises ModelError when neither can be written.
    """
    chosen = os.environ.get("TIKTOKEN_CACHE_DIR")
    folder = Path(chosen) if chosen else cache_folder() / "tiktoken"
    try:
        for stem, name in _TABLES.items():
            _place(stem, folder / name)
    except OSError as error:
        raise ModelError(
            f"cannot write OpenAI's token tables to {folder}: {error.strerror}; set "
            "TIKTOKEN_CACHE_DIR to a folder that can be written"
        ) from error
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    return folder


def _place(stem: str, path: Path) -> None:
    table = gzip.decompress(_packed(stem).read_bytes())
    # tiktoken deletes a table with other bytes and then downloads it.
    if path.is_file() and _digest(path.read_bytes()) == _digest(table):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        draft.write(table)
    os.replace(draft.name, path)


def _packed(stem: str) -> Path:
    """The table inside bpe_openai, which is found and not imported: that would load it."""
    spec = find_spec("bpe_openai")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        return Path(folder) / "data" / f"{stem}.tiktoken.gz"
    raise ModelError("the package with OpenAI's token tables is missing; pip install bpe-openai")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
