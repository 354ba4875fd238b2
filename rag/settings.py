"""The settings: few and flat, from the environment, `.env` or flags, read once."""

import hashlib
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError
from rag.resources import seeds_folder

APP = "quoted-rag"
_SECRET = ("OPENAI_API_KEY", "RAG_LOGIN")


class Settings(BaseSettings):
    """What a person may choose; each field is `RAG_<NAME>` and `--<name>`.

    Use `Settings.read(...)`, which turns a bad value into one clear line.
    """

    model_config = SettingsConfigDict(
        env_prefix="RAG_",
        env_file=".env",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    model: str = Field(
        "",
        description="Chat model: `embedded`, `none` (quote only), `openai:NAME`, "
        "`gguf:/path`, `hf:OWNER/REPO/FILE.gguf` or any `init_chat_model` name; unset: OpenAI when "
        "there is a key, the server's own model when there is a base URL, else none",
    )
    answers: Literal["", "words", "quotes"] = Field(
        "",
        description="`words`: the chat model words answers; `quotes`: sentences of the articles "
        "are quoted; unset: quotes with the embedded model, else words",
    )
    base_url: str = Field("", description="OpenAI-compatible server of the chat model")
    embeddings: str = Field("e5", description="Embedding model: `e5` (embedded) or `openai:NAME`")
    embeddings_base_url: str = Field(
        "", description="OpenAI-compatible server of the embedding model; unset: the base URL"
    )
    chroma_url: str = Field("", description="Chroma server; unset: Chroma in this process")
    collection: str = Field("rag", description="Name that the store's collections begin with")
    store: Path | None = Field(
        None, description="Folder of the store; unset: one per corpus in the user's data folder"
    )
    corpus: Path = Field(
        default_factory=seeds_folder, description="Folder or file that is ingested"
    )
    host: str = Field("127.0.0.1", description="Address that the chat page listens on")
    port: int = Field(7860, ge=1, le=65535, description="Port that the chat page listens on")
    login: SecretStr | None = Field(
        None,
        description="`user:password` that the chat page asks for; unset: no login, and only this "
        "machine can reach it",
    )
    public: bool = Field(
        False, description="`on` lets everyone who reaches RAG_HOST use the page without a login"
    )
    uploads: Literal["", "on", "off"] = Field(
        "",
        description="`off`: the page takes no files; unset: it does where only this machine, or "
        "who is signed in, can reach it",
    )
    timeout: float = Field(120.0, gt=0, description="Seconds that one model call may take")
    context: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Tokens of articles that the model is shown; unset: 3000, 1200 for a file "
        "on this machine, 400 for the embedded model",
    )
    verify: bool = Field(
        False,
        description="`on`: the model compares its claims with their quotes in one further call",
    )
    max_tokens: int = Field(800, ge=16, description="Tokens that one model reply may have")
    price: str = Field(
        "", description="US dollars per million tokens, `prompt,completion`, to count cost"
    )
    openai_api_key: SecretStr | None = Field(
        None, validation_alias="OPENAI_API_KEY", description="Key of OpenAI or the base URL"
    )

    @field_validator("base_url", "embeddings_base_url", "chroma_url")
    @classmethod
    def _is_http_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("a URL begins with http:// or https://")
        urlsplit(value)  # raises ValueError for what is none
        return value.rstrip("/")

    @field_validator("login")
    @classmethod
    def _is_user_and_password(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            user, _, password = value.get_secret_value().partition(":")
            if not user.strip() or not password:
                raise ValueError("give user:password, neither of them empty")
        return value

    @field_validator("price")
    @classmethod
    def _is_two_prices(cls, value: str) -> str:
        if value:
            try:
                _, _ = (float(part) for part in value.split(","))
            except ValueError:
                raise ValueError("give two numbers, such as 2.50,10.00") from None
        return value

    @field_validator("store", "corpus", mode="after")
    @classmethod
    def _is_absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().resolve()

    @classmethod
    def read(cls, **flags: Any) -> Self:
        """The settings of this process; a flag that is not None wins over the environment.

        Raises SettingsError that names the setting, its value and what is wrong.
        """
        try:
            return cls(**{name: value for name, value in flags.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]) if first["loc"] else "settings"
            name = name if name.isupper() else f"RAG_{name.upper()}"
            reason = str(first["msg"]).removeprefix("Value error, ")
            told = name if name in _SECRET else f"{name}={first['input']!r}"
            raise SettingsError(f"{told}: {reason}") from error

    @property
    def store_folder(self) -> Path:
        """Where the store lives; two corpora never share a default store."""
        if self.store is not None:
            return self.store
        key = hashlib.sha256(str(self.corpus).encode()).hexdigest()[:8]
        return Path(platformdirs.user_data_dir(APP)) / f"{self.corpus.stem or 'corpus'}-{key}"


def cache_folder() -> Path:
    """Where files that can be made again are kept: the joined model, token tables."""
    return Path(platformdirs.user_cache_dir(APP))
