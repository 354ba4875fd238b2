"""Where prompts, seeds and evals lie: at the top of a checkout, inside a wheel."""

import importlib
import sys
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def prompts_folder() -> Path:
    """The folder of Markdown prompts and answer frames."""
    return _folder("prompts")


def seeds_folder() -> Path:
    """The folder of the articles that come with the project."""
    return _folder("seeds")


def evals_folder() -> Path:
    """The folder of the evaluation: questions and the code that runs them."""
    return _folder("evals")


def evals_module(name: str) -> Any:
    """A module of evals/, such as "evals.runs", from wherever the folder lies."""
    place = str(evals_folder().parent)
    if place not in sys.path:
        # First, because other packages are called evals too.
        sys.path.insert(0, place)
    return importlib.import_module(name)
