"""Where prompts, seeds and evals lie: at the top of a checkout, inside a wheel."""

from pathlib import Path

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
