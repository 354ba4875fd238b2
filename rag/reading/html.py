"""A saved web page -> Document: its main text, and what it states about itself."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.errors import ReadError
from rag.reading.files import MAX_TEXT_BYTES, decoded, file_bytes, parser_errors
from rag.reading.metadata import NO_METADATA, Metadata, iso_day, lang_code
from rag.records import Document

_HEAD_BYTES = 2048
"""Where a page must name its encoding (the HTML standard says within 1024)."""

_DECLARED_ENCODING = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)

_STATED_AT = {
    "title": ("//meta[@property='og:title']/@content", "//head/title/text()"),
    "date": (
        "//meta[@property='article:published_time']/@content",
        "//meta[@itemprop='datePublished']/@content",
        "//meta[@name='date' or @name='DC.date' or @name='dc.date' or @name='pubdate']/@content",
        "//time[@itemprop='datePublished' or @pubdate]/@datetime",
    ),
    "publisher": ("//meta[@property='og:site_name']/@content",),
    "lang": ("/html/@lang",),
}
"""Where a page states its own metadata, the plainest place first."""

_LINKED_DATA = "//script[@type='application/ld+json']/text()"
_PUBLISHED = re.compile(r'"datePublished"\s*:\s*"([^"]{10,40})"')
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def read_html(path: Path, source: str, metadata: Metadata) -> Document:
    """The main text of the page; a date that the page does not state is not guessed.

    The language that a page names counts only where none can be detected: it is
    mostly that of the site's template.
    """
    html = _XML_DECLARATION.sub("", _decoded(file_bytes(path, MAX_TEXT_BYTES)))
    with parser_errors("a web page", "trafilatura", "htmldate", "justext"):
        import trafilatura

        tree = trafilatura.load_html(html) if html.strip() else None
        stated = _stated_by(tree) if tree is not None else NO_METADATA
        text = tree is not None and trafilatura.extract(tree, include_comments=False)
    document = metadata.over(replace(stated, lang="")).document(source, text or "")
    return document if document.lang else replace(document, lang=stated.lang)


def _decoded(data: bytes) -> str:
    """The page in UTF-8 or UTF-16, else in the encoding that it names."""
    declared = _DECLARED_ENCODING.search(data[:_HEAD_BYTES])
    try:
        return decoded(data)
    except ReadError:
        if declared is None:
            raise
    name = declared[1].decode("ascii", "replace")
    try:
        return data.decode(name)
    except (LookupError, ValueError) as error:
        raise ReadError(f"is not text in {name}, the encoding that it names") from error


def _stated_by(tree: Any) -> Metadata:
    stated = {key: _first_stated(tree, places) for key, places in _STATED_AT.items()}
    linked = {iso_day(day) for data in tree.xpath(_LINKED_DATA) for day in _PUBLISHED.findall(data)}
    return Metadata(
        lang=lang_code(stated["lang"]),
        title=stated["title"],
        date=iso_day(stated["date"]) or (linked.pop() if len(linked) == 1 else ""),
        publisher=stated["publisher"],
    )


def _first_stated(tree: Any, places: Iterable[str]) -> str:
    found = (" ".join(str(value).split()) for place in places for value in tree.xpath(place))
    return next(filter(None, found), "")
