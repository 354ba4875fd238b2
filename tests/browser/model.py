"""A chat model on loopback that a test can hold in the middle of its reply."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


def _claim(number: str, sentence: str, known: dict[str, str]) -> str:
    claim = {"ids": [int(number)], "text": known.get(sentence, sentence)}
    return json.dumps(claim, ensure_ascii=False)


@contextmanager
def paced_model() -> Iterator[PacedModel]:
    """The model behind a real OpenAI-compatible server."""
    model = PacedModel()
    handler = type("Paced", (_Handler,), {"model": model})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield model
    finally:
        model.go_on.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    model: PacedModel

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for part in self.model.reply(str(body["messages"][-1]["content"])):
                self._send(_chunk({"role": "assistant", "content": part}) if part else ": \n\n")
            self._send(_chunk({}, "stop") + "data: [DONE]\n\n")
        except OSError:
            self.model.left.set()

    def _send(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


def _chunk(delta: dict[str, str], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "paced"}
    return f"data: {json.dumps({**event, 'choices': [choice]})}\n\n"
