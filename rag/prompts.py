"""Load and fill `prompts/*.md`, and the frames in `prompts/frames.toml`."""

import tomllib
from functools import cache
from string import Template

from rag.errors import RagError
from rag.resources import prompts_folder

FALLBACK = "en"
"""Language of the frames for an asker whose language has none."""


def fill(name: str, **values: str) -> str:
    """The prompt `prompts/<name>.md` with every `$placeholder` filled.

    Values are put in as they are: a `$` in one is never filled again. Raises
    RagError for a placeholder without a value.
    """
    try:
        return _template(name).substitute(values).strip()
    except KeyError as error:
        raise RagError(f"prompts/{name}.md asks for ${error.args[0]}, which has no value") from None


def turns(name: str) -> list[tuple[str, str]]:
    """The (question, reply) pairs of an example conversation `prompts/<name>.md`."""
    text = (prompts_folder() / f"{name}.md").read_text(encoding="utf-8")
    blocks = [block.strip() for block in text.split("### ") if block.strip()]
    told = [block.partition("\n")[2].strip() for block in blocks]
    return list(zip(told[::2], told[1::2], strict=True))


def quote_frame(quote: str, lang: str) -> str:
    """A quote, introduced in the asker's language.

    >>> quote_frame("57 mld", "pl")
    'W artykule napisano: „57 mld”'
    """
    return Template(_frame(lang)["quote"]).substitute(quote=quote)


def abstention(lang: str) -> str:
    """That the articles do not say, in the asker's language.

    >>> abstention("xx") == abstention("en")
    True
    """
    return _frame(lang)["abstain"]


def framed_languages() -> tuple[str, ...]:
    """The languages that have frames of their own."""
    return tuple(_frames())


def _frame(lang: str) -> dict[str, str]:
    return _frames().get(lang) or _frames()[FALLBACK]


@cache
def _template(name: str) -> Template:
    return Template((prompts_folder() / f"{name}.md").read_text(encoding="utf-8"))


@cache
def _frames() -> dict[str, dict[str, str]]:
    with (prompts_folder() / "frames.toml").open("rb") as file:
        return tomllib.load(file)
