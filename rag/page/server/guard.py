"""What every reply of the server carries: a content security policy, and the page's language.

It stands around the whole application, so that nothing which Gradio adds is forgotten.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from string import Template
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.languages.cldr import script_direction
from rag.page.html.markup import markup
from rag.page.html.words import LANGUAGES, preferred
from rag.page.server.access import Refusal, SignedIn, is_loopback, page_language, refusal
from rag.page.server.request_body import checked_body
from rag.settings import Settings

COOKIE = "page_language"
_YEAR = 365 * 24 * 60 * 60

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
# Gradio lets every site read what it answers where it listens beyond loopback.
_SHARED = (
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
)
_LOCKED = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script>", re.DOTALL)
# Titles and pictures for other sites, with addresses of Gradio's, and a manifest of an
# application to install, which the page is not.
_OUTSIDE = re.compile(
    r"""\s*<(?:meta\s+(?:property|name)=["'](?:og|twitter):|link\s+rel=["']manifest["'])[^>]*>"""
)
_HTML = re.compile(r'<html\s+lang="en"')
_API_INFO = re.compile(r"(<script>window\.gradio_api_info = ).*?(;</script>)", re.DOTALL)
# Gradio's own words, such as those of its API view, go by the browser's language.
_NAVIGATOR = Template(
    'Object.defineProperty(navigator,"language",{value:"$lang"});'
    'Object.defineProperty(navigator,"languages",{value:["$lang"]});'
)
_NO_ENDPOINTS = '{"named_endpoints":{},"unnamed_endpoints":{}}'


class Guard:
    """An ASGI application around another one: turns away, redirects, and changes replies.

    Only the few pages are held back until they are whole. All else passes as it comes, so
    that a stream stays one.
    """

    def __init__(self, app: ASGIApp, settings: Settings, signed_in: SignedIn) -> None:
        self.app = app
        self._settings = settings
        self._signed_in = signed_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is not HTTP passes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        send = _Reply(send, request).send
        why = refusal(request, self._settings, self._signed_in)
        instead = _refused(why) if why else redirection(request)
        if instead is not None:
            await instead(scope, receive, send)
            return
        lang = page_language(request.url.path)
        if lang is not None or is_loopback(self._settings.host):
            # A page is changed before it is sent, and on this machine compressing takes longer
            # than sending.
            scope = _without(scope, b"accept-encoding")
        if lang is not None:
            closed = self._settings.login is not None and self._signed_in(request) is None
            send = _Page(send, lang, closed).send
        received = await checked_body(request, receive)
        if isinstance(received, Refusal):
            await _refused(received)(scope, receive, send)
            return
        await self.app(scope, received, send)


def _refused(why: Refusal) -> Response:
    return PlainTextResponse(f"{why.line}\n", why.status)


def redirection(request: Request) -> Response | None:
    """The reply that leads a browser to the page in its language; None serves what is asked.

    `?lang=he` is a choice and is kept for a year; before that the browser's own languages
    count, for the address "/" only, and not for its view of the API, which has one language.
    Other parameters of the query survive. A program that does not ask for HTML is led nowhere.
    """
    if request.method not in ("GET", "HEAD") or page_language(request.url.path) is None:
        return None
    chosen = request.query_params.get("lang", "")
    if chosen in LANGUAGES:
        reply = RedirectResponse(_address(chosen, request), 303)
        reply.set_cookie(COOKIE, chosen, max_age=_YEAR, path="/", samesite="lax")
        return reply
    if "api" in request.query_params:
        return None
    if request.url.path != "/" or "text/html" not in request.headers.get("accept", ""):
        return None
    kept = request.cookies.get(COOKIE, "")
    lang = kept if kept in LANGUAGES else preferred(request.headers.get("accept-language", ""))
    return None if page_language("/") == lang else RedirectResponse(_address(lang, request), 307)


def _address(lang: str, request: Request) -> str:
    path = "/" if page_language("/") == lang else f"/{lang}"
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"{path}?{urlencode(query)}" if query else path


def localised(html: str, lang: str, closed: bool = False) -> str:
    """Gradio's page in one of LANGUAGES, without what it tells of other places.

    Its lines end as a browser reads them, in a line feed alone. `closed` leaves out the names
    of the endpoints, for who is not signed in.
    """
    html = html.replace("\r\n", "\n").replace("\r", "\n")
    root = markup('<html lang="{lang}" dir="{way}"', lang=lang, way=script_direction(lang))
    html = _OUTSIDE.sub("", _HTML.sub(root, html, count=1))
    if closed:
        html = _API_INFO.sub(rf"\g<1>{_NO_ENDPOINTS}\g<2>", html)
    script = Markup(_NAVIGATOR.substitute(lang=lang))
    return html.replace("<head>", markup("<head><script>{script}</script>", script=script), 1)


def page_policy(html: str) -> str:
    """The content security policy of a page, with a hash of each script that stands in it.

    Nothing comes from or goes to another place, and no script runs that is not the
    server's own file or one of these. 'unsafe-eval' is for scripts only, and only because
    Gradio compiles the templates and the `js` of its parts in the browser; its parts also
    carry styles in attributes.
    """
    hashes = " ".join(dict.fromkeys(map(_hash, _INLINE_SCRIPT.findall(html))))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'unsafe-eval' {hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


class _Reply:
    """Sends a reply with the headers that every one has."""

    def __init__(self, send: Send, request: Request) -> None:
        self._send = send
        self._path = request.url.path

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(map(_for_this_site, message.get("headers", ()))))
            for name in _SHARED:
                del headers[name]
            headers.update(_HEADERS | self._more(headers, message["status"]))
            message = {**message, "headers": headers.raw}
        await self._send(message)

    def _more(self, headers: Mapping[str, str], status: int) -> dict[str, str]:
        more: dict[str, str] = {}
        uploaded = self._path.startswith(("/gradio_api/file", "/gradio_api/stream"))
        html = "html" in headers.get("content-type", "")
        if (uploaded or html) and "content-security-policy" not in headers:
            more["content-security-policy"] = _LOCKED
        if self._path.startswith("/assets/") and status == 200:
            # The name of such a file holds a hash of what is in it.
            more["cache-control"] = "public, max-age=31536000, immutable"
        return more


class _Page:
    """Holds a page back until it is whole, and sends it in its language."""

    def __init__(self, send: Send, lang: str, closed: bool) -> None:
        self._send = send
        self._lang = lang
        self._closed = closed
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers = MutableHeaders(raw=list(self._start.get("headers", ())))
        if headers.get("content-type", "").startswith("text/html"):
            html = localised(self._body.decode(), self._lang, self._closed)
            self._body = html.encode()
            headers["content-length"] = str(len(self._body))
            headers["content-security-policy"] = page_policy(html)
            headers["cache-control"] = "private, no-cache"
            headers["vary"] = "Accept, Accept-Language, Cookie"
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": self._body})


def _for_this_site(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A header as it is; the login's cookie is not sent along with requests of other sites."""
    name, value = header
    return name, value.replace(
        b"SameSite=none", b"SameSite=lax"
    ) if name == b"set-cookie" else value


def _without(scope: Scope, name: bytes) -> Scope:
    return {**scope, "headers": [(each, value) for each, value in scope["headers"] if each != name]}
