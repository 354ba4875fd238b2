"""A chat model that nobody need be connected to: it gives the replies of a recording.

`rag eval run --record FOLDER` asks it. What it has no reply for is a line of
FOLDER/prompts.jsonl; `python -m evals.recorded FOLDER --show 0 5` prints such prompts,
`--put FILE` adds replies.
"""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from evals.recording import Prompt, Recording, Said, add_replies, waiting
from evals.run_folder import SUMMARY
from evals.runs import ABOUT, RESULTS
from rag.engine import Rag
from rag.errors import InputError, RagError
from rag.models.tokens import count_openai_tokens
from rag.settings import Settings

RUN = "run"
"""The run of a recording, within its folder."""
REPORT = "report.html"
_ROLES = {"human": "user", "ai": "assistant"}
_COUNTED_AS = "gpt-4o"
"""A model whose tokens are o200k's."""


class RecordedChat(BaseChatModel):
    """Streams the recorded reply to a call, word by word; raises NoReplyError without one.

    Tokens are counted by o200k, whatever model replied.
    """

    recording: Recording
    takes_response_format: bool = True
    """Whether a call is to bring the schema of its reply."""

    @property
    def _llm_type(self) -> str:
        return "recorded"

    def _generate(self, messages: list[BaseMessage], *_: Any, **options: Any) -> ChatResult:
        return generate_from_stream(self._stream(messages, **options))

    def _stream(
        self, messages: list[BaseMessage], *_: Any, **options: Any
    ) -> Iterator[ChatGenerationChunk]:
        said = said_in(messages)
        reply = self.recording.reply(said, _schema(options))
        yield _chunk("", prompt=sum(_tokens(text) for _, text in said))
        counted, end = 0, 0
        for word in re.findall(r"\S+\s*|^\s+", reply):
            end += len(word)
            tokens = _tokens(reply[:end])
            yield _chunk(word, completion=tokens - counted)
            counted = tokens


def said_in(messages: Sequence[BaseMessage]) -> list[Said]:
    """Roles, by the names that OpenAI gives them, and texts."""
    return [(_ROLES.get(each.type, each.type), str(each.text)) for each in messages]


def recorded_settings(settings: Settings, name: str) -> Settings:
    """The settings of a served model of this name that words answers; no server is named."""
    return settings.model_copy(
        update={
            "model": f"openai:{name}",
            "answers": "words",
            "base_url": "",
            "embeddings_base_url": settings.embeddings_base_url or settings.base_url,
        }
    )


@contextmanager
def recorded_engine(engine: object, recording: Recording) -> Iterator[Rag]:
    """The same corpus with the settings of a served model; see `place`."""
    if not isinstance(engine, Rag):
        raise InputError("--record needs a store of articles")
    with Rag(recorded_settings(engine.settings, recording.name)) as asked:
        yield asked


def place(engine: object, recording: Recording) -> None:
    """Have a corpus ask the recording in the place of a chat model."""
    assert isinstance(engine, Rag)
    engine.parts.chat_model = RecordedChat(recording=recording)


def make_way(path: Path, recording: Recording) -> None:
    """Take away the run of an earlier round, whose questions are asked again from the replies.

    Nothing else is: outside the recording's folder a run of another model stays, too.
    """
    try:
        about = json.loads((path / ABOUT).read_bytes())
    except (OSError, ValueError):
        return
    recorded = isinstance(about, dict) and "replies" in about
    if recorded and (recording.folder in path.parents or about.get("model") == recording.label):
        for name in (RESULTS, SUMMARY, REPORT, ABOUT):
            (path / name).unlink(missing_ok=True)


def _schema(options: dict[str, Any]) -> dict[str, Any] | None:
    """The JSON schema that a call asks its reply to keep to, as OpenAI is told it."""
    wanted: dict[str, Any] = options.get("response_format") or {}
    schema: dict[str, Any] | None = wanted.get("json_schema", {}).get("schema")
    return schema


def _chunk(text: str, prompt: int = 0, completion: int = 0) -> ChatGenerationChunk:
    """A piece of a reply with the tokens that it adds; a reader may stop at any."""
    usage = UsageMetadata(
        input_tokens=prompt, output_tokens=completion, total_tokens=prompt + completion
    )
    return ChatGenerationChunk(message=AIMessageChunk(content=text, usage_metadata=usage))


def _tokens(text: str) -> int:
    return count_openai_tokens(text, _COUNTED_AS)


# --- the command


def told(prompts: Sequence[Prompt]) -> Iterator[str]:
    """The prompts in lines to be read; messages that begin an earlier one, too, are only named."""
    for place, prompt in enumerate(prompts):
        yield f"key: {prompt.key} (call {prompt.call})"
        like = max(prompts[:place], key=lambda each: _shared(each, prompt), default=None)
        shared = _shared(like, prompt) if like else 0
        if like and shared:
            yield f"messages 1 to {shared}: as of {like.key}"
        for role, text in prompt.messages[shared:]:
            yield f"{_plain(role)}:"
            yield from _indented(text)
        yield from _schema_told(prompt, like)
        yield ""


def _shared(one: Prompt, other: Prompt) -> int:
    """How many messages both begin with."""
    pairs = enumerate(zip(one.messages, other.messages, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one.messages), len(other.messages)))


def _schema_told(prompt: Prompt, like: Prompt | None) -> Iterator[str]:
    if prompt.schema and like and like.schema == prompt.schema:
        yield f"schema of the reply: as of {like.key}"
    elif prompt.schema:
        yield "schema of the reply:"
        yield from _indented(json.dumps(prompt.schema))


def _indented(text: str) -> Iterator[str]:
    """The lines of a text, none of which can be taken for a line that is not its own."""
    return (f"  {_plain(line)}" for line in text.split("\n"))


def _plain(text: str) -> str:
    """The text without what a terminal would take for a command."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)


@click.command("recorded")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--show",
    nargs=2,
    type=click.IntRange(min=0),
    metavar="K N",
    help="Print N prompts from the Kth on, counted from 0.",
)
@click.option(
    "--put", type=click.Path(path_type=Path), metavar="FILE", help="Add the replies of FILE."
)
def main(folder: Path, show: tuple[int, int] | None, put: Path | None) -> None:
    """Show the prompts in FOLDER that wait for a reply, or add replies to them.

    FILE holds a line {"key": …, "reply": …} for each. Exit code 2 where one was refused.
    """
    try:
        refused = _put(folder, put) if put else 0
        _show(folder, show)
    except RagError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    sys.exit(2 if refused else 0)


def _put(folder: Path, file: Path) -> int:
    """Add the replies; how many were refused."""
    done = add_replies(folder, file)
    for reason in done.refused:
        click.echo(_plain(reason), err=True)
    click.echo(f"{done.added} replies taken, {len(done.refused)} refused")
    return len(done.refused)


def _show(folder: Path, show: tuple[int, int] | None) -> None:
    """Print some of the prompts that wait, and how many there are."""
    found = waiting(folder)
    if show:
        first, count = show
        for line in told(found[first : first + count]):
            click.echo(line)
    click.echo(f"{len(found)} prompts wait for a reply")


if __name__ == "__main__":
    main()
