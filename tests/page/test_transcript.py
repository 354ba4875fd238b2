"""A conversation as HTML: what is a button, what is text, and which way each line runs."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_html import (
    CITATION,
    HIT,
    HOSTILE,
    OTHER,
    QUOTE,
    Node,
    abstained,
    answered,
    hostile_turn,
    read_html,
    shown,
    statement,
    whole,
)

from rag.page.chat.transcript import transcript
from rag.page.chat.turns import Turn, kept, restored
from rag.page.html.labels import shown_filter
from rag.page.html.words import LANGUAGES, words
from rag.records import Answer, Hit, Statement, TextEvent

pytestmark = pytest.mark.slow

SAY = words("en")
STATES = ("open", "whole", "stopped", "failed")
DOING = ("waiting", "searching", "reading", "checking", "rewriting")
MODES = (None, "generated", "quoted", "abstained", "small_talk")


def page(*turns: Turn, lang: str = "en") -> Node:
    return read_html(transcript(turns, words(lang)))


def buttons(node: Node, name: str) -> list[Node]:
    return [each for each in node.all("button") if each.attrs.get("data-act") == name]


# --- the conversation


@pytest.mark.parametrize("lang", LANGUAGES)
def test_log_says_in_each_language_what_it_is(lang: str) -> None:
    log = page(lang=lang).one("div")
    assert (log["role"], log["aria-label"]) == ("log", words(lang)("turn.log"))
    assert not log.children


def test_html_is_plain_text_to_those_who_pass_it_on() -> None:
    # A value that escapes what it is joined with would surprise them.
    assert type(transcript([whole(answered())], SAY)) is str


@pytest.mark.parametrize(
    ("answer", "classes"),
    [
        (answered(), "turn whole answered"),
        (answered(mode="quoted"), "turn whole answered"),
        (abstained(), "turn whole abstained"),
        (answered("I answer.", mode="small_talk"), "turn whole small-talk"),
    ],
)
def test_turn_tells_its_state_and_mode(answer: Answer, classes: str) -> None:
    turn = page(whole(answer)).one("article")
    assert turn["class"] == classes
    assert (turn["id"], turn["data-turn"], turn["data-lang"]) == ("turn-k1", "k1", "en")
    assert turn["aria-busy"] == "false"
    assert turn["aria-labelledby"] == turn.one(".asked")["id"]


def test_question_has_a_paragraph_for_each_line() -> None:
    asked = page(Turn("שלום\nhello\n\n2024?")).one(".asked")
    assert [(p.text, p["dir"]) for p in asked.all("p")] == [
        ("שלום", "rtl"),
        ("hello", "ltr"),
        ("2024?", "ltr"),
    ]
    assert (asked["role"], asked["aria-level"]) == ("heading", "2")


def test_question_without_letters_runs_as_the_page_does() -> None:
    assert page(Turn("2024?"), lang="ar").one(".asked").one("p")["dir"] == "rtl"


# --- marks and cards


def test_mark_is_a_button_with_a_name_and_its_card_follows() -> None:
    turn = page(whole(answered()))
    mark = turn.one(".mark")
    assert mark.attrs == {
        "type": "button",
        "class": "mark",
        "id": "mark-k1-1",
        "data-card": "card-k1-1",
        "aria-label": "Quote 1: הנמל נפתח",
        "aria-expanded": "false",
        "aria-controls": "card-k1-1",
    }
    assert mark.text == "[1]"
    card = turn.following(mark)
    assert isinstance(card, Node)
    assert {name: card[name] for name in card.attrs if name != "class"} == {
        "id": "card-k1-1",
        "popover": "manual",
        "role": "group",
        "aria-label": "Quote 1",
        "data-number": "1",
        "data-source": CITATION.source,
        "data-start": str(CITATION.start),
        "data-end": str(CITATION.end),
    }


def test_card_holds_the_quote_to_the_letter_and_where_it_stands() -> None:
    card = page(whole(answered())).one(".card")
    quote = card.one(".quote")
    assert quote.text == QUOTE
    assert "\r\n" in quote.text
    assert (quote["dir"], quote["lang"]) == ("rtl", "he")
    assert [each.text for each in quote.all("bdi")] == ["Rossi"]
    assert card.one(".place").text == "הנמל נפתח · Hebrew · July 1, 2024"
    assert card.one(".translation").attrs == {"class": "translation", "role": "status"}
    assert [b.text for b in card.all("button")] == ["Translate", "Show in the article"]


@given(st.text(min_size=1))
@settings(deadline=None)
def test_quote_is_that_of_the_store_whatever_it_holds(quote: str) -> None:
    citation = replace(CITATION, quote=quote, title=quote, source=quote)
    card = page(whole(answered(citations=(citation,)))).one(".card")
    assert card.one(".quote").text == shown(quote)
    assert card["data-source"] == shown(quote)


def test_card_tells_language_date_and_page_as_the_page_does() -> None:
    citation = replace(CITATION, page=3)
    card = page(whole(answered(citations=(citation,))), lang="tr").one(".card")
    told = ["הנמל נפתח", "İbranice", "1 Temmuz 2024", "sayfa 3"]
    pieces = [each for each in card.one(".place").all("bdi") if each.text in told]
    assert [each.text for each in pieces] == told
    assert pieces[0]["lang"] == "he"
    assert page(whole(answered()), lang="tr").one(".proved")["lang"] == "tr"


def test_own_language_is_not_translated() -> None:
    translate = page(whole(answered(language="he"))).one(".translate")
    assert "hidden" in translate.attrs
    assert "hidden" not in page(whole(answered())).one(".translate").attrs


def test_only_what_statements_place_is_a_mark() -> None:
    first, second = "Clause [1] was [2] struck.", "It is dear."
    text = f"{first} [1][2]\n{second} [1] [2]"
    at = text.index(second)
    answer = answered(
        text=text,
        citations=(CITATION, replace(CITATION, number=2, title="", source="b.txt")),
        statements=(
            statement(first, (1, 2), "checked"),
            statement(second, (1,), "checked", at),
            Statement("Never shown. [1]", (), "refused", reason="it names no sentence"),
        ),
    )
    turn = page(whole(answer))
    marks = turn.all(".mark")
    assert [(m["id"], m.text, m["aria-label"]) for m in marks] == [
        ("mark-k1-1", "[1]", "Quote 1: הנמל נפתח"),
        ("mark-k1-2", "[2]", "Quote 2: b.txt"),
        ("mark-k1-3", "[1]", "Quote 1: הנמל נפתח"),
    ]
    lines = [words_of(p) for p in turn.one(".answer").all("p")]
    assert lines == text.splitlines()


def words_of(node: Node) -> str:
    """Its text without the cards, which are not on the page until they are opened."""
    return "".join(
        each if isinstance(each, str) else "" if each.matches(".card") else words_of(each)
        for each in node.children
    )


@pytest.mark.parametrize(
    "statements",
    [
        (),
        (statement("The boat", (1,), "checked", -3),),
        (statement("The boat", (1,), "checked", 900),),
        (statement("The boat cost 3 shekels.", (2,), "checked"),),
        (Statement("x", (1,), "checked", 24, 0), Statement("x", (1,), "quoted", 10**30, 10**31)),
    ],
)
def test_text_stays_whole_where_a_statement_names_no_mark(
    statements: tuple[Statement, ...],
) -> None:
    answer = answered(statements=statements)
    turn = page(whole(answer))
    assert turn.one(".answer").text == answer.text
    assert not turn.all(".mark")


def test_statements_that_lie_over_each_other_mark_once() -> None:
    answer = answered()
    assert len(page(whole(replace(answer, statements=answer.statements * 2))).all(".mark")) == 1


def test_quote_that_was_not_found_is_no_proof() -> None:
    refused = replace(CITATION, status="not in the article")
    turn = page(whole(answered(citations=(refused,))))
    assert not turn.all(".mark")
    assert turn.one(".answer").text.endswith("[1]")


# --- directions


def quoting(before: str, citation_lang: str, quote: str, after: str, lang: str) -> Node:
    """The paragraph of an answer that frames a quote."""
    text = f"{before}{quote}{after}"
    citation = replace(CITATION, quote=quote, lang=citation_lang)
    answer = answered(
        text, citations=(citation,), language=lang, mode="quoted",
        statements=(statement(text, (1,), "quoted"),),
    )  # fmt: skip
    return page(whole(answer)).one(".answer").one("p")


def test_frame_keeps_its_direction_around_a_long_quote() -> None:
    hebrew = "הסירה עלתה 3 שקלים, ו-17 דייגים חתמו עם Rossi."
    line = quoting("The article says: “", "he", hebrew, "”", "en")
    assert (line["dir"], line["lang"]) == ("ltr", "en")
    quote, *_ = line.all("bdi")
    assert (quote.text, quote["dir"], quote["lang"]) == (hebrew, "rtl", "he")
    assert [(each.text, each["dir"]) for each in quote.all("bdi")] == [("Rossi", "ltr")]


def test_frame_from_right_to_left_keeps_a_polish_quote_in_order() -> None:
    polish = "Łódź kosztowała 41 mld zł (2024)."
    line = quoting("בכתבה נאמר: “", "pl", polish, "”", "he")
    assert (line["dir"], line["lang"]) == ("rtl", "he")
    quote, *_ = line.all("bdi")
    assert (quote.text, quote["dir"], quote["lang"]) == (polish, "ltr", "pl")


def test_mark_and_its_card_are_set_off_in_the_language_of_the_page() -> None:
    turn = page(whole(answered("الثمن ٣٤٠ قرشًا.", language="ar")), lang="pl")
    proved = turn.one(".proved")
    assert (proved["dir"], proved["lang"]) == ("ltr", "pl")
    assert proved.one(".mark").text == "[1]"
    line = turn.one(".answer").one("p")
    assert (line["dir"], line["lang"]) == ("rtl", "ar")


# --- what is being done


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        (Turn("q", doing="waiting", count=2), "Waiting. Ahead of you: 2"),
        (Turn("q"), "Searching the articles"),
        (Turn("q", doing="reading"), "Reading what was found"),
        (Turn("q", doing="reading", count=6), "Reading. Sentences: 6"),
        (Turn("q", doing="checking", count=6), "Checking the answer against its quotes"),
        (Turn("q", doing="rewriting"), "Part of it did not pass the check. Asking for that again"),
        (Turn("q", state="stopped"), "Stopped"),
        (Turn("q", state="failed", fault="the model does not answer"), "the model does not answer"),
    ],
)
def test_note_tells_what_is_done(turn: Turn, told: str) -> None:
    note = page(turn).one(".note")
    assert (note.text, note["role"]) == (told, "status")
    assert page(turn).one("article")["aria-busy"] == str(turn.state == "open").lower()


def test_titles_of_what_was_found_are_shown_while_it_is_read() -> None:
    untitled = replace(OTHER, source="c.txt", title="")
    more = [replace(OTHER, source=f"{n}.txt", title=f"Number {n}") for n in range(5)]
    turn = Turn("q", doing="reading", hits=(HIT, HIT, untitled, *more))
    items = page(turn).one(".found").all("li")
    assert [each.text for each in items] == ["הנמל נפתח", "c.txt", "Number 0"]
    assert items[0].one("bdi")["lang"] == "he"


def test_unfinished_answer_has_no_buttons() -> None:
    turn = Turn("q", key="k").after(TextEvent("שילמו 41 billion $ [1]"))
    shown_turn = page(turn)
    assert shown_turn.one(".answer").text == turn.text
    assert not shown_turn.all("button")


def test_whole_answer_needs_no_note() -> None:
    assert not page(whole(answered())).all(".note")


def test_stopped_turn_keeps_its_text() -> None:
    turn = page(Turn("q", state="stopped", text="So far"))
    assert turn.one(".answer").text == "So far"
    assert not turn.all(".proof")


# --- filters


@pytest.mark.parametrize(
    ("where", "lang", "isolates", "told"),
    [
        ({}, "en", 0, ""),
        ({"lang": ["he"], "date": {"gte": "2024-07-01"}}, "en", 2,
         "Hebrew · from July 1, 2024"),
        ({"lang": "he", "date": {"gte": "2024-07-01"}}, "pl", 2, "hebrajski · od 1 lipca 2024"),
        ({"lang": ("ar", "tr")}, "tr", 2, "Arapça, Türkçe"),
        ({"date": {"gt": "2024-07-01", "lt": "2024-08-01"}}, "he", 2,
         "אחרי 1 ביולי 2024, לפני 1 באוגוסט 2024"),
        ({"date": {"lte": "2024-07"}}, "ru", 1, "по 2024-07"),
        ({"date": "2024-07-01", "source": "a.txt"}, "ar", 2, "1 يوليو 2024 · a.txt"),
        ({"title": ["Trade\u202e\ngrows"], "other": 3, "date": {"near": "x"}}, "en", 2,
         "Trade grows · 3"),
    ],
)  # fmt: skip
def test_filter_is_told_in_one_line(
    where: dict[str, object], lang: str, isolates: int, told: str
) -> None:
    found = shown_filter(where, words(lang))
    assert found.translate({0x2068: None, 0x2069: None}) == told
    assert found.count("\u2068") == found.count("\u2069") == isolates


def test_turn_tells_what_it_was_asked_under() -> None:
    assert page(Turn("q", where={"lang": ["pl"]})).one(".only").text == "Only: \u2068Polish\u2069"
    assert not page(Turn("q")).all(".only")


# --- abstentions and small talk


def test_abstention_is_headed_and_offers_the_nearest_passages() -> None:
    long = Hit("long.txt", 7, 900, "Bread\n rose " * 60, score=0.1, lang="en", title="Long")
    turn = page(whole(abstained(hits=(HIT, OTHER, long, OTHER))))
    box = turn.one(".abstention")
    assert box.one("h3").text == "No answer in the articles"
    assert box.one(".answer").text == abstained().text
    assert box.one(".answer").one("p")["dir"] == "ltr"
    nearest = box.one("ul")
    assert nearest.matches(".nearest")
    assert [(b["data-source"], b["data-start"], b["data-end"]) for b in nearest.all(".passage")] \
        == [(h.source, str(h.start), str(h.end)) for h in (HIT, OTHER, long)]  # fmt: skip
    first, _, third = nearest.all("li")
    assert first.one(".place").text == "הנמל נפתח · Hebrew · July 1, 2024"
    words_shown = [each for each in first.all("bdi") if each.text == " ".join(QUOTE.split())]
    assert [(each["dir"], each["lang"]) for each in words_shown] == [("rtl", "he")]
    assert third.text.endswith("…")
    assert 150 < len(third.all("bdi")[-1].text) <= 200
    assert not turn.all(".mark")


def test_abstention_without_passages_offers_none() -> None:
    assert not page(whole(abstained(hits=()))).all(".nearest")


def test_abstention_never_shows_a_mark() -> None:
    marked = replace(answered(), mode="abstained", abstained=True)
    assert not page(whole(marked)).all(".mark")


def test_small_talk_looks_like_a_plain_answer() -> None:
    turn = page(whole(answered("I answer.", text="I answer.", mode="small_talk", hits=())))
    assert turn.one(".answer").text == "I answer."
    assert not [each for name in (".abstention", ".mark", ".proof") for each in turn.all(name)]


# --- acts


@pytest.mark.parametrize(
    ("turn", "acts"),
    [
        (Turn("q", state="open", text="a"), []),
        (Turn("q", state="stopped"), ["retry", "edit"]),
        (Turn("q", state="stopped", text="a"), ["copy", "retry", "edit"]),
        (Turn("q", state="failed", fault="x"), ["retry", "edit"]),
        (whole(answered()), ["copy", "retry", "edit", "like", "dislike"]),
        (whole(abstained()), ["copy", "retry", "edit", "like", "dislike"]),
    ],
)
def test_acts_are_those_that_make_sense(turn: Turn, acts: list[str]) -> None:
    shown_turn = page(turn)
    found = [b for b in shown_turn.all("button") if "data-act" in b.attrs]
    assert [b["data-act"] for b in found] == acts
    assert all(b.text for b in found)
    assert bool(shown_turn.all("form")) == ("like" in acts)


def test_only_the_last_turn_can_be_asked_again() -> None:
    turn = whole(answered())
    first, last = page(turn, replace(turn, key="k2")).all("article")
    assert [len(buttons(each, "retry")) for each in (first, last)] == [0, 1]


def test_same_turn_twice_is_last_once() -> None:
    assert transcript([whole(answered())] * 2, SAY).count('data-act="retry"') == 1


@pytest.mark.parametrize(
    ("verdict", "pressed"),
    [("", ["false", "false"]), ("liked", ["true", "false"]), ("disliked", ["false", "true"])],
)
def test_verdict_is_pressed(verdict: str, pressed: list[str]) -> None:
    turn = page(whole(answered(), verdict=verdict))
    found = [*buttons(turn, "like"), *buttons(turn, "dislike")]
    assert [b["aria-pressed"] for b in found] == pressed


def test_reason_has_a_label_and_starts_hidden() -> None:
    form = page(whole(answered())).one("form")
    reason = form.one("input")
    assert "hidden" in form.attrs
    assert form.one("label")["for"] == reason["id"]
    assert (reason["name"], reason["maxlength"]) == ("reason", "2000")
    assert [b["type"] for b in form.all("button")] == ["submit", "button"]


# --- what others wrote


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_of_others_is_never_markup(hostile: str) -> None:
    unfinished = [("open", doing, None) for doing in DOING]
    rest = [(state, "reading", mode) for state, mode in product(STATES, MODES)]
    for state, doing, mode in [*unfinished, *rest]:
        plain = page(hostile_turn("plain words", state, mode, doing))
        turn = page(hostile_turn(hostile, state, mode, doing))
        assert turn.skeleton == plain.skeleton
        assert turn.one(".asked").text == hostile
        assert hostile in turn.one(".answer").text
        assert turn.text.count(hostile) == plain.text.count("plain words")


@pytest.mark.parametrize("hostile", [f"{text} שלום \u202e {text}" for text in HOSTILE])
def test_text_of_others_from_right_to_left_is_never_markup(hostile: str) -> None:
    for state, mode in product(STATES, MODES):
        turn = page(hostile_turn(hostile, state, mode), lang="he")
        plain = page(hostile_turn("plain words", state, mode), lang="he")
        assert {tag for tag, _ in turn.skeleton} <= {tag for tag, _ in plain.skeleton} | {"bdi"}
        assert turn.one(".asked").text == hostile


@given(st.text(), st.sampled_from(STATES), st.sampled_from(MODES), st.sampled_from([*LANGUAGES]))
@settings(deadline=None)
def test_any_text_makes_balanced_html(text: str, state: str, mode: str | None, lang: str) -> None:
    turn = page(hostile_turn(text, state, mode), lang=lang)
    assert turn.one("article")["data-turn"] == shown(text)


def test_conversation_looks_the_same_after_a_reload() -> None:
    turns = (whole(answered()), whole(abstained(), key="k2"), Turn("q", "k3", state="stopped"))
    assert transcript(restored(kept(turns)), SAY) == transcript(turns, SAY)
