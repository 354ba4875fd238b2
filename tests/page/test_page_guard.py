"""What every reply of the real server carries, and which requests it turns away."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest
from small_page import SmallRag, serving, small_settings, upload

from rag.page.html.words import LANGUAGES
from rag.page.server.guard import localised, page_policy

pytestmark = pytest.mark.slow

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on loopback without a login."""
    with serving(SmallRag(small_settings(tmp_path_factory.mktemp("open")))) as url:
        yield url


@pytest.fixture(scope="module")
def public_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that everyone may reach, by any name."""
    settings = small_settings(tmp_path_factory.mktemp("public"), host="0.0.0.0", public="on")
    with serving(SmallRag(settings)) as url:
        yield url


class Page(HTMLParser):
    """The root's attributes, each tag that names another place, and the inline scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root: dict[str, str | None] = {}
        self.names: list[str] = []
        self.scripts: list[str] = []
        self._inline = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names += [f"{tag} {value}" for name, value in attrs if "//" in (value or "")]
        self.root = dict(attrs) if tag == "html" else self.root
        self._inline = tag == "script" and "src" not in dict(attrs)
        if self._inline:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inline = False

    def handle_data(self, data: str) -> None:
        if self._inline:
            self.scripts[-1] += data


def directives(policy: str) -> dict[str, list[str]]:
    parts = (part.split() for part in policy.split(";"))
    return {name: values for name, *values in parts}


def hash_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_policy_allows_the_scripts_of_the_page_and_no_other(url: str, lang: str) -> None:
    reply = httpx.get(url if lang == "en" else f"{url}/{lang}", headers={"accept-encoding": "br"})
    policy = directives(reply.headers["content-security-policy"])
    scripts = Page(reply.text).scripts
    assert len(scripts) > 4
    assert set(policy["script-src"]) == {"'self'", "'unsafe-eval'", *map(hash_of, scripts)}
    assert policy["default-src"] == policy["object-src"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]
    assert {"'self'", "'none'", "data:", "blob:", "'unsafe-inline'"} >= {
        each for name, values in policy.items() if name != "script-src" for each in values
    }
    assert int(reply.headers["content-length"]) == len(reply.content)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_is_in_its_language(url: str, lang: str) -> None:
    page = Page(httpx.get(url if lang == "en" else f"{url}/{lang}").text)
    assert page.root["lang"] == lang
    assert page.root["dir"] == ("rtl" if lang in ("ar", "he") else "ltr")
    assert page.scripts[0].count(f'"{lang}"') == 2
    assert page.names == []


def test_page_says_nothing_to_other_sites(url: str) -> None:
    html = httpx.get(url).text
    assert not re.search(r"og:|twitter:|gradio\.app|githubusercontent|manifest", html)


def test_hashes_are_of_what_a_browser_reads() -> None:
    sent = localised('<html lang="en"><head></head><script>\r\na\rb\r\n</script></html>', "he")
    assert hash_of("\na\nb\n") in page_policy(sent)
    assert "\r" not in sent


def test_files_of_scripts_have_no_hash() -> None:
    html = '<script type="module" crossorigin src="./a.js"></script><script>b</script>'
    assert page_policy(html).count("sha256") == 1
    assert hash_of("b") in page_policy(html)


@pytest.mark.parametrize(
    "path", ["/", "/he", "/config", "/theme.css", "/nowhere", "/gradio_api/proxy=x", "/?lang=pl"]
)
def test_every_reply_carries_what_protects_it(url: str, path: str) -> None:
    headers = httpx.get(f"{url}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_image_that_was_uploaded_is_shown_and_runs_nothing(url: str) -> None:
    (path,) = upload(url, "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>").json()
    reply = httpx.get(f"{url}/gradio_api/file={path}")
    assert reply.status_code == 200
    assert directives(reply.headers["content-security-policy"])["sandbox"] == []


def test_files_of_the_page_are_kept_by_browsers_and_the_page_is_not(url: str) -> None:
    html = httpx.get(url)
    (script,) = re.findall(r'src="\./(assets/[^"]+)"', html.text)
    assert html.headers["cache-control"] == "private, no-cache"
    assert "immutable" in httpx.get(f"{url}/{script}").headers["cache-control"]
    assert "immutable" not in httpx.get(f"{url}/assets/none.js").headers.get("cache-control", "")


@pytest.mark.parametrize(
    ("path", "headers", "status", "location"),
    [
        ("/", {"accept-language": "he-IL, en;q=0.5"}, 307, "/he"),
        ("/?api", {"accept-language": "he"}, 200, None),
        ("/?view=api&x=%26%20y", {"accept-language": "tr"}, 307, "/tr?view=api&x=%26+y"),
        ("/", {"accept-language": "en-GB, he;q=0.5"}, 200, None),
        ("/", {"accept-language": "fr"}, 200, None),
        ("/", {}, 200, None),
        ("/", {"accept-language": "he", "accept": "*/*"}, 200, None),
        ("/pl", {"accept-language": "he"}, 200, None),
        ("/", {"accept-language": "he", "cookie": "page_language=en"}, 200, None),
        ("/", {"accept-language": "he", "cookie": "page_language=pl"}, 307, "/pl"),
        ("/", {"accept-language": "he", "cookie": "page_language=xx"}, 307, "/he"),
        ("/?lang=ru", {"accept-language": "he"}, 303, "/ru"),
        ("/?a=1&lang=ru&a=2", {}, 303, "/ru?a=1&a=2"),
        ("/he?lang=en", {"cookie": "page_language=he"}, 303, "/"),
        ("/?lang=he", {"accept": "*/*"}, 303, "/he"),
        ("/?lang=xx", {}, 200, None),
        ("/?lang=//example.org", {}, 200, None),
        ("/?lang=", {}, 200, None),
        ("/config?lang=he", {"accept-language": "he"}, 200, None),
    ],
)
def test_browser_is_led_to_its_language(
    url: str, path: str, headers: dict[str, str], status: int, location: str | None
) -> None:
    reply = httpx.get(f"{url}{path}", headers={"accept": HTML} | headers)
    assert (reply.status_code, reply.headers.get("location")) == (status, location)


def test_chosen_language_is_kept_for_this_site(url: str) -> None:
    with httpx.Client(base_url=url, headers={"accept": HTML, "accept-language": "he"}) as browser:
        chosen = browser.get("/?lang=en")
        assert chosen.headers["set-cookie"] == (
            "page_language=en; Max-Age=31536000; Path=/; SameSite=lax"
        )
        assert browser.get("/").status_code == 200
        assert httpx.get(f"{url}/?lang=xx").headers.get("set-cookie") is None


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:7860", 200),
        ("localhost.:80", 200),
        ("127.0.0.1", 200),
        ("127.3.2.1:8000", 200),
        ("[::1]:7860", 200),
        ("example.org", 403),
        ("127.0.0.1.example.org", 403),
        ("127.0.0.1@example.org", 403),
        ("localhost.example.org", 403),
        ("192.0.2.1", 403),
        ("0.0.0.0", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_no_other_name_leads_to_this_machine(url: str, host: str, status: int) -> None:
    for path in ("/", "/config", "/gradio_api/info"):
        reply = httpx.get(f"{url}{path}", headers={"host": host})
        assert reply.status_code == status
        assert status == 200 or reply.text.count("\n") == 1


def test_public_page_goes_by_any_name(public_url: str) -> None:
    assert httpx.get(public_url, headers={"host": "example.org"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"origin": "http://{host}"}, 422),
        ({"sec-fetch-site": "same-origin", "origin": "http://{host}"}, 422),
        ({"origin": "http://example.org"}, 403),
        ({"origin": "http://localhost:1"}, 403),
        ({"origin": "http://{host}.example.org"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost:1"}, 403),
    ],
)
def test_another_site_changes_nothing(url: str, headers: dict[str, str], status: int) -> None:
    host = url.removeprefix("http://")
    given = {name: value.format(host=host) for name, value in headers.items()}
    for path in ("/gradio_api/queue/join", "/login", "/gradio_api/run/say"):
        assert httpx.post(f"{url}{path}", headers=given).status_code == status


@pytest.mark.parametrize("origin", ["http://example.org", "http://localhost:1", "null"])
def test_another_site_reads_nothing(url: str, public_url: str, origin: str) -> None:
    for each in (url, public_url):
        headers = {"origin": origin}
        read = httpx.get(f"{each}/config", headers=headers)
        asked = httpx.options(
            f"{each}/config", headers=headers | {"access-control-request-method": "GET"}
        )
        assert asked.status_code == 403
        assert not [name for name in (*read.headers, *asked.headers) if "access-control" in name]
