"""Everything can be done with the keyboard alone, and the focus is always somewhere in sight."""

from playwright.sync_api import expect

from evals.browsing import Chat

from .conftest import Visit
from .corpus import EXAMPLES

ABOUT_BOATS, _ = EXAMPLES
_OUTLINED = """() => {
  const part = document.activeElement, style = getComputedStyle(part);
  return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || style.boxShadow !== "none" || getComputedStyle(part.parentElement).boxShadow !== "none";
}"""


def press_until(chat: Chat, key: str, selector: str) -> None:
    """Press a key until the focus is on such an element."""
    found = "selector => document.activeElement.matches(selector)"
    for _ in range(60):
        chat.page.keyboard.press(key)
        if chat.page.evaluate(found, selector):
            return
    raise AssertionError(f"{key} never comes to {selector}")


def test_question_mark_article_and_back(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.box.focus()
    chat.page.keyboard.type(ABOUT_BOATS)
    chat.page.keyboard.press("Enter")
    turn = chat.ended(chat.turns.first)
    press_until(chat, "Shift+Tab", "button.mark")
    mark = chat.mark(turn, turn.locator("button.mark").count() - 1)
    expect(mark).to_be_focused()
    expect(chat.card(mark)).to_be_visible()
    assert chat.page.evaluate(_OUTLINED)
    chat.page.keyboard.press("Enter")
    expect(chat.present_quote).to_be_in_viewport()
    assert chat.page.evaluate("document.activeElement.closest('#source') !== null")
    chat.page.keyboard.press("Escape")
    expect(chat.source).to_be_hidden()
    expect(mark).to_be_focused()


def test_buttons_of_a_card_are_reached_from_its_mark(visit: Visit, small: str) -> None:
    chat = visit(small)
    turn = chat.ask(ABOUT_BOATS)
    press_until(chat, "Shift+Tab", "button.mark")
    press_until(chat, "Tab", ".card button.open")
    mark = chat.mark(turn, turn.locator("button.mark").count() - 1)
    expect(chat.card(mark)).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.card(mark)).to_be_hidden()
    expect(mark).to_be_focused()


def test_proof_unfolds_with_the_space_bar(visit: Visit, small: str) -> None:
    chat = visit(small)
    turn = chat.ask(ABOUT_BOATS)
    press_until(chat, "Shift+Tab", "details.proof > summary")
    chat.page.keyboard.press("Space")
    expect(turn.locator("details.proof button.passage").first).to_be_visible()
    press_until(chat, "Tab", "details.proof button.passage")
    chat.page.keyboard.press("Enter")
    expect(chat.present_quote).to_be_in_viewport()
    chat.page.keyboard.press("Escape")
    expect(turn.locator("details.proof button.passage").first).to_be_visible()


def test_tabs_and_examples_are_reached(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.box.focus()
    press_until(chat, "Shift+Tab", "#examples button")
    assert chat.page.evaluate(_OUTLINED)
    press_until(chat, "Shift+Tab", "[role=tab]")
    chat.page.keyboard.press("ArrowRight")
    chat.page.keyboard.press("Enter")
    expect(chat.page.locator("#tab-sources")).to_be_visible()
    press_until(chat, "Shift+Tab", "#language a")
    assert chat.page.evaluate(_OUTLINED)


def test_line_break_and_question(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.box.focus()
    chat.page.keyboard.type("A question")
    chat.page.keyboard.press("Shift+Enter")
    chat.page.keyboard.type("of two lines?")
    expect(chat.box).to_have_value("A question\nof two lines?")
    chat.page.keyboard.press("Enter")
    expect(chat.ended(chat.turns.first).locator(".asked p")).to_have_count(2)
