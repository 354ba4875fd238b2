"""The panel under an answer: what was searched and found, and how each sentence was checked."""

import math
from collections.abc import Iterable

from markupsafe import Markup

from rag.page.chat.marks import label, statement_paragraph
from rag.page.chat.turns import Turn
from rag.page.html.labels import (
    beginning,
    in_page_language,
    language_name,
    name_of,
    page_way,
    passage_button,
    shown_filter,
)
from rag.page.html.markup import isolated, joined, markup, paragraph
from rag.page.html.words import Words
from rag.records import Answer, Citation, Hit, Statement

EXCERPT = 80
"""Code points of a passage that tell it from others of its article."""
_SHOWN = {
    "quoted": "proof.quoted",
    "checked": "proof.checked",
    "unchecked": "proof.unchecked",
    "refused": "proof.refused",
}


def proof(turn: Turn, say: Words) -> str:
    """The folded panel as HTML; "" for what has no proof: no answer yet, or small talk."""
    answer = turn.answer
    if answer is None or answer.mode == "small_talk":
        return ""
    return str(
        markup(
            '<details class="proof"><summary>{told}</summary><p>{origin}</p>{facts}{passages}'
            "{sentences}</details>",
            told=say("proof.summary"),
            origin=say(_origin(answer)),
            facts=_facts(turn, answer, say),
            passages=_passages(answer, turn.key, say),
            sentences=_sentences(answer, say),
        )
    )


def _origin(answer: Answer) -> str:
    """The words for who made the answer, and what it was held to."""
    if answer.mode == "corpus":
        return "proof.of_corpus"
    if answer.notice and answer.mode != "generated":
        return "proof.model_failed"
    if answer.mode == "generated":
        return "proof.worded"
    if answer.mode == "quoted":
        return "proof.after_refusal" if answer.usage.calls else "proof.by_code"
    read = answer.usage.calls and answer.hits
    return "proof.nothing_read" if read else "proof.nothing_near"


# --- figures


def _facts(turn: Turn, answer: Answer, say: Words) -> Markup:
    used, lang = answer.usage, answer.language
    facts: list[tuple[str, Markup | str]] = []
    if answer.query.split() != turn.question.split() and answer.query:
        facts.append(("proof.searched", isolated(answer.query, lang)))
    if only := shown_filter(turn.where, say):
        facts.append(("proof.only", only))
    if used.calls or answer.mode == "generated":
        facts += [
            ("proof.model", isolated(answer.model, "")),
            ("proof.calls", _number(used.calls, say)),
            ("proof.tokens_read", _number(used.prompt_tokens, say)),
            ("proof.tokens_kept", _number(used.cached_tokens, say)),
            ("proof.tokens_written", _number(used.completion_tokens, say)),
        ]
    if used.cost:
        facts.append(("proof.cost", _dollars(used.cost, say)))
    facts.append(("proof.seconds", _number(answer.seconds, say)))
    return markup(
        '<dl class="facts">{facts}</dl>', facts=joined(_fact(*each, say) for each in facts)
    )


def _fact(key: str, value: Markup | str, say: Words) -> Markup:
    return markup("<div><dt>{key}</dt><dd>{value}</dd></div>", key=say(key), value=value)


def _number(value: float, say: Words) -> Markup:
    from babel.numbers import format_decimal

    told = format_decimal(round(value, 1), locale=say.lang) if math.isfinite(value) else "–"
    return in_page_language(told)


def _dollars(value: float, say: Words) -> Markup:
    """A price to two digits that say something: most answers cost a fraction of a cent."""
    from babel.numbers import format_currency

    if not math.isfinite(value):
        return in_page_language("–")
    rounded = float(f"{value:.2g}")
    told = format_currency(rounded, "USD", locale=say.lang, decimal_quantization=False)
    return in_page_language(told)


def _share(value: float, say: Words) -> str:
    from babel.numbers import format_percent

    return format_percent(value, locale=say.lang) if math.isfinite(value) else "–"


# --- passages


def _passages(answer: Answer, key: str, say: Words) -> Markup:
    if not answer.hits:
        return markup("<p>{told}</p>", told=say("proof.nothing"))
    heads = ("proof.rank", "proof.passage", "proof.language", "proof.score", "proof.cited")
    return markup(
        '<h3 id="passages-{key}">{told}</h3><div class="scrolls" role="group" tabindex="0" '
        'aria-labelledby="passages-{key}"><table aria-labelledby="passages-{key}"><thead><tr>'
        "{heads}</tr></thead><tbody>{rows}</tbody></table></div>",
        key=key,
        told=say("proof.passages"),
        heads=joined(markup('<th scope="col">{told}</th>', told=say(each)) for each in heads),
        rows=joined(_row(rank, hit, answer, say) for rank, hit in enumerate(answer.hits, 1)),
    )


def _row(rank: int, hit: Hit, answer: Answer, say: Words) -> Markup:
    inside = markup(
        "{title}<br>{words}",
        title=isolated(name_of(hit.title, hit.source), hit.lang),
        words=isolated(beginning(hit.text, EXCERPT), hit.lang),
    )
    cited = [_own_mark(each) for each in answer.citations if _overlap(each, hit)]
    return markup(
        '<tr><td class="number">{rank}</td><th scope="row">{button}</th><td>{lang}</td>'
        '<td class="number">{score}</td><td>{cited}</td></tr>',
        rank=_number(rank, say),
        button=passage_button(inside, hit),
        lang=language_name(hit.lang, say.lang) if hit.lang else "–",
        score=in_page_language(_share(hit.score, say)),
        cited=joined(cited, " ") if cited else say("proof.not_cited"),
    )


def _overlap(citation: Citation, hit: Hit) -> bool:
    same = citation.source == hit.source
    return same and citation.start < hit.end and hit.start < citation.end


def _own_mark(citation: Citation) -> Markup:
    return markup("<bdi>{label}</bdi>", label=label(citation))


# --- sentences


def _sentences(answer: Answer, say: Words) -> Markup:
    if not answer.statements:
        return Markup()
    return markup(
        '<h3>{told}</h3><ul class="statements">{items}</ul>',
        told=say("proof.sentences"),
        items=joined(_sentence(each, answer, say) for each in answer.statements),
    )


def _sentence(statement: Statement, answer: Answer, say: Words) -> Markup:
    """A sentence and what came of its check; one that was refused with the reason, in English."""
    refused = statement.status == "refused"
    why = (
        [isolated(statement.reason, "en")] if refused else _cited(statement.marks, answer.citations)
    )
    return markup(
        '<li class="{css}">{text}<p class="status">{told}</p></li>',
        css=statement.status,
        text=paragraph(statement.text, "", page_way(say))
        if refused
        else statement_paragraph(statement, answer),
        told=joined([say(_SHOWN[statement.status]), *why], " "),
    )


def _cited(marks: Iterable[int], citations: Iterable[Citation]) -> list[Markup]:
    wanted = set(marks)
    return [_own_mark(each) for each in citations if each.number in wanted]
