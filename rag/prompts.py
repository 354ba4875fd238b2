"""Load and fill the files of `prompts/`, and read the JSON that they ask a chat model for."""

import json
import tomllib
from functools import cache
from string import Template
from typing import Any

from rag.errors import RagError
from rag.resources import prompts_folder


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


@cache
def table(name: str) -> dict[str, dict[str, Any]]:
    """What stands in `prompts/<name>.toml`: by language the texts by name."""
    with (prompts_folder() / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def object_schema(**properties: Any) -> dict[str, Any]:
    """The JSON schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_object(reply: str) -> dict[str, Any]:
    """The JSON object in a reply, whatever stands around it; {} where there is none.

    >>> read_object('Here it is: {"language": "tr"}')
    {'language': 'tr'}
    """
    try:
        found = json.loads(reply[reply.find("{") : reply.rfind("}") + 1], strict=False)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@cache
def _template(name: str) -> Template:
    return Template((prompts_folder() / f"{name}.md").read_text(encoding="utf-8"))
