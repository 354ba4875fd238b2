"""Tables and single texts as HTML; all that is put in is escaped and keeps its direction."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rag.page.html.bidi import direction
from rag.page.html.markup import escaped

NOTHING = "–"
"""What a cell without a value shows."""


def text(value: str) -> str:
    """Escaped, as all texts of the page are."""
    return str(escaped(value))


def isolated(value: str) -> str:
    """A text that turns nothing around it, whichever way it runs itself."""
    return f"<bdi>{text(value)}</bdi>"


def number(value: str) -> str:
    """Figures and their signs, left to right."""
    return f'<bdi class="number" dir="ltr">{text(value)}</bdi>'


def inside(value: object) -> str:
    """A value for a sentence of the page, which it does not turn round (U+2068, U+2069)."""
    return f"\u2068{value}\u2069"


def english(value: str) -> str:
    """What is called the same on all pages, such as the name of a measure."""
    return f'<bdi lang="en">{text(value)}</bdi>'


def moment(when: datetime) -> str:
    """A time to the minute, in UTC."""
    utc = when.astimezone(UTC)
    shown = number(f"{utc:%Y-%m-%d %H:%M} UTC")
    return f'<time datetime="{utc.isoformat(timespec="seconds")}">{shown}</time>'


def paragraph(value: str, lang: str = "") -> str:
    """A text of others, which runs as its own letters do."""
    named = f' lang="{text(lang)}"' if lang else ""
    return f'<p dir="{direction(value)}"{named}>{text(value)}</p>'


def note(value: str) -> str:
    """A line of the page's own words and what was put into them."""
    return f'<p class="note" role="status">{text(value)}</p>'


def row(heading: str, cells: Iterable[str]) -> str:
    """A row of cells that are HTML; the first one is its heading."""
    return f'<tr><th scope="row">{heading}</th>{"".join(f"<td>{each}</td>" for each in cells)}</tr>'


def table(title: str, headings: Iterable[str], rows: Iterable[str]) -> str:
    """Of headings and rows that are HTML; a wide one is scrolled by itself, with keys too."""
    head = "".join(f'<th scope="col">{each}</th>' for each in headings)
    return (
        f'<div class="scrolls" role="group" tabindex="0" aria-label="{text(title)}">'
        f'<table class="figures"><caption>{text(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
