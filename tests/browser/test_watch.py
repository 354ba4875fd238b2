"""The watch over a page sees what it is there for: else no other test here could fail."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from .conftest import Watch

POLICY = "<meta http-equiv=Content-Security-Policy content=\"img-src 'none'\">"


@pytest.fixture
def watched(chrome: Browser) -> Callable[[str], Watch]:
    """Opens HTML, and gives a watch over it that no fixture checks at the end."""

    def open_html(html: str) -> Watch:
        watching, context = Watch(), chrome.new_context()
        watching.over(context)
        page: Page = context.new_page()
        page.route(
            "http://127.0.0.1:9/", lambda route: route.fulfill(body=html, content_type="text/html")
        )
        page.goto("http://127.0.0.1:9/")
        page.wait_for_timeout(200)
        context.close()
        return watching

    return open_html


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("<script>console.error('lost')</script>", "console: lost"),
        ("<script>throw new Error('broken')</script>", "uncaught: broken"),
        ("<script>alert('hello')</script>", "a dialog: hello"),
        ("<script>Promise.reject(new Error('late'))</script>", "uncaught: late"),
        (f"{POLICY}<img src=http://127.0.0.1:9/a.png>", "policy: img-src refused"),
    ],
)
def test_fault_is_seen(watched: Callable[[str], Watch], html: str, told: str) -> None:
    assert any(told in fault for fault in watched(html).faults)


@pytest.mark.parametrize(
    "html",
    [
        "<img src=http://example.com/a.png>",
        "<script>navigator.sendBeacon('https://example.com/')</script>",
        "<script>new WebSocket('ws://example.com/')</script>",
        "<link rel=stylesheet href=//example.com/a.css>",
        "<script>fetch('http://127.0.0.2/')</script>",
    ],
)
def test_request_to_elsewhere_is_seen(watched: Callable[[str], Watch], html: str) -> None:
    assert watched(html).left_loopback


def test_harmless_page_is_no_fault(watched: Callable[[str], Watch]) -> None:
    watching = watched(
        "<link rel=icon href='data:,'><p>Hello</p><img src='data:image/gif;base64,'>"
    )
    assert (watching.faults, watching.left_loopback) == ([], [])
    assert watching.requests
