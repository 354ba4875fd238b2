"""axe-core finds no serious fault in any state of the page (WCAG 2.2 AA and good practice)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from skipping import skip_or_fail

from evals.browsing import Chat

from .conftest import Visit
from .corpus import EXAMPLES

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core."""
    if not AXE.exists():
        skip_or_fail("axe-core is not installed; `make test` brings it where there is npm")
    return AXE.read_text(encoding="utf-8")


def findings(chat: Chat, axe: str) -> Iterator[str]:
    """What axe-core finds: impact, rule, and each element that breaks it."""
    chat.page.evaluate(axe)
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found: dict[str, Any] = chat.page.evaluate("options => axe.run(document, options)", options)
    for violation in found["violations"]:
        for node in violation["nodes"]:
            told = f"{violation['impact']} {violation['id']}: {node['html'][:200]}"
            yield f"{told} {node['failureSummary'].splitlines()[-1].strip()}"


def states(chat: Chat) -> Iterator[str]:
    """Bring the page into one state after the other; what each is."""
    yield "an empty conversation"
    turn = chat.ask(EXAMPLES[0])
    yield "an answer"
    chat.open_card(chat.mark(turn))
    yield "an open card"
    chat.page.keyboard.press("Escape")
    chat.open_proof(turn)
    yield "an open proof"
    chat.open_source(chat.mark(turn))
    yield "an open article"
    chat.page.keyboard.press("Escape")
    chat.act(turn, "dislike").click()
    yield "a form for the reason"
    chat.ask("Who won the chess tournament in Lima?")
    yield "an abstention"
    chat.tab("sources")
    yield "the tab sources"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "he"])
def test_no_state_of_the_page_has_a_grave_fault(
    visit: Visit, small: str, axe: str, lang: str, scheme: str
) -> None:
    chat = visit(small, lang, color_scheme=scheme, reduced_motion="reduce")
    found = {f"{state}: {each}" for state in states(chat) for each in findings(chat, axe)}
    for each in sorted(found):
        print(each)
    assert [each for each in sorted(found) if any(f": {grave} " in each for grave in GRAVE)] == []


def test_axe_finds_a_fault(visit: Visit, small: str, axe: str) -> None:
    chat = visit(small)
    chat.page.evaluate("document.body.append(document.createElement('button'))")
    assert any(each.startswith("critical button-name") for each in findings(chat, axe))
