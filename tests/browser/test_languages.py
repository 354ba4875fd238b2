"""The page speaks six languages, and text runs the way of its own letters in each of them."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from evals.browsing import Chat
from rag.languages.cldr import script_direction
from rag.page.html.words import LANGUAGES, words

from .conftest import LOCALES, Visit
from .corpus import EXAMPLES

ABOUT_BOATS, ABOUT_BOOKS = EXAMPLES


def shown_direction(part: Locator) -> str:
    return str(part.evaluate("part => getComputedStyle(part).direction"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_speaks_the_language_of_the_browser(visit: Visit, small: str, lang: str) -> None:
    opened = visit(small, locale=LOCALES[lang])
    chat, root = Chat(opened.page, words(lang)), opened.page.locator("html")
    expect(root).to_have_attribute("lang", lang)
    expect(root).to_have_attribute("dir", script_direction(lang))
    expect(chat.page).to_have_title(chat.say("chat.title"))
    expect(chat.page.get_by_role("heading", level=1)).to_have_text(chat.say("chat.title"))
    expect(chat.button("chat.ask")).to_be_visible()
    for name in ("chat", "sources"):
        expect(chat.page.get_by_role("tab", name=chat.say(f"{name}.tab"))).to_be_visible()
    turn = chat.ask(ABOUT_BOATS)
    expect(turn.locator("button.mark").first).to_be_visible()


def test_other_language_gets_english(visit: Visit, small: str) -> None:
    chat = visit(small, locale="fi-FI")
    expect(chat.page.locator("html")).to_have_attribute("lang", "en")


def test_language_is_switched_and_remembered(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.page.locator("#language").get_by_text(LANGUAGES["he"]).click()
    expect(chat.page.locator("html")).to_have_attribute("dir", "rtl")
    expect(chat.page.locator("#language [aria-current]")).to_have_text(LANGUAGES["he"])
    chat.page.goto(small)
    expect(chat.page.locator("html")).to_have_attribute("lang", "he")
    chat.page.locator("#language").get_by_text(LANGUAGES["en"]).click()
    expect(chat.page.locator("html")).to_have_attribute("lang", "en")


def test_conversation_survives_a_switch_of_language(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.ask(ABOUT_BOATS)
    chat.page.locator("#language").get_by_text(LANGUAGES["pl"]).click()
    expect(chat.page.locator("html")).to_have_attribute("lang", "pl")
    expect(chat.turns).to_have_count(1)
    expect(chat.act(chat.turns.first, "copy")).to_have_text(words("pl")("turn.copy"))


@pytest.mark.parametrize("lang", ["en", "he"])
def test_each_text_runs_its_own_way(visit: Visit, small: str, lang: str) -> None:
    chat = visit(small, lang)
    english, hebrew = chat.ask(ABOUT_BOATS), chat.ask(ABOUT_BOOKS)
    for turn, way in ((english, "ltr"), (hebrew, "rtl")):
        assert shown_direction(turn.locator(".asked p").first) == way
        assert shown_direction(turn.locator(".answer p").first) == way
    chat.open_source(chat.mark(hebrew))
    assert shown_direction(chat.source.get_by_role("heading")) == "rtl"
    assert shown_direction(chat.source.locator(".text > p:has(mark)").first) == "rtl"


def test_answer_in_several_directions_stands_apart_from_its_marks(visit: Visit, small: str) -> None:
    chat = visit(small)
    turn = chat.ask("How many books are in the library of Kaldon?")
    mark = chat.mark(turn)
    assert re.fullmatch(r"\D?1\D?", mark.inner_text().strip())
    assert mark.evaluate("mark => getComputedStyle(mark).unicodeBidi") == "isolate"


def ink(part: Locator) -> float:
    """Where the letters of a part stand on the screen: 0 is its left side, 1 its right."""
    with Image.open(BytesIO(part.screenshot())) as picture:
        pixels = np.asarray(picture.convert("L"), dtype=float)
    inside = pixels[8:-8, 8:-8]
    columns = np.abs(inside - np.median(inside)).max(axis=0) > 64
    return float(np.flatnonzero(columns).mean() / len(columns))


@pytest.mark.parametrize("lang", ["en", "he"])
def test_box_runs_the_way_of_what_is_typed(visit: Visit, small: str, lang: str) -> None:
    chat = visit(small, lang)
    for typed, on_the_right in (("כמה ספרים יש?", True), ("How many?", False), ("كم؟", True)):
        chat.box.fill(typed)
        assert (ink(chat.box) > 0.5) == on_the_right
