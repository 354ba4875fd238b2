"""Whatever a model's client raises, as one line that names the setting to change."""

import email.utils
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from rag.errors import ModelError, RagError

NO_FORM = "it is not the JSON that was asked for"
"""Why a reply that cannot be read is refused."""


class OddReplyError(Exception):
    """A server sent what is no reply: a web page, an error in place of one, or nothing."""


class BadVectorsError(Exception):
    """A server sent vectors that are too few, or that are none."""


class FailedReplyError(Exception):
    """A server began to reply and then told of an error."""


class PromptTooLongError(Exception):
    """The prompt has more tokens than the model reads."""


# By the names of the classes, because each provider's client has its own with
# these names and none need be imported. The first that fits wins, so a class
# stands before its parents.
_FAILURES: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"APITimeoutError", "ModelTimeoutError", "TimeoutException", "TimeoutError"}),
        "did not answer in time; raise RAG_TIMEOUT, or lower RAG_MAX_TOKENS",
    ),
    (
        frozenset({"AuthenticationError", "ModelAuthenticationError"}),
        "refused the key; check OPENAI_API_KEY, or your provider's own key",
    ),
    (
        frozenset({"PermissionDeniedError", "ModelPermissionDeniedError"}),
        "does not let this key use the model; check OPENAI_API_KEY and {setting}",
    ),
    (
        frozenset({"ContextOverflowError", "PromptTooLongError"}),
        "cannot read a prompt this long; {less}choose a model that reads more with {setting}",
    ),
    (
        frozenset({"NotFoundError", "ModelNotFoundError"}),
        "knows no such model or address ({reason}); check {setting}, and {url_setting}, "
        "which mostly ends in /v1",
    ),
    (
        frozenset({"OddReplyError"}),
        "gave no reply that can be read ({reason}); check {url_setting}, which mostly ends in "
        "/v1, and {setting}",
    ),
    (
        frozenset({"BadVectorsError"}),
        "sent what cannot be used ({reason}); try again, or change {setting}",
    ),
    (
        frozenset({"RateLimitError", "ModelRateLimitError"}),
        "takes no more requests now ({reason}); wait, check your quota, or change {setting}",
    ),
    (
        frozenset({"InternalServerError", "ModelAPIError", "FailedReplyError"}),
        "failed ({reason}); try again, or change {setting}",
    ),
    (
        frozenset({"BadRequestError", "ModelInvalidRequestError", "APIStatusError"}),
        "refused the request ({reason}); check {setting}",
    ),
    (
        frozenset({"APIConnectionError", "ModelConnectionError", "TransportError", "OSError"}),
        "cannot be reached; check {url_setting}, the network, and that the server runs",
    ),
)
_OTHERWISE = "gave no reply that can be read ({reason}); check {url_setting} and {setting}"

_TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|(maximum|available|max) context|context window"
    r"|(prompt|input) is too long|too many (input )?tokens|reduce the length",
    re.IGNORECASE,
)


@contextmanager
def model_errors(
    label: str, setting: str = "RAG_MODEL", key: SecretStr | None = None
) -> Iterator[None]:
    """Turn whatever a model's client raises into a ModelError of one line.

    It begins with `label`, ends with the `setting` to change, and never holds the key.
    """
    try:
        yield
    except RagError:
        raise
    except Exception as error:  # each provider raises what it likes
        names = class_names(error)
        text = next((text for kinds, text in _FAILURES if kinds & names), _OTHERWISE)
        reason = _reason(error, key)
        line = text.format(reason=reason, setting=setting, **_WORDS.get(setting, _CHAT_WORDS))
        raise ModelError(f"{label} {line}") from error


_CHAT_WORDS = {"url_setting": "RAG_BASE_URL", "less": "lower RAG_CONTEXT, or "}
_WORDS = {"RAG_EMBEDDINGS": {"url_setting": "RAG_EMBEDDINGS_BASE_URL", "less": ""}}


def _reason(error: Exception, key: SecretStr | None) -> str:
    # Secrets go before the text is cut: what is left of one that was cut would stay.
    if isinstance(error, (OddReplyError, FailedReplyError, BadVectorsError)):
        return one_line(_without_secrets(str(error), key))
    wait = retry_after(error)
    told = f"{type(error).__name__}: {one_line(_without_secrets(told_by_server(error), key))}"
    return f"retry after {wait:.0f} s: {told}" if wait else told


def told_by_server(error: Exception) -> str:
    """What an error says, with what the server sent where its client leaves that out.

    >>> told_by_server(ValueError("bad"))
    'bad'
    """
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else body
    return str(error) if not body or (message and str(message) in str(error)) else f"{error} {body}"


def class_names(error: BaseException) -> frozenset[str]:
    """The names of an error's class and of its parents."""
    return frozenset(kind.__name__ for kind in type(error).__mro__)


def is_too_long(text: str) -> bool:
    """Whether a server's refusal says that the prompt has too many tokens.

    >>> is_too_long("This model's maximum context length is 4096 tokens.")
    True
    """
    return _TOO_LONG.search(text) is not None


def prompt_too_long(error: Exception, model: str) -> Exception:
    """What to raise for it: llama.cpp counts the tokens, other servers say no more than that."""
    body = getattr(error, "body", None) or {}
    if not isinstance(body, dict) or "n_prompt_tokens" not in body:
        return PromptTooLongError(str(error))
    return ModelError(
        f"the prompt has {body['n_prompt_tokens']:,} tokens and {model} reads at most "
        f"{body.get('n_ctx', 0):,}; give it fewer or shorter passages, or choose a model "
        "that reads more with RAG_MODEL"
    )


def retry_after(error: BaseException) -> float | None:
    """Seconds that a server asks to wait before the next request; None where it asks nothing."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    told = str(headers.get("retry-after") or "").strip()
    try:
        seconds = float(told)
    except ValueError:
        date = email.utils.parsedate_tz(told)
        seconds = email.utils.mktime_tz(date) - time.time() if date else 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def shown_url(url: str) -> str:
    """The URL without a password or query that it may carry.

    >>> shown_url("http://me:secret@localhost:8080/v1?key=1")
    'http://localhost:8080/v1'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/")


def _without_secrets(text: str, key: SecretStr | None) -> str:
    if key and key.get_secret_value():
        text = text.replace(key.get_secret_value(), "***")
    # Some servers repeat a key, whole or shortened, in what they answer.
    return re.sub(r"\b(sk|gsk|xai|Bearer)[-_ ][\w*.-]{6,}", "***", text)


def one_line(text: object) -> str:
    """The text on one line, cut to 300 characters."""
    return " ".join(str(text).split())[:300]
