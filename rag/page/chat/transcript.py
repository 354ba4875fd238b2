"""A conversation as HTML: questions, what is being done, answers and what they offer."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from rag.page.chat.feedback import MAX_REASON
from rag.page.chat.marks import marked_paragraphs
from rag.page.chat.proof import proof
from rag.page.chat.turns import Turn
from rag.page.html.labels import (
    beginning,
    name_of,
    page_way,
    passage_button,
    place,
    shown_filter,
)
from rag.page.html.markup import isolated, joined, lang_attribute, markup, paragraph, paragraphs
from rag.page.html.words import Words
from rag.records import Answer, Hit

MOST_NEAREST = 3
EXCERPT = 200
"""Code points of a passage that an abstention shows."""
_DOING = {
    "waiting": "turn.waiting",
    "searching": "turn.searching",
    "understanding": "turn.understanding",
    "reading": "turn.reading",
    "checking": "turn.checking",
    "rewriting": "turn.rewriting",
    "verifying": "turn.verifying",
}
_MODES = {"abstained": "abstained", "small_talk": "small-talk"}


def transcript(turns: Sequence[Turn], say: Words) -> str:
    """The conversation as HTML in which every text of others is text and nothing else."""
    most = len(turns) - 1
    return log_html([turn_html(each, i == most, say) for i, each in enumerate(turns)], say)


def log_html(turns: Iterable[Markup], say: Words) -> str:
    """The conversation of turns that are HTML already, by `turn_html`."""
    log = markup(
        '<div role="log" aria-label="{told}">{turns}</div>',
        told=say("turn.log"),
        turns=joined(turns),
    )
    return str(log)


def turn_html(turn: Turn, last: bool, say: Words) -> Markup:
    """One turn; only the `last` one of a conversation can be asked again."""
    answer = turn.answer
    mode = _MODES.get(answer.mode, "answered") if answer else ""
    lang = answer.language if answer else ""
    return markup(
        '<article class="turn {classes}" id="turn-{key}" data-turn="{key}" data-lang="{lang}" '
        'aria-busy="{busy}" aria-labelledby="asked-{key}">'
        '<div class="asked" id="asked-{key}" role="heading" aria-level="2">{asked}</div>'
        "{only}{answer}{note}{proof}{acts}</article>",
        classes=f"{turn.state} {mode}".strip(),
        key=turn.key,
        lang=lang_attribute(lang),
        busy="true" if turn.state == "open" else "false",
        asked=paragraphs(turn.question, lang, page_way(say)),
        only=_only(turn, say),
        answer=_answer(turn, say),
        note=_note(turn, say),
        proof=Markup(proof(turn, say)),
        acts=_acts(turn, last, say) if turn.state != "open" else "",
    )


def _only(turn: Turn, say: Words) -> Markup:
    told = shown_filter(turn.where, say)
    if not told:
        return Markup()
    return markup('<p class="only">{told}</p>', told=say("turn.only", filter=told))


def _answer(turn: Turn, say: Words) -> Markup:
    """The answer with its marks, or as far as it is written; an abstention with what is near."""
    answer = turn.answer
    if answer is None or answer.mode == "small_talk":
        text, lang = (answer.text, answer.language) if answer else (turn.text, "")
        return _words(paragraphs(text, lang, page_way(say)))
    if answer.mode != "abstained":
        return _words(marked_paragraphs(answer, turn.key, say))
    return markup(
        '<div class="abstention"><h3>{told}</h3>{words}{nearest}</div>',
        told=say("turn.abstained"),
        words=_words(paragraphs(answer.text, answer.language, page_way(say))),
        nearest=_nearest(answer, turn.key, say),
    )


def _words(inside: Markup) -> Markup:
    return markup('<div class="answer">{inside}</div>', inside=inside)


def _nearest(answer: Answer, key: str, say: Words) -> Markup:
    if not answer.hits:
        return Markup()
    return markup(
        '<p id="nearest-{key}">{told}</p><ul class="nearest" aria-labelledby="nearest-{key}">'
        "{hits}</ul>",
        key=key,
        told=say("turn.nearest"),
        hits=joined(_passage(each, say) for each in answer.hits[:MOST_NEAREST]),
    )


def _passage(hit: Hit, say: Words) -> Markup:
    title = isolated(name_of(hit.title, hit.source), hit.lang)
    inside = markup(
        '<span class="place">{place}</span><br>{words}',
        place=place([title], hit.lang, hit.date, None, say),
        words=isolated(beginning(hit.text, EXCERPT), hit.lang),
    )
    return markup("<li>{button}</li>", button=passage_button(inside, hit))


# --- what is being done


def _note(turn: Turn, say: Words) -> Markup:
    """What is going on, or what ended the turn; under a whole answer only what went wrong."""
    if turn.state == "whole":
        failed = turn.answer is not None and turn.answer.notice
        told = _own(say("turn.model_failed")) if failed else Markup()
        return markup('<div class="note">{told}</div>', told=told) if failed else told
    return markup('<div class="note" role="status">{told}</div>', told=_news(turn, say))


def _news(turn: Turn, say: Words) -> Markup:
    if turn.state == "failed":
        return paragraph(turn.fault, otherwise=page_way(say))
    if turn.state == "stopped":
        return _own(say("turn.stopped"))
    known = turn.doing != "reading" or turn.count
    told = say(_DOING[turn.doing] if known else "turn.found", count=turn.count)
    return joined([_own(told), _found(turn)])


def _own(text: str) -> Markup:
    return markup("<p>{text}</p>", text=text)


def _found(turn: Turn) -> Markup:
    """The titles of the articles that were found, best first."""
    titles = {hit.source: isolated(name_of(hit.title, hit.source), hit.lang) for hit in turn.hits}
    if not titles:
        return Markup()
    items = (markup("<li>{title}</li>", title=each) for each in list(titles.values()))
    return markup('<ul class="found">{items}</ul>', items=joined(list(items)[:MOST_NEAREST]))


# --- what can be done with it


def _acts(turn: Turn, last: bool, say: Words) -> Markup:
    buttons = [_act("turn.copy", say)] if turn.text.strip() else []
    buttons += [_act("turn.retry", say)] if last else []
    buttons.append(_act("turn.edit", say))
    if turn.answer:
        buttons.append(_act("turn.like", say, turn.verdict == "liked"))
        buttons.append(_act("turn.dislike", say, turn.verdict == "disliked"))
    return markup(
        '<div class="acts" role="group" aria-label="{told}">{buttons}</div>{why}',
        told=say("turn.acts"),
        buttons=joined(buttons),
        why=_why(turn, say) if turn.answer else "",
    )


def _act(key: str, say: Words, pressed: bool | None = None) -> Markup:
    """The button of one act, which is called as its words are."""
    state = "" if pressed is None else markup(' aria-pressed="{on}"', on=str(pressed).lower())
    return markup(
        '<button type="button" data-act="{name}"{state}>{told}</button>',
        name=key.partition(".")[2],
        state=state,
        told=say(key),
    )


def _why(turn: Turn, say: Words) -> Markup:
    """Asks for the reason of a verdict; hidden until there is one."""
    return markup(
        '<form class="why" hidden><label for="why-{key}">{told}</label>'
        '<input id="why-{key}" name="reason" type="text" maxlength="{most}" dir="auto" '
        'autocomplete="off"><button type="submit" class="send">{send}</button>'
        '<button type="button" class="cancel">{cancel}</button></form>',
        key=turn.key,
        told=say("turn.why"),
        most=MAX_REASON,
        send=say("turn.send"),
        cancel=say("turn.cancel"),
    )
