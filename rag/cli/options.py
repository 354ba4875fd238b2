"""The flags that commands share: the settings, `--where` and `--json`."""

import json
import re
from collections.abc import Callable
from typing import Any

import click

from rag.errors import InputError

# The settings as flags. They are written out so that `--help` need not load them;
# a test holds them against `Settings`. Secrets have none: every user of the machine sees the
# flags of a program that runs.
SETTINGS = {
    "model": "Chat model: embedded, none, openai:NAME, gguf:/path, hf:OWNER/REPO/FILE.gguf, "
    "provider:NAME.",
    "answers": "words: the chat model words answers; quotes: sentences are quoted.",
    "base-url": "OpenAI-compatible server of the chat model.",
    "embeddings": "Embedding model: e5 or openai:NAME.",
    "embeddings-base-url": "OpenAI-compatible server of the embedding model.",
    "chroma-url": "Chroma server; without one Chroma runs in this process.",
    "collection": "Name that the store's collections begin with.",
    "store": "Folder of the store.",
    "corpus": "Folder or file of articles.",
    "host": "Address that the chat page listens on.",
    "port": "Port that the chat page listens on.",
    "public": "on: everyone who reaches the chat page may use it without a login.",
    "uploads": "off: the chat page takes no files.",
    "timeout": "Seconds that one model call may take.",
    "max-tokens": "Tokens that one model reply may have.",
    "context": "Tokens of articles that the model is shown.",
    "verify": "on: the model compares its claims with their quotes in one further call.",
    "price": "US dollars per million tokens: prompt,completion.",
}

as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
where_option = click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Only articles with lang=he,ar or date>=2024-07-01 or source=a.txt; also as JSON: "
    '{"source": ["a, b.txt"]}. Can be given more than once.',
)


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with a flag for each setting."""
    for name, text in reversed(SETTINGS.items()):
        command = click.option(f"--{name}", f"set_{name.replace('-', '_')}", help=text)(command)
    return command


def settings_of(flags: dict[str, Any]) -> dict[str, Any]:
    """What the flags of `with_settings` say, as arguments of `Settings.read`."""
    return {name.removeprefix("set_"): value for name, value in flags.items()}


def parse_where(conditions: tuple[str, ...]) -> dict[str, Any] | None:
    """The filter that `--where` options stand for, all of them; raises InputError.

    Values of one field, in one option or in several, are alternatives. JSON is for values
    with commas. Fields and dates are checked by the store.

    >>> parse_where(("lang=he,ar", "date>=2024-07-01", '{"source": ["a, b.txt"]}'))
    {'lang': ['he', 'ar'], 'date': {'gte': '2024-07-01'}, 'source': ['a, b.txt']}
    """
    where: dict[str, Any] = {}
    for option in conditions:
        for field, value in _condition(option).items():
            before = where.get(field)
            if before is None:
                where[field] = value
            elif isinstance(before, list) and isinstance(value, list):
                where[field] = before + value
            elif isinstance(before, dict) and isinstance(value, dict):
                where[field] = before | value
            else:
                raise InputError(f"--where {option!r} does not go with an earlier --where {field}")
    return where or None


def _condition(option: str) -> dict[str, Any]:
    """One option: a JSON object, or a field, a sign and values with commas between."""
    if option.lstrip().startswith("{"):
        try:
            fields = dict(json.loads(option))
        except ValueError as error:
            raise InputError(f"--where {option!r} is not JSON: {error}") from None
        return {name: [each] if isinstance(each, str) else each for name, each in fields.items()}
    found = re.fullmatch(r"\s*(\w+)\s*(>=|<=|>|<|=)(.*)", option, re.DOTALL)
    values = [each.strip() for each in found[3].split(",") if each.strip()] if found else []
    if not found or not values:
        from rag.store.filters import FILTER_FIELDS

        raise InputError(
            f"--where {option!r} is not FIELD=VALUE, such as lang=he; "
            f"the fields are {', '.join(FILTER_FIELDS)}"
        )
    if found[2] == "=":
        return {found[1]: values}
    return {found[1]: {_COMPARISONS[found[2]]: found[3].strip()}}


_COMPARISONS = {">=": "gte", "<=": "lte", ">": "gt", "<": "lt"}
