"""Narrow, dark and wide: everything stays in reach."""

import pytest
from playwright.sync_api import expect

from evals.browsing import Chat

from .conftest import Visit
from .corpus import EXAMPLES

PHONE = {"width": 360, "height": 740}
LEAST_TARGET = 24
"""Pixels that a control has each way (WCAG 2.2, 2.5.8)."""
ABOUT_BOATS, ABOUT_BOOKS = EXAMPLES

_SMALL_TARGETS = """least => [...document.querySelectorAll(
    "button, summary, [role=tab], input:not([type=file]), select, textarea, #language a")]
  .filter((part) => part.checkVisibility({ visibilityProperty: true }))
  .filter((part) => !part.closest(".visually-hidden")) // by which Gradio measures its tabs
  .map((part) => [part, part.getBoundingClientRect()])
  .filter(([part, box]) => box.width && box.height && (box.width < least || box.height < least))
  .map(([part, box]) => `${part.outerHTML.slice(0, 120)} ${box.width} x ${box.height}`)"""
_TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((part) => part.checkVisibility() && part.getBoundingClientRect().width > innerWidth + 1)
  .filter((part) => !part.closest(".scrolls, .table-wrap"))
  .map((part) => part.outerHTML.slice(0, 120))"""


def assert_it_fits(chat: Chat) -> None:
    """Nothing is cut off sideways, and every control can be hit with a finger."""
    width = "[document.documentElement.scrollWidth, innerWidth]"
    scrolled, shown = chat.page.evaluate(width)
    assert scrolled <= shown, chat.page.evaluate(_TOO_WIDE)
    assert chat.page.evaluate(_SMALL_TARGETS, LEAST_TARGET) == []


@pytest.mark.parametrize("lang", ["en", "he", "ru"])
def test_phone_shows_everything_without_scrolling_sideways(
    visit: Visit, small: str, lang: str
) -> None:
    chat = visit(small, lang, viewport=PHONE, has_touch=True, is_mobile=True)
    assert_it_fits(chat)
    turn = chat.ask(ABOUT_BOATS)
    assert_it_fits(chat)
    chat.open_proof(turn)
    assert_it_fits(chat)
    chat.open_source(chat.mark(turn))
    assert_it_fits(chat)
    chat.page.keyboard.press("Escape")
    chat.tab("sources")
    assert_it_fits(chat)


def test_source_panel_covers_the_phone_and_goes_again(visit: Visit, small: str) -> None:
    chat = visit(small, viewport=PHONE, has_touch=True, is_mobile=True)
    source = chat.open_source(chat.mark(chat.ask(ABOUT_BOATS)))
    box = source.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, PHONE["width"])
    source.locator("button.close").tap()
    expect(source).to_be_hidden()


def test_card_stays_on_the_screen(visit: Visit, small: str) -> None:
    chat = visit(small, viewport=PHONE)
    card = chat.open_card(chat.mark(chat.ask(ABOUT_BOOKS)))
    box = card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= PHONE["height"]


def test_panel_leaves_the_answer_in_sight_on_a_wide_screen(visit: Visit, small: str) -> None:
    chat = visit(small, viewport={"width": 1280, "height": 800})
    turn = chat.ask(ABOUT_BOATS)
    panel = chat.open_source(chat.mark(turn)).bounding_box()
    answer = turn.locator(".answer").bounding_box()
    assert panel is not None
    assert answer is not None
    assert answer["x"] + answer["width"] <= panel["x"] + 1


def test_panel_stands_on_the_other_side_of_a_page_from_right_to_left(
    visit: Visit, small: str
) -> None:
    chat = visit(small, "he", viewport={"width": 1280, "height": 800})
    panel = chat.open_source(chat.mark(chat.ask(ABOUT_BOOKS))).bounding_box()
    assert panel is not None
    assert panel["x"] == 0


_BRIGHTNESS = """([selector, of]) => {
  for (let part = document.querySelector(selector); part; part = part.parentElement) {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = getComputedStyle(part)[of];
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    if (alpha > 127) return (red + green + blue) / 3;
  }
  return 255;
}"""


def brightness(chat: Chat, selector: str, of: str) -> float:
    """Of a colour from 0 (black) to 255, as it is shown."""
    return float(chat.page.evaluate(_BRIGHTNESS, [selector, of]))


def expect_dark(chat: Chat, dark: bool) -> None:
    """Wait until the page is dark, or light."""
    of_page = f"({_BRIGHTNESS})(['h1', 'backgroundColor'])"
    chat.page.wait_for_function(f"{of_page} {'<' if dark else '>'} 128")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_follows_the_light_of_the_system(visit: Visit, small: str, scheme: str) -> None:
    chat = visit(small, color_scheme=scheme)
    chat.open_source(chat.mark(chat.ask(ABOUT_BOATS)))
    for part in (".turn .answer p", "#source .text p", ".turn .asked p"):
        behind = brightness(chat, part, "backgroundColor")
        letters = brightness(chat, part, "color")
        assert (letters > behind) == (scheme == "dark")


def test_light_is_switched_and_remembered(visit: Visit, small: str) -> None:
    chat = visit(small, color_scheme="light")
    expect_dark(chat, False)
    chat.page.locator("#theme").click()
    expect_dark(chat, True)
    chat.page.reload()
    expect_dark(chat, True)
    chat.page.locator("#theme").click()
    expect_dark(chat, False)
