"""Who may come in, and what is refused without a login.

Gradio keeps the login itself: its form, its cookies, and who is signed in. What is decided
here is whether there is one, whether a password is right, and what each request may have.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.errors import SettingsError
from rag.page.html.words import LANGUAGES
from rag.records import Record
from rag.settings import Settings

if TYPE_CHECKING:
    from starlette.requests import Request

LoginCheck = Callable[[str, str], Awaitable[bool]]
SignedIn = Callable[["Request"], str | None]

_GUESSES_AT_ONCE = 4
_WRONG_SECONDS = 1.0
_ENGLISH = next(iter(LANGUAGES))
# What a browser needs to show the login form, and no word of the articles.
_OPEN = ("/login", "/theme.css", "/favicon.ico", "/robots.txt", "/gradio_api/login_check")
_OPEN_FOLDERS = ("/assets/", "/static/", "/svelte/")
# Parts of Gradio that the page does not use: they fetch from other servers, tell of every
# visitor, or write.
_CLOSED = ("proxy=", "vibe-", "run-history", "runs", "deep_link", "process_recording", "dev/")


@dataclass(frozen=True, slots=True)
class Refusal(Record):
    """Why a request gets nothing: an HTTP status, and one line."""

    status: int
    line: str


def is_loopback(host: str) -> bool:
    """Whether an address, or "localhost", is reached from this machine only.

    Any other name is taken to be reached from elsewhere.

    >>> [is_loopback(host) for host in ("127.0.0.2", "[::1]", "LocalHost.", "0.0.0.0", "box")]
    [True, True, True, False, False]
    """
    host = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def check_access(settings: Settings) -> None:
    """Raise SettingsError where others would reach the page and nobody has said they may."""
    if not (is_loopback(settings.host) or settings.login or settings.public):
        raise SettingsError(
            f"RAG_HOST={settings.host!r} lets other machines reach the page without a login; "
            "set RAG_LOGIN=user:password, or RAG_PUBLIC=on to let everyone in"
        )


def uploads_allowed(settings: Settings) -> bool:
    """Whether the page takes files of its visitors.

    It does where only this machine or who is signed in can reach it. Beyond loopback and
    without a login it does not, whatever RAG_UPLOADS says: a stranger could fill the disk
    and put words into the articles that others are answered from.
    """
    closed = is_loopback(settings.host) or settings.login is not None
    return closed and settings.uploads != "off"


def login_check(settings: Settings) -> LoginCheck | None:
    """Whether a user and a password are those of RAG_LOGIN; None where none is set.

    The password is kept as a salted hash. A wrong user takes the same work as a wrong
    password. A wrong guess is answered after a second, four at a time in all, so that
    guessing is slow however many connections do it.
    """
    if settings.login is None:
        return None
    user, _, password = settings.login.get_secret_value().partition(":")
    salt = secrets.token_bytes(16)
    right_user, right_password = _text_bytes(user.strip()), _hashed(password, salt)
    turns = asyncio.Semaphore(_GUESSES_AT_ONCE)

    async def check(user: str, password: str) -> bool:
        async with turns:
            given = await asyncio.to_thread(_hashed, password, salt)
            same_password = hmac.compare_digest(given, right_password)
            if hmac.compare_digest(_text_bytes(user.strip()), right_user) and same_password:
                return True
            await asyncio.sleep(_WRONG_SECONDS)
            return False

    return check


def _hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(_text_bytes(password), salt=salt, n=2**14, r=8, p=1)


def _text_bytes(text: str) -> bytes:
    """A letter and its accent are one or two code points, as the keyboard has it (RFC 8265)."""
    return unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")


def page_language(path: str) -> str | None:
    """The language of the page at a path of the server; None where there is no page.

    >>> page_language("/"), page_language("/he"), page_language("/en"), page_language("/he/x")
    ('en', 'he', None, None)
    """
    if path == "/":
        return _ENGLISH
    lang = path.removeprefix("/")
    return lang if lang in LANGUAGES and lang != _ENGLISH else None


def refusal(request: "Request", settings: Settings, signed_in: SignedIn) -> Refusal | None:
    """Why this request is turned away; None lets it through.

    In this order: a foreign name in the Host header, a request that another site makes, a
    part of the server that is closed to all, and one that is closed without a login.
    """
    path, host = request.url.path, request.headers.get("host", "")
    if is_loopback(settings.host) and not settings.login and not _names_this_machine(host):
        return Refusal(403, f"the page is not at {host!r}; open 127.0.0.1, or set RAG_LOGIN")
    if _from_another_site(request):
        return Refusal(403, "a request from another site is refused; open the page itself")
    if _is_closed(path, settings):
        return Refusal(403, "this part of the server is closed")
    if settings.login and not _is_open(path) and signed_in(request) is None:
        return Refusal(401, "not signed in; open the page and sign in")
    return None


def _names_this_machine(host: str) -> bool:
    """Another name means that a site has made its name lead here, to read as if it were us.

    Starlette's TrustedHostMiddleware knows neither IPv6 nor all of 127.0.0.0/8 nor "localhost.".
    """
    try:
        parts = urlsplit(f"//{host}")
    except ValueError:
        return False
    return "@" not in parts.netloc and is_loopback(parts.hostname or "")


def _from_another_site(request: "Request") -> bool:
    """A request that may change something, and that a browser sends for another site.

    Browsers say so themselves (Sec-Fetch-Site), old ones and plain HTTP by Origin only.
    """
    if request.method in ("GET", "HEAD"):
        return False
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _is_closed(path: str, settings: Settings) -> bool:
    called = path.removeprefix("/gradio_api/")
    if called == path:
        return path.startswith("/monitoring")
    fetches = called.startswith("file") and "://" in called
    upload = called.startswith("upload") and not uploads_allowed(settings)
    return fetches or upload or called.startswith(_CLOSED)


def _is_open(path: str) -> bool:
    plain = path.rstrip("/") or "/"
    return plain in _OPEN or page_language(path) is not None or path.startswith(_OPEN_FOLDERS)
