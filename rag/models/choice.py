"""Which chat model the settings ask for, told without making it."""

import re
from dataclasses import dataclass
from typing import Literal

from rag.errors import SettingsError
from rag.models.errors import shown_url
from rag.models.weights import EMBEDDED
from rag.settings import Settings

OPENAI_DEFAULT = "gpt-6-luna"
"""What an OpenAI key alone gets: OpenAI's model for many small tasks, 0.10 US$ per
million tokens of prompt. Its forerunners gpt-4.1-mini and gpt-4o-mini are shut down
on 14 January 2027, and OpenAI names this one to follow both."""

FORMS = (
    "`embedded`, `none`, `openai:NAME`, `gguf:/path`, `hf:OWNER/REPO/FILE.gguf`, "
    "or `PROVIDER:NAME` of LangChain"
)

Kind = Literal["none", "embedded", "gguf", "hf", "openai", "served", "provider"]

_BUDGETS: dict[Kind, int] = {"embedded": 400, "gguf": 1200, "hf": 1200}
_SERVED_BUDGET = 3000
"""Tokens of articles that a model is shown: what runs on this machine reads slowly."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model the settings ask for."""

    kind: Kind
    name: str = ""
    """A path for "gguf", "OWNER/REPO/FILE.gguf" for "hf", "PROVIDER:NAME" for "provider",
    the bare name for "openai"."""


def choose(settings: Settings) -> Choice:
    """What `RAG_MODEL`, `RAG_BASE_URL` and `OPENAI_API_KEY` together ask for.

    Sends nothing and loads nothing. Raises SettingsError for a name that says nothing.
    """
    model = settings.model.strip()
    prefix, colon, rest = model.partition(":")
    if not model:
        return _unset(settings)
    if model == "none" or model == "embedded":
        return Choice("none" if model == "none" else "embedded")
    if colon and not rest.strip():
        raise SettingsError(f"RAG_MODEL={model!r} misses a name; give one of {FORMS}")
    if colon and prefix == "hf":
        return Choice("hf", _hub_file(model))
    if colon and prefix in ("openai", "gguf"):
        return Choice("openai" if prefix == "openai" else "gguf", rest)
    return _by_name(model, prefix if colon else "", settings)


def _by_name(model: str, prefix: str, settings: Settings) -> Choice:
    # "qwen2.5:7b" is how some servers name a model, and no provider's name.
    if prefix and (not settings.base_url or _is_provider(prefix)):
        return Choice("provider", model)
    if settings.base_url or re.match(r"gpt-|chatgpt-|o\d", model):
        return Choice("openai", model)
    raise SettingsError(
        f"RAG_MODEL={model!r} names no provider and RAG_BASE_URL is not set; give one of {FORMS}"
    )


def _hub_file(model: str) -> str:
    """OWNER/REPO/FILE.gguf, the file maybe in a folder. Raises SettingsError for another form."""
    name = model.removeprefix("hf:").strip()
    parts = name.split("/")
    sound = len(parts) >= 3 and all(re.fullmatch(r"\w[\w.-]*", part) for part in parts)
    if not sound or not name.lower().endswith(".gguf"):
        raise SettingsError(
            f"RAG_MODEL={model!r} names no file of the hub; give it as hf:OWNER/REPO/FILE.gguf"
        )
    return name


def _unset(settings: Settings) -> Choice:
    if settings.base_url:
        return Choice("served")
    if settings.openai_api_key:
        return Choice("openai", OPENAI_DEFAULT)
    return Choice("none")


def _is_provider(prefix: str) -> bool:
    from langchain.chat_models import base

    return prefix in getattr(base, "_BUILTIN_PROVIDERS", ())


def is_local(choice: Choice) -> bool:
    """Whether the model is a file that this process loads and serves to itself."""
    return choice.kind in ("embedded", "gguf", "hf")


def model_label(settings: Settings) -> str:
    """The model in a few words for people, without any secret."""
    choice = choose(settings)
    at = f" at {shown_url(settings.base_url)}" if settings.base_url else ""
    return {
        "none": "none (quotes alone)",
        "embedded": f"embedded {EMBEDDED.title}",
        "gguf": f"gguf:{choice.name}",
        "hf": f"hf:{choice.name}",
        "openai": f"openai:{choice.name}{at}",
        "served": f"the server's own model{at}",
        "provider": choice.name,
    }[choice.kind]


def words_answers(settings: Settings) -> bool:
    """Whether the model words answers; else code quotes them, and the model is not asked.

    The embedded model does only where `RAG_ANSWERS` says so: what it writes is worse than
    what it is shown (docs/decisions/embedded-model.md).
    """
    if settings.answers:
        return settings.answers == "words"
    return choose(settings).kind not in ("none", "embedded")


def context_budget(settings: Settings) -> int:
    """Tokens of articles that the model is shown: `RAG_CONTEXT`, or what suits its kind."""
    return settings.context or _BUDGETS.get(choose(settings).kind, _SERVED_BUDGET)
