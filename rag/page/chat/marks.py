"""An answer's text as HTML: marks that are buttons, each followed by the card of its quote."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.languages.cldr import script_direction
from rag.page.html.bidi import direction
from rag.page.html.labels import name_of, page_way, place
from rag.page.html.markup import directed, isolate_foreign, isolated, joined, lang_attribute, markup
from rag.page.html.words import Words
from rag.records import Answer, Citation, Statement

_LINE = re.compile(r"[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Replacement:
    """What takes the place of a part of a text."""

    start: int
    end: int
    inside: Markup


def marked_paragraphs(answer: Answer, key: str, say: Words) -> Markup:
    """The answer with a paragraph for each line, a button for each of its marks.

    A mark stands where a statement says that it ends, and nowhere else: an article's own
    "[1]" is text. One without its citation is text, too. `key` is that of the turn.
    """
    replacements = [
        Replacement(start, start + len(label(each)), _mark(each, f"{key}-{index}", answer, say))
        for index, (start, each) in enumerate(placed_marks(answer), 1)
    ]
    for statement in answer.statements:
        if answer.text[statement.start : statement.end] == statement.text:
            replacements += quote_within(statement, answer)
    replacements.sort(key=lambda each: each.start)
    return joined(
        _paragraph(line[0], line.start(), replacements, answer.language)
        for line in _LINE.finditer(answer.text)
        if line[0].strip()
    )


def placed_marks(answer: Answer) -> Iterator[tuple[int, Citation]]:
    """Where each mark of the text begins, and what it cites, in the order of the text."""
    cited = {each.number: each for each in answer.citations if each.status == "exact"}
    past = 0
    for statement in sorted(answer.statements, key=lambda each: each.start):
        at = statement.end + answer.text.startswith(" ", max(0, statement.end))
        if not statement.marks or at < past:
            continue
        for number in statement.marks:
            if number not in cited or not answer.text.startswith(label(cited[number]), at):
                break
            yield at, cited[number]
            at = past = at + len(label(cited[number]))


def label(citation: Citation) -> str:
    """The mark as it is written."""
    return f"[{citation.number}]"


def statement_paragraph(statement: Statement, answer: Answer) -> Markup:
    """A statement by itself, without its marks."""
    quote = quote_within(statement, answer)
    return _paragraph(statement.text, statement.start, quote, answer.language)


def quote_within(statement: Statement, answer: Answer) -> list[Replacement]:
    """The article's words in a statement that quotes them, in their language and direction."""
    if statement.status != "quoted":
        return []
    for citation in answer.citations:
        words = " ".join(citation.quote.split())
        at = statement.text.find(words) if words and citation.number in statement.marks else -1
        if at >= 0:
            start = statement.start + at
            return [Replacement(start, start + len(words), isolated(words, citation.lang))]
    return []


def _paragraph(text: str, start: int, replacements: Sequence[Replacement], lang: str) -> Markup:
    """A part of the answer that begins there, with its replacements.

    A frame in the asker's language keeps its direction around a long quote in another.
    """
    between, insides, at = [], [], start
    for each in replacements:
        if at <= each.start and each.end <= start + len(text):
            between.append(text[at - start : each.start - start])
            insides.append(each.inside)
            at = each.end
    between.append(text[at - start :])
    way = direction(" ".join(between), script_direction(lang))
    parts = [isolate_foreign(each, way) for each in between]
    pairs = zip(parts, [*insides, Markup()], strict=True)
    return directed("p", joined(part for pair in pairs for part in pair), way, lang)


def _mark(citation: Citation, name: str, answer: Answer, say: Words) -> Markup:
    """A button and its card, kept out of the order of the words around them."""
    title = name_of(citation.title, citation.source)
    return markup(
        '<bdi class="proved" dir="{way}" lang="{lang}">'
        '<button type="button" class="mark" id="mark-{name}" data-card="card-{name}" '
        'aria-label="{told}" aria-expanded="false" aria-controls="card-{name}">{label}</button>'
        "{card}</bdi>",
        way=page_way(say),
        lang=say.lang,
        name=name,
        told=say("turn.mark", number=citation.number, title=title),
        label=label(citation),
        card=_card(citation, name, answer, say),
    )


def _card(citation: Citation, name: str, answer: Answer, say: Words) -> Markup:
    """The quote, where it stands, and what can be done with it.

    The button for a translation is not shown for a quote in the asker's own language.
    """
    way = direction(citation.quote)
    title = isolated(name_of(citation.title, citation.source), citation.lang)
    return markup(
        '<span class="card" id="card-{name}" popover="manual" role="group" aria-label="{told}" '
        'data-number="{number}" data-source="{source}" data-start="{start}" data-end="{end}">'
        '<span class="quote" dir="{way}" lang="{lang}">{quote}</span>'
        '<span class="place">{place}</span><span class="translation" role="status"></span>'
        '<button type="button" class="translate"{hidden}>{translate}</button> '
        '<button type="button" class="open">{open}</button></span>',
        name=name,
        told=say("turn.card", number=citation.number),
        number=citation.number,
        source=citation.source,
        start=citation.start,
        end=citation.end,
        way=way,
        lang=lang_attribute(citation.lang),
        quote=isolate_foreign(citation.quote, way),
        place=place([title], citation.lang, citation.date, citation.page, say),
        hidden=Markup(" hidden") if citation.lang == answer.language else "",
        translate=say("turn.translate"),
        open=say("turn.open"),
    )
