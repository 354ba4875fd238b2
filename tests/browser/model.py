"""A chat model on loopback that a test can hold in the middle of its reply."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chat_servers import DONE, STREAM, ChatRequest, chat_server, chunk

from .corpus import BOOKS

_SENTENCE = re.compile(r"^\[(\d+)\] (.*\d.*)$", re.MULTILINE)
"""One with a figure: a headline tells nothing."""
_QUOTE = re.compile(r"^<quote>(.*)</quote>$", re.MULTILINE)
ENGLISH = {BOOKS: "There are 2,310 books in the library of the city of Kaldon."}
_BEAT = 0.05
"""Seconds between two signs of life while the reply is held."""


class PacedModel:
    """Claims the first sentence with a figure, and waits for `go_on` in the middle of the last.

    `left` is set when the client hung up before the end. What is to be in English is taken
    from `ENGLISH`, and so is the translation of a quote.
    """

    def __init__(self) -> None:
        self.url = ""
        self.go_on, self.left = threading.Event(), threading.Event()
        self.asked: list[str] = []

    def reset(self) -> None:
        """Hold the next reply, and forget the ones before."""
        self.asked.clear()
        self.go_on.clear()
        self.left.clear()

    def reply(self, prompt: str) -> Iterator[str]:
        """The reply in parts; an empty one says that the model still thinks."""
        self.asked.append(prompt)
        if quote := _QUOTE.search(prompt):
            yield json.dumps({"translation": ENGLISH[quote[1]]})
            return
        sentences = _SENTENCE.findall(prompt)
        known = ENGLISH if "Answer in English" in prompt else {}
        first, last = (
            _claim(number, sentence, known) for number, sentence in (sentences[0], sentences[-1])
        )
        yield f'{{"claims": [{first}, {last[: len(last) // 2]}'
        while not self.go_on.wait(_BEAT):
            yield ""
        yield f"{last[len(last) // 2 :]}]}}"

    def answer(self, to: ChatRequest) -> None:
        """Stream the reply to a request, and note who hangs up."""
        to.send_response(200)
        to.send_header("Content-Type", STREAM)
        to.end_headers()
        try:
            for part in self.reply(str(to.body["messages"][-1]["content"])):
                to.wfile.write((chunk(part) if part else ": \n\n").encode())
                to.wfile.flush()
            to.wfile.write((chunk(None, finish_reason="stop") + DONE).encode())
        except OSError:
            self.left.set()


def _claim(number: str, sentence: str, known: dict[str, str]) -> str:
    claim = {"ids": [int(number)], "text": known.get(sentence, sentence)}
    return json.dumps(claim, ensure_ascii=False)


@contextmanager
def paced_model() -> Iterator[PacedModel]:
    """The model behind a real OpenAI-compatible server."""
    model = PacedModel()
    with chat_server(model.answer) as (model.url, _):
        try:
            yield model
        finally:
            model.go_on.set()
