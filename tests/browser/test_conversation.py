"""A conversation: streamed, stopped, asked again, kept, and apart from those of others."""

import json
import re

import pytest
from playwright.sync_api import expect

from rag.engine import Rag

from .conftest import Visit
from .corpus import BOATS, EXAMPLES
from .model import PacedModel

ABOUT_BOATS, ABOUT_BOOKS = EXAMPLES


def test_text_comes_while_the_model_still_writes(
    visit: Visit, worded: str, model: PacedModel
) -> None:
    chat = visit(worded)
    turn = chat.send(ABOUT_BOATS)
    expect(turn.locator(".answer")).to_contain_text(BOATS)
    expect(turn).to_have_attribute("aria-busy", "true")
    expect(turn.locator(".note")).to_contain_text("The harbour of Tilvar")
    expect(turn.locator("button.mark")).to_have_count(0)
    model.go_on.set()
    chat.ended(turn)
    expect(turn.locator("button.mark").first).to_be_visible()
    expect(turn.locator(".note:not(:empty)")).to_have_count(0)


def test_stop_stops_the_model_and_keeps_the_text(
    visit: Visit, worded: str, model: PacedModel
) -> None:
    chat = visit(worded)
    turn = chat.send(ABOUT_BOATS)
    expect(turn.locator(".answer")).to_contain_text(BOATS)
    chat.button("chat.stop").click()
    assert model.left.wait(1)
    chat.ended(turn)
    expect(turn.locator(".answer")).to_contain_text(BOATS)
    expect(turn).to_have_class(re.compile(r"\bstopped\b"))
    expect(chat.button("chat.ask")).to_be_visible()


def test_next_question_is_answered_after_stop(visit: Visit, worded: str, model: PacedModel) -> None:
    chat = visit(worded)
    first = chat.send(ABOUT_BOATS)
    expect(first.locator(".answer")).to_contain_text(BOATS)
    chat.button("chat.stop").click()
    chat.ended(first)
    model.go_on.set()
    expect(chat.ask(ABOUT_BOOKS).locator("button.mark").first).to_be_visible()
    expect(chat.turns).to_have_count(2)


def test_closed_tab_stops_the_model(visit: Visit, worded: str, model: PacedModel) -> None:
    chat = visit(worded)
    expect(chat.send(ABOUT_BOATS).locator(".answer")).to_contain_text(BOATS)
    chat.page.close()
    assert model.left.wait(5)


def test_retry_asks_once_more(visit: Visit, worded: str, model: PacedModel) -> None:
    chat = visit(worded)
    turn = chat.send(ABOUT_BOATS)
    expect(turn.locator(".answer")).to_contain_text(BOATS)
    chat.button("chat.stop").click()
    chat.ended(turn)
    model.go_on.set()
    chat.act(turn, "retry").click()
    expect(turn.locator("button.mark").first).to_be_visible()
    expect(chat.turns).to_have_count(1)
    expect(turn.locator(".asked")).to_have_text(ABOUT_BOATS)


def test_edit_takes_the_question_back_into_the_box(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.ask(ABOUT_BOATS)
    second = chat.ask(ABOUT_BOOKS)
    expect(chat.act(chat.turns.first, "retry")).to_have_count(0)
    chat.act(second, "edit").click()
    expect(chat.box).to_have_value(ABOUT_BOOKS)
    expect(chat.turns).to_have_count(1)


def test_new_conversation_is_empty(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.ask(ABOUT_BOATS)
    chat.button("chat.new").click()
    expect(chat.turns).to_have_count(0)
    expect(chat.box).to_be_focused()
    chat.page.reload()
    expect(chat.box).to_be_editable()
    expect(chat.turns).to_have_count(0)


def test_copy_takes_the_answer_with_its_quotes(visit: Visit, small: str) -> None:
    chat = visit(small, permissions=["clipboard-read", "clipboard-write"])
    turn = chat.ask(ABOUT_BOATS)
    chat.act(turn, "copy").click()
    expect(chat.act(turn, "copy")).to_contain_text(chat.say("chat.copied"))
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    answer, *quotes = copied.split("\n\n")
    assert "[1]" in answer
    assert any(BOATS in quote and "harbour.txt [" in quote for quote in quotes)
    expect(chat.act(turn, "copy")).not_to_contain_text(chat.say("chat.copied"))


@pytest.mark.parametrize("question", EXAMPLES)
def test_example_is_asked_with_one_click(visit: Visit, small: str, question: str) -> None:
    chat = visit(small)
    chat.page.locator("#examples").get_by_role("button", name=question, exact=True).click()
    turn = chat.ended(chat.turns.first)
    expect(turn.locator(".asked")).to_have_text(question)
    expect(turn.locator("button.mark").first).to_be_visible()
    expect(chat.page.locator("#examples")).to_be_hidden()


def test_thumbs_are_kept_with_their_reason(visit: Visit, small: str, small_engine: Rag) -> None:
    chat = visit(small)
    turn = chat.ask(ABOUT_BOATS)
    chat.act(turn, "dislike").click()
    reason = turn.locator('.why input[name="reason"]')
    expect(reason).to_be_focused()
    reason.fill("סיבה: <b>640</b>?")
    reason.press("Enter")
    expect(chat.act(turn, "dislike")).to_have_attribute("aria-pressed", "true")
    expect(turn.locator(".why")).to_be_hidden()
    folder = small_engine.settings.store_folder / "feedback"
    rows = [
        json.loads(line)
        for file in folder.iterdir()
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    assert "סיבה: <b>640</b>?" in json.dumps(rows, ensure_ascii=False)


def test_what_cannot_be_asked_is_one_line_and_stays_in_the_box(visit: Visit, small: str) -> None:
    chat = visit(small)
    turn = chat.ask("long " * 500)
    expect(turn.locator(".note")).to_contain_text("shorten it")
    expect(turn).to_have_class(re.compile(r"\bfailed\b"))
    expect(chat.box).to_have_value(re.compile("^long long"))


def test_follow_up_leans_on_the_turn_before(visit: Visit, seeds: str) -> None:
    chat = visit(seeds)
    chat.ask("What was 2023 bilateral trade?")
    turn = chat.ask("And in which currency?")
    proof = chat.open_proof(turn)
    expect(proof).to_contain_text("2023 bilateral trade")


# --- kept, and apart


def test_reload_keeps_the_conversation(visit: Visit, small: str) -> None:
    chat = visit(small)
    before = chat.ask(ABOUT_BOATS).locator(".answer").inner_text()
    chat.page.reload()
    turn = chat.turns.first
    expect(turn.locator(".asked")).to_have_text(ABOUT_BOATS)
    assert turn.locator(".answer").inner_text() == before
    chat.open_card(chat.mark(turn))
    chat.ask(ABOUT_BOOKS)
    expect(chat.turns).to_have_count(2)


def test_second_tab_shows_the_conversation_too(visit: Visit, small: str) -> None:
    chat = visit(small)
    chat.ask(ABOUT_BOATS)
    other = type(chat).at(chat.page.context.new_page(), small)
    expect(other.turns).to_have_count(1)
    other.ask(ABOUT_BOOKS)
    expect(chat.turns).to_have_count(1)
    expect(chat.box).to_be_editable()


def test_two_browsers_are_apart_and_the_second_sees_that_it_waits(
    visit: Visit, worded: str, model: PacedModel
) -> None:
    ann, bob = visit(worded), visit(worded, "he")
    anns = ann.send(ABOUT_BOATS)
    expect(anns.locator(".answer")).to_contain_text(BOATS)
    bobs = bob.send(ABOUT_BOOKS)
    expect(bobs.locator(".note")).to_contain_text(bob.say("turn.waiting", count=1))
    model.go_on.set()
    ann.ended(anns)
    bob.ended(bobs)
    expect(bob.turns).to_have_count(1)
    expect(ann.turns).to_have_count(1)
    expect(anns).not_to_contain_text(ABOUT_BOOKS)
    expect(bobs).not_to_contain_text(ABOUT_BOATS)


def test_stop_of_one_does_not_stop_the_other(visit: Visit, worded: str, model: PacedModel) -> None:
    ann, bob = visit(worded), visit(worded)
    anns = ann.send(ABOUT_BOATS)
    expect(anns.locator(".answer")).to_contain_text(BOATS)
    bobs = bob.send(ABOUT_BOOKS)
    bob.button("chat.stop").click()
    bob.ended(bobs)
    expect(bobs).to_have_class(re.compile(r"\bstopped\b"))
    expect(anns).to_have_attribute("aria-busy", "true")
    assert not model.left.is_set()
    model.go_on.set()
    expect(ann.ended(anns).locator("button.mark").first).to_be_visible()
