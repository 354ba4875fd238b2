"""Text of articles, questions and file names is text, wherever the page shows it."""

from playwright.sync_api import expect

from evals.browsing import Chat

from .conftest import Visit, Watch
from .corpus import ATTACK, HOSTILE_TITLE, WINDMILL

ABOUT_THE_MILL = "How many sacks of rye does the windmill of Orsk Valley grind?"
_LIVE = (
    "iframe, img[src*='evil'], img[onerror], svg[onload], a[href*='evil'], "
    "a[href^='javascript'], [src*='evil'], [href*='evil']"
)


def assert_it_did_nothing(chat: Chat) -> None:
    """No element came of the attack, and no script of it ran."""
    expect(chat.page.locator(_LIVE)).to_have_count(0)
    expect(chat.page).to_have_title(chat.say("chat.title"))


def test_hostile_article_does_nothing_in_answer_card_panel_and_proof(
    visit: Visit, small: str
) -> None:
    chat = visit(small)
    turn = chat.ask(ABOUT_THE_MILL)
    expect(turn.locator(".answer")).to_contain_text(WINDMILL)
    expect(turn.locator(".answer")).to_contain_text("<script>")
    card = chat.open_card(chat.mark(turn))
    expect(card.locator(".quote")).to_contain_text(ATTACK)
    expect(card.locator(".place")).to_contain_text("<script>")
    source = chat.open_source(chat.mark(turn))
    expect(source.get_by_role("heading")).to_have_text(HOSTILE_TITLE)
    expect(source.locator(".text")).to_contain_text(ATTACK)
    chat.page.keyboard.press("Escape")
    expect(chat.open_proof(turn)).to_contain_text("<script>")
    assert_it_did_nothing(chat)
    chat.page.reload()
    expect(chat.turns.first.locator(".answer")).to_contain_text("<script>")
    assert_it_did_nothing(chat)


def test_hostile_article_does_nothing_among_the_sources(visit: Visit, small: str) -> None:
    chat = visit(small)
    expect(chat.tab("sources")).to_contain_text("<script>")
    assert_it_did_nothing(chat)


def test_hostile_article_does_nothing_in_an_abstention(visit: Visit, small: str) -> None:
    chat = visit(small)
    turn = chat.ask("Which windmill won the chess tournament in Lima?")
    expect(turn.locator(".nearest")).to_contain_text("<script>")
    assert_it_did_nothing(chat)


def test_hostile_question_does_nothing(visit: Visit, small: str) -> None:
    chat = visit(small)
    turn = chat.ask(f"How many boats? {ATTACK}")
    expect(turn.locator(".asked")).to_contain_text(ATTACK)
    assert_it_did_nothing(chat)
    chat.act(turn, "edit").click()
    expect(chat.box).to_have_value(f"How many boats? {ATTACK}")
    assert_it_did_nothing(chat)


def test_policy_stops_what_would_get_through(visit: Visit, small: str, watch: Watch) -> None:
    chat = visit(small)
    through = "html => { document.getElementById('transcript').innerHTML = html }"
    chat.page.evaluate(through, "<img src=http://evil.test/a.png onerror=\"document.title='ran'\">")
    chat.page.wait_for_timeout(300)
    expect(chat.page).to_have_title(chat.say("chat.title"))
    assert any("script-src-attr" in fault for fault in watch.faults)
    assert any("img-src" in fault for fault in watch.faults)
    watch.faults.clear()
    watch.requests.clear()
