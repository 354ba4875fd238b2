"""The tab of articles: adding and removing them, and what the next question is limited to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from evals.browsing import Chat, serving
from rag.engine import Rag

from .conftest import Visit
from .corpus import ATTACK, BOATS, EXAMPLES, HOSTILE_NAME, UPLOADED

ABOUT_BOATS, ABOUT_BOOKS = EXAMPLES
ABOUT_TELESCOPES = "How many telescopes has the observatory of Quenby?"


@pytest.fixture
def cleaned(small_engine: Rag) -> Iterator[None]:
    """Articles that a test adds are gone after it."""
    yield
    for source in small_engine.uploaded():
        small_engine.remove_file(source)


@pytest.fixture
def telescopes(tmp_path: Path) -> Path:
    path = tmp_path / "Quenby.txt"
    path.write_text(f"The observatory of Quenby\n\n{UPLOADED}\n", encoding="utf-8")
    return path


def add(chat: Chat, *files: Path) -> Locator:
    """Give files to the tab, and wait until it is done with them; what it says."""
    tab = chat.tab("sources")
    tab.locator('input[type="file"]').set_input_files(files)
    said = tab.locator("#sources-add section")
    expect(said.locator(".doing")).not_to_be_empty()
    expect(said).to_have_attribute("aria-busy", "false")
    return said


def row(chat: Chat, source: str) -> Locator:
    return chat.page.locator(f'#sources-table tr:has(button.passage[data-source="{source}"])')


# --- adding and removing


@pytest.mark.usefixtures("cleaned")
def test_added_article_answers_until_it_is_removed(
    visit: Visit, small: str, telescopes: Path
) -> None:
    chat = visit(small)
    expect(add(chat, telescopes)).to_contain_text("Quenby.txt")
    expect(row(chat, "Quenby.txt")).to_be_visible()
    chat.tab("chat")
    turn = chat.ask(ABOUT_TELESCOPES)
    card = chat.open_card(chat.mark(turn))
    expect(card).to_have_attribute("data-source", "Quenby.txt")
    expect(card.locator(".quote")).to_have_text(UPLOADED)
    chat.open_source(chat.mark(turn))
    assert chat.quoted(1) == UPLOADED
    chat.page.keyboard.press("Escape")

    chat.tab("sources")
    remove = row(chat, "Quenby.txt").locator("button[data-remove]")
    remove.click()
    expect(row(chat, "Quenby.txt")).to_be_visible()  # it asks first
    remove.click()
    expect(row(chat, "Quenby.txt")).to_have_count(0)
    chat.tab("chat")
    chat.button("chat.new").click()
    expect(chat.turns).to_have_count(0)
    again = chat.ask(ABOUT_TELESCOPES)
    expect(again.locator('.card[data-source="Quenby.txt"]')).to_have_count(0)
    expect(again).not_to_contain_text("12 telescopes")


@pytest.mark.usefixtures("cleaned")
def test_proof_of_a_removed_article_says_that_it_is_gone(
    visit: Visit, small: str, small_engine: Rag, telescopes: Path
) -> None:
    chat = visit(small)
    add(chat, telescopes)
    chat.tab("chat")
    turn = chat.ask(ABOUT_TELESCOPES)
    small_engine.remove_file("Quenby.txt")
    chat.mark(turn).click()
    expect(chat.source).to_contain_text(chat.say("chat.gone", source="Quenby.txt"))


@pytest.mark.usefixtures("cleaned")
def test_file_that_cannot_be_read_is_named_and_the_others_are_added(
    visit: Visit, small: str, telescopes: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 nothing of the kind")
    chat = visit(small)
    said = add(chat, broken, telescopes)
    expect(said.locator(".problems")).to_contain_text("broken.pdf")
    expect(said.locator(".doing")).to_contain_text("Quenby.txt")
    expect(row(chat, "Quenby.txt")).to_be_visible()
    expect(row(chat, "broken.pdf")).to_have_count(0)


@pytest.mark.usefixtures("cleaned")
def test_hostile_file_does_nothing(visit: Visit, small: str, tmp_path: Path) -> None:
    hostile = tmp_path / f"2 {HOSTILE_NAME}"
    hostile.write_text(f"{ATTACK}\n\nThe quarry of Ulm has 7 cranes. {ATTACK}\n", encoding="utf-8")
    chat = visit(small)
    add(chat, hostile)
    expect(chat.page.locator("iframe, img[onerror], svg[onload]")).to_have_count(0)
    expect(chat.page).to_have_title(chat.say("chat.title"))


def test_uploads_that_are_switched_off_are_not_offered(visit: Visit, small_engine: Rag) -> None:
    settings = small_engine.settings.model_copy(update={"uploads": "off"})
    with Rag(settings) as engine, serving(engine) as url:
        chat = visit(url)
        tab = chat.tab("sources")
        expect(tab).to_contain_text(chat.say("sources.off"))
        expect(tab.locator("input[type=file]")).to_have_count(0)
        expect(tab.locator("button[data-remove]")).to_have_count(0)
        chat.page.close()


# --- the articles, and the filter


def test_articles_are_listed_with_what_is_known_of_them(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.tab("sources")
    harbour = row(chat, "harbour.txt")
    for told in ("The harbour of Tilvar", "English", "2021-04-02"):
        expect(harbour).to_contain_text(told)
    harbour.locator("button.passage").click()
    expect(chat.source.get_by_role("heading")).to_have_text("The harbour of Tilvar")
    expect(chat.source.locator(".text")).to_contain_text(BOATS)


def limit_to(chat: Chat, language: str) -> None:
    """Choose one language in the filter."""
    chat.tab("sources")
    choice = chat.page.get_by_label(chat.say("sources.languages"))
    choice.click()
    choice.press_sequentially(language)
    chat.page.get_by_role("option", name=language).click()
    chat.page.keyboard.press("Escape")
    chat.tab("chat")


def test_filter_of_language_is_shown_and_applies_to_the_next_question(
    visit: Visit, small: str
) -> None:
    chat = visit(small)
    limit_to(chat, "Hebrew")
    expect(chat.page.locator("#filter")).to_contain_text("Hebrew")
    turn = chat.ask(ABOUT_BOATS)
    expect(turn.locator(".only")).to_contain_text("Hebrew")
    expect(turn.locator('.card[data-source="harbour.txt"]')).to_have_count(0)
    for passage in turn.locator("button.passage").all():
        assert passage.get_attribute("data-source") == "library.txt"
    chat.page.locator("#filter button.unfilter").click()
    expect(chat.page.locator("#filter")).not_to_contain_text("Hebrew")
    free = chat.ask(ABOUT_BOATS)
    expect(free.locator(".only")).to_have_count(0)
    expect(free.locator('.card[data-source="harbour.txt"]').first).to_be_attached()


def test_filter_of_dates_leaves_out_the_others(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.tab("sources")
    since = chat.page.get_by_label(chat.say("sources.since"))
    since.fill("2022-01-01")
    since.press("Enter")
    expect(row(chat, "harbour.txt")).to_have_class("out")
    expect(row(chat, "library.txt")).to_have_class("kept")
    since.fill("someday")
    since.press("Enter")
    expect(chat.page.locator("#sources-problem")).to_contain_text("someday")
    expect(row(chat, "harbour.txt")).to_have_class("out")
    chat.button("sources.no_filter").click()
    expect(row(chat, "harbour.txt")).to_have_class("kept")
    expect(chat.page.locator("#sources-problem")).not_to_contain_text("someday")


def test_no_event_is_lost_while_the_stream_of_another_ends(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.tab("sources")
    since = chat.page.get_by_label(chat.say("sources.since"))
    problem = chat.page.locator("#sources-problem")
    for number in range(16):
        since.fill(f"2022-01-{10 + number}")
        since.press("Enter")
        chat.page.wait_for_timeout(60 + 6 * number)  # the first event's stream ends about now
        since.fill(f"someday {number}")
        since.press("Enter")
        expect(problem).to_contain_text(f"someday {number}")
