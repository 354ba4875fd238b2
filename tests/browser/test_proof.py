"""The proof is one click away: cards of marks, the article with its quotes, how it was checked."""

import re

from playwright.sync_api import Locator, expect

from evals.browsing import Chat
from rag.engine import Rag
from rag.records import Document

from .conftest import Visit
from .corpus import BOOKS
from .model import ENGLISH, PacedModel

ASKED_IN_HEBREW = "כמה ספרים יש בספריית קלדון?"
ABOUT_BOATS = "How many boats has the harbour of Tilvar?"


def cited(engine: Rag, card: Locator) -> tuple[Document, str]:
    """The article that a card cites, and what stands in it where the card says."""
    source, start, end = (card.get_attribute(f"data-{name}") for name in ("source", "start", "end"))
    document = engine.documents()[str(source)]
    return document, document.text[int(start or 0) : int(end or 0)]


def has_focus(chat: Chat, selector: str) -> bool:
    found = "selector => document.activeElement.closest(selector) !== null"
    return bool(chat.page.evaluate(found, selector))


# --- asked of the articles of the project


def test_hebrew_question_shows_its_quote_in_its_article(
    visit: Visit, seeds: str, seeds_engine: Rag
) -> None:
    chat = visit(seeds, "he")
    turn = chat.ask("מתי ביקר שי ג'ינפינג בקזחסטן?")
    mark = chat.mark(turn)
    card = chat.card(mark)
    document, quote = cited(seeds_engine, card)
    assert document.lang == "he"
    expect(card.locator(".quote")).to_have_text(quote, use_inner_text=False)
    source = chat.open_source(mark)
    expect(source.get_by_role("heading")).to_have_text(document.title)
    number = card.get_attribute("data-number")
    assert chat.quoted(int(number or 0)) == quote
    assert has_focus(chat, "#source")


def test_quote_in_another_language_than_the_question(
    visit: Visit, seeds: str, seeds_engine: Rag
) -> None:
    chat = visit(seeds)
    turn = chat.ask("What was 2023 bilateral trade?")
    for place in range(turn.locator("button.mark").count()):
        mark = chat.mark(turn, place)
        document, quote = cited(seeds_engine, chat.card(mark))
        chat.open_source(mark)
        assert chat.quoted(int(chat.card(mark).get_attribute("data-number") or 0)) == quote
        paragraph = chat.source.locator(".text > p:has(mark)").first
        expect(paragraph).to_have_attribute("lang", document.lang)
        chat.page.keyboard.press("Escape")


def test_panel_shows_the_article_unchanged(visit: Visit, seeds: str, seeds_engine: Rag) -> None:
    chat = visit(seeds)
    mark = chat.mark(chat.ask("What was 2023 bilateral trade?"))
    document, _ = cited(seeds_engine, chat.card(mark))
    lines = chat.open_source(mark).locator(".text > p").all_text_contents()
    assert lines == re.split(r"\r\n|\r|\n", document.text)


def test_quotes_of_one_article_are_told_apart(visit: Visit, seeds: str) -> None:
    chat = visit(seeds)
    turn = chat.ask("What was 2023 bilateral trade?")
    source = chat.open_source(chat.mark(turn, 1))
    quotes = source.locator("mark.quote")
    looks = {
        quote.evaluate("mark => getComputedStyle(mark).backgroundColor") for quote in quotes.all()
    }
    assert quotes.count() >= 2
    assert len(looks) >= 2
    numbers = [quote.get_attribute("data-number") for quote in quotes.all()]
    assert len(set(numbers)) >= 2


def test_closing_the_panel_gives_the_focus_back(visit: Visit, small: str) -> None:
    chat = visit(small)
    mark = chat.mark(chat.ask(ABOUT_BOATS))
    chat.open_source(mark)
    chat.page.keyboard.press("Escape")
    expect(chat.source).to_be_hidden()
    expect(mark).to_be_focused()
    chat.open_source(mark)
    chat.source.locator("button.close").click()
    expect(chat.source).to_be_hidden()
    expect(mark).to_be_focused()


# --- cards


def test_card_opens_under_the_pointer_and_stays_while_it_is_read(
    visit: Visit, small: str, small_engine: Rag
) -> None:
    chat = visit(small)
    mark = chat.mark(chat.ask(ABOUT_BOATS))
    expect(mark).to_have_attribute("aria-expanded", "false")
    card = chat.open_card(mark)
    expect(mark).to_have_attribute("aria-expanded", "true")
    document, quote = cited(small_engine, card)
    expect(card.locator(".quote")).to_have_text(quote, use_inner_text=False)
    expect(card.locator(".place")).to_contain_text(document.title)
    expect(card.locator(".place")).to_contain_text("English")
    expect(card.locator(".place")).to_contain_text("2021")
    card.locator(".quote").hover()
    chat.page.wait_for_timeout(600)  # longer than a card outlives its mark
    expect(card).to_be_visible()
    chat.page.mouse.move(1, 1)
    expect(card).to_be_hidden()


def test_card_opens_on_focus_and_escape_closes_it(visit: Visit, small: str) -> None:
    chat = visit(small)
    mark = chat.mark(chat.ask(ABOUT_BOATS))
    card = chat.card(mark)
    chat.box.focus()
    for _ in range(40):
        chat.page.keyboard.press("Shift+Tab")
        if has_focus(chat, ".mark"):
            break
    expect(card).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(mark).to_be_focused()
    expect(mark).to_have_attribute("aria-expanded", "false")


def test_card_shows_the_quote_in_its_own_direction(visit: Visit, small: str) -> None:
    chat = visit(small)
    card = chat.open_card(chat.mark(chat.ask(ASKED_IN_HEBREW)))
    quote = card.locator(".quote")
    expect(quote).to_have_attribute("dir", "rtl")
    expect(quote).to_have_attribute("lang", "he")
    assert quote.evaluate("quote => getComputedStyle(quote).direction") == "rtl"


def test_card_offers_the_article(visit: Visit, small: str) -> None:
    chat = visit(small)
    card = chat.open_card(chat.mark(chat.ask(ABOUT_BOATS)))
    card.locator("button.open").click()
    expect(chat.present_quote).to_be_in_viewport()


def test_without_a_model_the_card_says_why_nothing_is_translated(visit: Visit, small: str) -> None:
    chat = visit(small)
    turn = chat.ask("How many books are in the library of Kaldon?")
    card = chat.open_card(chat.mark(turn))
    expect(card.locator(".translation")).to_be_empty()
    card.locator("button.translate").click()
    expect(card.locator(".translation")).to_contain_text(chat.say("translation.none"))


def test_translation_is_labelled_as_made_by_a_machine(
    visit: Visit, worded: str, model: PacedModel
) -> None:
    chat = visit(worded)
    model.go_on.set()
    turn = chat.ask("How many books are in the library of Kaldon?")
    card = chat.open_card(chat.mark(turn))
    expect(card.locator(".quote")).to_have_text(BOOKS)
    card.locator("button.translate").click()
    expect(card.locator(".translation .text")).to_have_text(ENGLISH[BOOKS])
    expect(card.locator(".translation .label")).not_to_be_empty()


# --- the panel of proof


def test_proof_is_folded_and_tells_how_the_answer_came_about(visit: Visit, seeds: str) -> None:
    chat = visit(seeds)
    turn = chat.ask("What was 2023 bilateral trade?")
    assert turn.locator("details.proof").get_attribute("open") is None
    proof = chat.open_proof(turn)
    expect(proof).to_contain_text(chat.say("proof.by_code"))
    passages = proof.locator("button.passage")
    assert passages.count() > 1
    expect(proof.locator("table td.number").nth(1)).to_contain_text("%")
    passages.first.click()
    expect(chat.source).to_be_visible()
    expect(chat.present_quote).to_be_in_viewport()


def test_abstention_looks_different_and_offers_what_is_near(visit: Visit, seeds: str) -> None:
    chat = visit(seeds)
    turn = chat.ask("What is the price of gold in Peru?")
    expect(turn).to_have_class(re.compile(r"\babstained\b"))
    expect(turn).to_contain_text(chat.say("turn.abstained"))
    expect(turn.locator("button.mark")).to_have_count(0)
    nearest = turn.locator(".nearest button.passage")
    assert 1 <= nearest.count() <= 3
    nearest.first.click()
    expect(chat.present_quote).to_be_in_viewport()
    answered = chat.ask("What was 2023 bilateral trade?")
    expect(answered).to_have_class(re.compile(r"\banswered\b"))
