"""Who may come in: what is decided from the settings, and what the real server refuses."""

import asyncio
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import gradio_client  # type: ignore[import-untyped]
import httpx
import huggingface_hub.constants
import pytest
from gradio_client.exceptions import AuthenticationError  # type: ignore[import-untyped]
from small_page import SmallPage, SmallRag, serving, small_settings
from starlette.routing import Mount, Route

from rag.errors import SettingsError
from rag.page.html.words import LANGUAGES
from rag.page.server.access import check_access, is_loopback, login_check, uploads_allowed
from rag.settings import Settings

pytestmark = pytest.mark.slow

LOGIN = ("ann", "pass:ş w")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:192.0.2.1", False),
        ("192.0.2.1", False),
        ("", False),
        ("127.0.0.1.example.org", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, here: bool) -> None:
    assert is_loopback(host) == here


@pytest.mark.parametrize(
    ("flags", "reached", "uploads"),
    [
        ({}, True, True),
        ({"uploads": "off"}, True, False),
        ({"login": "a:b", "uploads": "off"}, True, False),
        ({"host": "0.0.0.0"}, False, False),
        ({"host": "0.0.0.0", "login": "a:b"}, True, True),
        ({"host": "0.0.0.0", "public": "on"}, True, False),
        ({"host": "0.0.0.0", "public": "on", "uploads": "on"}, True, False),
        ({"host": "0.0.0.0", "public": "on", "uploads": "on", "login": "a:b"}, True, True),
        ({"host": "box.example.org", "uploads": "on"}, False, False),
    ],
)
def test_settings_say_who_comes_in(flags: dict[str, str], reached: bool, uploads: bool) -> None:
    settings = Settings.read(**flags)
    assert uploads_allowed(settings) == uploads
    if reached:
        check_access(settings)
    else:
        with pytest.raises(SettingsError, match=r"^RAG_HOST=.*RAG_LOGIN=user:password.*RAG_PUBLIC"):
            check_access(settings)


@pytest.mark.parametrize(
    ("user", "password", "right"),
    [
        ("ann", "pass:ş w", True),
        ("ann", unicodedata.normalize("NFD", "pass:ş w"), True),
        (" ann ", "pass:ş w", True),
        ("ann", "pass", False),
        ("ann", "pass:ş w ", False),
        ("ann", "pass:s w", False),
        ("ann", "", False),
        ("Ann", "pass:ş w", False),
        ("bob", "pass:ş w", False),
        ("", "", False),
        ("\ud800", "\ud800", False),
    ],
)
async def test_login_is_user_and_password(user: str, password: str, right: bool) -> None:
    check = login_check(Settings.read(login=":".join(LOGIN)))
    assert check is not None
    assert await check(user, password) == right


async def test_checking_a_password_lets_others_go_on() -> None:
    check = login_check(Settings.read(login=":".join(LOGIN)))
    assert check is not None
    checking = asyncio.ensure_future(check(*LOGIN))
    await asyncio.sleep(0)
    assert not checking.done()
    assert await checking


def test_without_a_login_there_is_nothing_to_check() -> None:
    assert login_check(Settings.read()) is None


@pytest.fixture(scope="module")
def closed_page() -> SmallPage:
    return SmallPage()


@pytest.fixture(scope="module")
def closed_url(tmp_path_factory: pytest.TempPathFactory, closed_page: SmallPage) -> Iterator[str]:
    """A server with a login, that may be reached by any name."""
    folder = tmp_path_factory.mktemp("closed")
    engine = SmallRag(small_settings(folder, host="0.0.0.0", login=":".join(LOGIN)))
    with serving(engine, closed_page) as url:
        yield url


@contextmanager
def signed_in(url: str) -> Iterator[httpx.Client]:
    """A client that has been through the login; its cookies are those of plain HTTP."""
    with httpx.Client(base_url=url) as client:
        reply = client.post("/login", data={"username": LOGIN[0], "password": LOGIN[1]})
        assert reply.json() == {"success": True}
        yield client


GIVES = [
    ("GET", "/config", 200),
    ("GET", "/gradio_api/info", 200),
    ("GET", "/gradio_api/openapi.json", 200),
    ("GET", "/gradio_api/queue/status", 200),
    ("POST", "/gradio_api/queue/join", 422),
    ("POST", "/gradio_api/run/say", 422),
    ("POST", "/gradio_api/call/say", 422),
    ("POST", "/gradio_api/cancel", 422),
    ("POST", "/gradio_api/component_server", 400),
    ("POST", "/gradio_api/upload", 400),
    ("GET", "/gradio_api/file=/etc/hostname", 403),
]


@pytest.mark.parametrize(("method", "path", "status"), GIVES, ids=lambda each: str(each))
def test_nothing_is_given_before_the_login(
    closed_url: str, method: str, path: str, status: int
) -> None:
    forged = {"Cookie": "access-token=x; access-token-unsecure=x"}
    for headers in ({}, forged):
        reply = httpx.request(method, f"{closed_url}{path}", headers=headers)
        assert (reply.status_code, reply.text) == (
            401,
            "not signed in; open the page and sign in\n",
        )
    with signed_in(closed_url) as client:
        assert client.request(method, path).status_code == status


def paths(app: Any) -> Iterator[tuple[str, str]]:
    """Each method and path that the application has, "x" for what may stand there."""
    for route in app.routes:
        router = getattr(route, "original_router", None)  # which newer FastAPI keeps apart
        if router is not None or isinstance(route, Mount):
            yield from paths(router or route.app)
        elif isinstance(route, Route):
            path = re.sub(r"{[^}]*}", "x", route.path)
            yield from ((method, path) for method in (route.methods or set()) - {"HEAD"})


OPEN = {
    "/login", "/theme.css", "/robots.txt", "/favicon.ico", "/gradio_api/login_check",
    "/static/x", "/assets/x", "/svelte/x", "/", *(f"/{lang}" for lang in LANGUAGES),
}  # fmt: skip


def test_every_route_there_is_asks_for_the_login(closed_url: str, closed_page: SmallPage) -> None:
    routes = set(paths(closed_page.served))
    assert {("GET", "/config"), ("POST", "/gradio_api/queue/join")} <= routes
    given = [
        (method, path)
        for method, path in sorted(routes)
        if (path.rstrip("/") or "/") not in OPEN
        and httpx.request(method, f"{closed_url}{path}").status_code not in (401, 403)
    ]
    assert given == []


def test_page_before_the_login_tells_nothing_of_itself(closed_url: str) -> None:
    closed = httpx.get(closed_url).text
    assert '"auth_required":true' in closed
    assert "/say" not in closed
    with signed_in(closed_url) as client:
        assert "/say" in client.get("/").text


def test_signing_out_ends_it_for_good(closed_url: str) -> None:
    with signed_in(closed_url) as client:
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        assert client.get("/config").status_code == 200
        assert client.get("/logout").status_code == 302
        assert client.get("/config").status_code == 401
    assert httpx.get(f"{closed_url}/config", headers={"cookie": cookies}).status_code == 401


def test_cookies_of_the_login_stay_on_this_site(closed_url: str) -> None:
    data = {"username": LOGIN[0], "password": LOGIN[1]}
    reply = httpx.post(f"{closed_url}/login", data=data)
    cookies = [cookie.lower() for cookie in reply.headers.get_list("set-cookie")]
    assert len(cookies) == 2
    assert all("httponly" in cookie and "samesite=lax" in cookie for cookie in cookies)


def test_wrong_login_opens_nothing(closed_url: str) -> None:
    with httpx.Client(base_url=closed_url) as client:
        reply = client.post("/login", data={"username": LOGIN[0], "password": "wrong"})
        assert reply.status_code == 400
        assert not client.cookies
        assert client.get("/config").status_code == 401


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., gradio_client.Client]]:
    """Gradio's own client for a URL, kept from calling its makers."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with ExitStack() as opened:

        def connect(url: str, **login: Any) -> gradio_client.Client:
            client = gradio_client.Client(url, verbose=False, analytics_enabled=False, **login)
            opened.callback(client.close)
            return client

        yield connect


def test_client_with_the_login_can_ask(
    closed_url: str, connect: Callable[..., gradio_client.Client]
) -> None:
    client = connect(closed_url, auth=LOGIN)
    assert client.predict("How long?", api_name="/say") == "How long? "


def test_client_without_the_login_cannot(
    closed_url: str, connect: Callable[..., gradio_client.Client]
) -> None:
    with pytest.raises(AuthenticationError):
        connect(closed_url)
    with pytest.raises(ValueError, match="Could not login"):
        connect(closed_url, auth=("ann", "wrong"))


def test_client_needs_no_login_where_there_is_none(
    tmp_path: Path, connect: Callable[..., gradio_client.Client]
) -> None:
    with serving(SmallRag(small_settings(tmp_path))) as url:
        assert connect(url).predict("How long?", api_name="/say") == "How long? "


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/proxy=https://example.hf.space/x"),
        ("GET", "/gradio_api/file=https://example.org/x"),
        ("GET", "/gradio_api/file/HTTP://example.org/x"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/deep_link?session_hash=a"),
        ("POST", "/gradio_api/vibe-edit"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/x"),
    ],
)
def test_parts_that_reach_out_are_closed_to_all(closed_url: str, method: str, path: str) -> None:
    with signed_in(closed_url) as client:
        reply = client.request(method, path)
    assert (reply.status_code, reply.text) == (403, "this part of the server is closed\n")
