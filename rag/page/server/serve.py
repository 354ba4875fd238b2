"""Listens, and serves the page until Ctrl-C.

Gradio takes seconds to load, so it is imported only once the address is known to be free.
"""

import asyncio
import errno
import gc
import ipaddress
import logging
import os
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request

from rag.engine import Rag
from rag.errors import RagError, SettingsError
from rag.ingestion.staging import MOST_BYTES
from rag.page.server.access import check_access, is_loopback, login_check, uploads_allowed
from rag.page.server.guard import Guard
from rag.settings import Settings

if TYPE_CHECKING:
    import gradio as gr
    from gradio.routes import App

_HOUR = 60 * 60
_LONGEST_END = 5.0
"""Seconds that Ctrl-C may wait for what is being loaded."""
_PAGE = Path(__file__).parents[1]
_STYLES = [_PAGE / name for name in ("server/layout.css", "chat/chat.css", "sources/sources.css")]
_log = logging.getLogger(__name__)


def serve(engine: Rag) -> None:
    """Serve the chat page until Ctrl-C, which also stops an answer on its way.

    Raises SettingsError when the settings would let in who should not be, or when it
    cannot listen on their host and port.
    """
    settings = engine.settings
    check_access(settings)
    with (
        listen(settings.host, settings.port) as listener,
        _own_folder(),
        suppress(KeyboardInterrupt),
    ):
        asyncio.run(_serve(engine, listener))
    # The interpreter looks through every object once more before it ends, and after
    # Ctrl-C a person waits for it: half a second that nothing is gained by.
    gc.freeze()


async def _serve(engine: Rag, listener: socket.socket) -> None:
    await server(engine).serve(sockets=[listener])


@contextmanager
def _own_folder() -> Iterator[None]:
    """A folder for uploads that no other user of the machine can read, and that goes at the end.

    Gradio's own is one for all programs and users, and stays.
    """
    name = "GRADIO_TEMP_DIR"
    before = os.environ.get(name)
    with tempfile.TemporaryDirectory(
        prefix="quoted-rag-", dir=before, ignore_cleanup_errors=True
    ) as folder:
        os.environ[name] = folder
        try:
            yield
        finally:
            del os.environ[name]
            if before is not None:
                os.environ[name] = before


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there and nowhere else; raises SettingsError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} of {host} is taken by another program; "
                "end that one or choose another port with RAG_PORT"
            ) from error
        reason = error.strerror if isinstance(error, OSError) else "no name of a host"
        raise SettingsError(
            f"cannot listen on RAG_HOST={host!r}, RAG_PORT={port} "
            f"({reason}); 127.0.0.1 and a port above 1023 always do"
        ) from error


def server(engine: Rag, blocks: "gr.Blocks | None" = None) -> uvicorn.Server:
    """The web server of the page, to be run on a socket from `listen`.

    `blocks` is the page; None is that of this package. Call it in the event loop that will
    run it: outside of one Gradio opens loops that it never closes. The server is ours, not
    that of `Blocks.launch`, which waits for open tabs when it is to end, and when it begins
    asks itself over HTTP whether it runs, through a proxy where one is set.
    """
    if blocks is None:
        from rag.page.server.layout import page

        blocks = page(engine)
    settings = engine.settings
    app = FastAPI(openapi_url=None)

    def signed_in(request: Request) -> str | None:
        return _user(app.state.gradio, request)

    app.state.gradio = _mount(app, blocks, settings)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    return _Server(engine, Guard(app, settings, signed_in))


def _mount(app: FastAPI, blocks: "gr.Blocks", settings: Settings) -> "App":
    """Gradio's own application, mounted at the root of ours."""
    import gradio as gr

    # Only then does Gradio ask of a file whether it was uploaded by its visitor.
    blocks.has_launched = True
    # How often to look for uploaded files, and how old they may be: seconds.
    blocks.delete_cache = (_HOUR, _HOUR)
    with warnings.catch_warnings():
        # It says that it will not do what it is told not to do.
        warnings.filterwarnings("ignore", "SSR mode is not supported", UserWarning)
        gr.mount_gradio_app(
            app,
            blocks,
            path="/",
            auth=login_check(settings),
            theme=_theme(),
            css_paths=_STYLES,
            footer_links=["api"],
            show_error=True,
            max_file_size=MOST_BYTES if uploads_allowed(settings) else 1,
            # Gradio's history of calls offers to keep them on a public service.
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
        )
    mounted: App = app.routes[-1].app  # type: ignore[attr-defined]
    return mounted


def _user(gradio: "App", request: Request) -> str | None:
    """Who is signed in, by the cookies that Gradio gives at its login."""
    for name in ("access-token", "access-token-unsecure"):
        token = request.cookies.get(f"{name}-{gradio.cookie_id}")
        if token in gradio.tokens:
            return str(gradio.tokens[token])
    return None


def _is_news(record: logging.LogRecord) -> bool:
    """False for the connections of open tabs that are cut at the end, as they must be."""
    cut = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut and not str(record.msg).startswith("Cancel %s running task(s)")


def _theme() -> "gr.themes.Base":
    """Fonts of the reader's own system, which has those of the reader's own script."""
    import gradio as gr

    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"])
    return theme.set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        # White on it is to be read.
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
    )


class _Server(uvicorn.Server):
    def __init__(self, engine: Rag, app: Guard) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, log_level="warning", timeout_graceful_shutdown=0, ws="none"
            )
        )
        self._engine = engine
        self._ending = threading.Event()
        self._warming = threading.Thread(target=self._warm_up, name="rag-warm-up", daemon=True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        login = self._engine.settings.login is not None
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            print(announcement(host, port, login), flush=True)
        self._warming.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        # Nobody may close the files that it reads.
        self._ending.set()
        self._warming.join(_LONGEST_END)

    def _warm_up(self) -> None:
        """Make the first question as fast as the others; it will tell what does not work."""
        try:
            self._engine.warm_up(self._ending)
        except RagError as error:
            _log.warning("%s", error)
        except Exception:
            _log.exception("the first question will be slow")


def announcement(host: str, port: int, login: bool = False) -> str:
    """Where a browser on this machine finds the page; a second line if others do too.

    >>> announcement("127.0.0.1", 7860)
    'chat at http://127.0.0.1:7860'
    """
    address = ipaddress.ip_address(host)
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    line = f"chat at http://{f'[{own}]' if address.version == 6 else own}:{port}"
    if is_loopback(host):
        return line
    if login:
        return f"{line}\nwho reaches port {port} of {host} can sign in with RAG_LOGIN, and ask"
    return (
        f"{line}\nanyone who reaches port {port} of {host} can ask; "
        "RAG_LOGIN=user:password closes it, RAG_HOST=127.0.0.1 keeps it to this machine"
    )
