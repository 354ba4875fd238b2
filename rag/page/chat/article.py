"""An article as HTML for the source panel, its quotes marked where they stand."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from rag.languages.titles import shown_title
from rag.page.html.bidi import Way, direction, opposite, pieces
from rag.page.html.labels import BETWEEN, name_of, place
from rag.page.html.markup import (
    directed,
    escaped,
    isolate_foreign,
    isolated,
    joined,
    lang_attribute,
    markup,
)
from rag.page.html.words import Words
from rag.records import Document

MOST_TITLE = 500
"""Code points of a title that are shown."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class _Span:
    number: int
    start: int
    end: int


def article_html(document: Document, spans: Iterable[tuple[int, int, int]], say: Words) -> str:
    """A heading, where the article is from, and its text with the spans marked.

    `spans` are (number, start, end) in code points of the text; they may overlap and run
    over several lines, and what lies outside the text is not marked. Each line is a
    paragraph, and the `textContent` of `.text` is the document's text (see
    `rag.page.html.markup.escaped` for what HTML cannot hold). Of each number the first part has
    the id `quote-<number>`, and a button above the text has it for `data-go` where there
    are several.
    """
    within = _within(spans, len(document.text))
    way = direction(document.text)
    title = shown_title(document.title, MOST_TITLE) or name_of("", document.source)
    heading = direction(title, way)
    return str(
        markup(
            '<h2 dir="{heading}" lang="{lang}">{title}</h2><p class="place">{place}</p>{quotes}'
            '<div class="text">{lines}</div>',
            heading=heading,
            title=isolate_foreign(title, heading),
            lang=lang_attribute(document.lang),
            place=_place(document, say),
            quotes=_quotes(within, say),
            lines=_lines(document, within, way),
        )
    )


def _within(spans: Iterable[tuple[int, int, int]], length: int) -> list[_Span]:
    cut = (_Span(number, max(0, start), min(length, end)) for number, start, end in spans)
    return [each for each in cut if each.start < each.end]


def _place(document: Document, say: Words) -> Markup:
    own = [isolated(each) for each in (document.publisher, document.source) if each]
    known = place([], document.lang, document.date, None, say)
    return joined([*([known] if known else []), *own], BETWEEN)


def _quotes(spans: Sequence[_Span], say: Words) -> Markup:
    """Leads to each quote, where there are several."""
    numbers = sorted({each.number for each in spans if each.number > 0})
    if len(numbers) < 2:
        return Markup()
    return markup(
        '<div class="quotes" role="group" aria-label="{told}">{buttons}</div>',
        told=say("article.quotes"),
        buttons=joined((_button(each, say) for each in numbers), " "),
    )


def _button(number: int, say: Words) -> Markup:
    return markup(
        '<button type="button" data-go="{number}" aria-label="{told}">[{number}]</button>',
        number=number,
        told=say("turn.card", number=number),
    )


# --- lines


def _lines(document: Document, spans: Sequence[_Span], way: Way) -> Markup:
    """Each line as a paragraph; the line breaks stand between them."""
    parts: list[object] = []
    begun: set[int] = set()
    for found in _LINE.finditer(document.text):
        line = found[0].rstrip("\r\n")
        start, end = found.start(), found.start() + len(line)
        own = [each for each in spans if each.start < end and start < each.end]
        own_way = direction(line, way)
        inside = joined(
            _piece(document.text, start + a, start + b, own, begun, turned and opposite(own_way))
            for a, b, turned in pieces(line, own_way)
        )
        parts += [directed("p", inside, own_way, document.lang), found[0][len(line) :]]
    return joined(parts)


def _piece(
    text: str, start: int, end: int, spans: Sequence[_Span], begun: set[int], turned: Way | bool
) -> Markup:
    """A piece with its marks, one within the other where several quotes hold it."""
    edges = {edge for each in spans for edge in (each.start, each.end) if start < edge < end}
    cuts = sorted({start, end} | edges)
    inside = joined(_marked(text, a, b, spans, begun) for a, b in pairwise(cuts))
    return (
        markup('<bdi dir="{way}">{inside}</bdi>', way=turned, inside=inside) if turned else inside
    )


def _marked(text: str, start: int, end: int, spans: Sequence[_Span], begun: set[int]) -> Markup:
    inside = escaped(text[start:end])
    for number in sorted({s.number for s in spans if s.start <= start and end <= s.end})[::-1]:
        named = "" if number in begun else markup(' id="quote-{n}" tabindex="-1"', n=number)
        begun.add(number)
        inside = markup(
            '<mark class="quote q{number}"{named} data-number="{number}">{inside}</mark>',
            number=number,
            named=named,
            inside=inside,
        )
    return inside
