"""Chat servers on loopback that do what a test says: real HTTP, and what to send is a function."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from rag.models.chat import chat_model
from rag.models.conversation import Conversation
from rag.settings import Settings

ASK: list[BaseMessage] = [SystemMessage("Reply in one word."), HumanMessage("Capital of France?")]

IDS = {
    "type": "object",
    "properties": {"ids": {"type": "array", "items": {"enum": [7]}, "maxItems": 2}},
    "required": ["ids"],
    "additionalProperties": False,
}

DONE = "data: [DONE]\n\n"
STREAM = "text/event-stream"


def settings(**values: Any) -> Settings:
    return Settings.read(**{"timeout": 600.0, "max_tokens": 24, **values})


def conversation(**values: Any) -> Conversation:
    model = chat_model(settings(**values))
    assert model is not None
    return Conversation(model, settings(**values))


# --- a server


class ChatRequest(BaseHTTPRequestHandler):
    """Answers every request as `play` says; counts them."""

    play: Callable[["ChatRequest"], None]
    requests: list[str]

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.respond()

    def respond(self) -> None:
        self.requests.append(self.path)
        type(self).play(self)

    def send(self, status: int, body: object, kind: str = "application/json") -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


Play = Callable[[ChatRequest], None]


@contextmanager
def chat_server(play: Callable[[ChatRequest], None]) -> Iterator[tuple[str, list[str]]]:
    requests: list[str] = []
    handler = type("Playing", (ChatRequest,), {"play": staticmethod(play), "requests": requests})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", requests
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def recorded(play: Play) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server and the bodies that it was sent."""
    bodies: list[dict[str, Any]] = []

    def record(to: ChatRequest) -> None:
        if hasattr(to, "body"):
            bodies.append(to.body)
        play(to)

    with chat_server(record) as (url, _):
        yield url, bodies


# --- what it sends


def chunk(text: str | None = None, **rest: Any) -> str:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**event, 'choices': [{**choice, **rest}]})}\n\n"


def speak(to: ChatRequest, *pieces: str) -> None:
    to.send(200, "".join(pieces) + DONE, STREAM)


def refusing(status: int, message: str = "no") -> Callable[[ChatRequest], None]:
    return lambda to: to.send(status, {"error": {"message": message}})


def listing(*names: str, refused: str = "") -> Play:
    def play(to: ChatRequest) -> None:
        if to.path == "/v1/models":
            to.send(200, {"object": "list", "data": [{"id": name} for name in names]})
        elif to.path != "/v1/chat/completions":
            to.send(404, {"error": "no such page"})
        elif refused and to.body["model"].startswith(refused):
            told = f'"{to.body["model"]}" does not support chat'
            to.send(400, {"error": {"message": told}})
        else:
            speak(to, chunk(to.body["model"]))

    return play


def close_after(text: str) -> Play:
    def play(to: ChatRequest) -> None:
        to.send_response(200)
        to.send_header("Content-Type", STREAM)
        to.end_headers()
        to.wfile.write(chunk(text).encode())
        to.wfile.flush()
        to.close_connection = True

    return play


def break_after(text: str) -> Play:
    def play(to: ChatRequest) -> None:
        to.send_response(200)
        to.send_header("Content-Type", STREAM)
        to.send_header("Content-Length", "90000")
        to.end_headers()
        to.wfile.write(chunk(text).encode())
        to.wfile.flush()
        to.connection.shutdown(socket.SHUT_RDWR)

    return play


def reset(to: ChatRequest) -> None:
    to.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    to.connection.close()


class Replies:
    """Streams its replies in turn, word by word, the last one for ever on; keeps what was asked."""

    def __init__(self, *replies: str, endless: bool = False) -> None:
        self.asked: list[dict[str, Any]] = []
        self.read = 0
        """Words that somebody took."""
        self.left = threading.Event()
        """Set once somebody hung up before the end."""
        self._replies, self._endless = replies, endless

    @property
    def prompts(self) -> list[str]:
        """The last message of each request."""
        return [body["messages"][-1]["content"] for body in self.asked]

    def __call__(self, to: ChatRequest) -> None:
        self.asked.append(to.body)
        to.send_response(200)
        to.send_header("Content-Type", STREAM)
        to.end_headers()
        words = self._replies[min(len(self.asked), len(self._replies)) - 1].split(" ")
        try:
            for word in words * 1000 if self._endless else words:
                self._send(to, chunk(f"{word} "))
                self.read += 1
                self.left.wait(0.02 if self._endless else 0)
            self._send(to, chunk(None, finish_reason="stop") + DONE)
        except OSError:
            self.left.set()

    def _send(self, to: ChatRequest, text: str) -> None:
        to.wfile.write(text.encode())
        to.wfile.flush()
