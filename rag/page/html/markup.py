"""HTML in which every text of others is text: what is put in is escaped by whoever puts it in."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

from markupsafe import Markup, escape

from rag.page.html.bidi import Way, direction, opposite, pieces

_NOT_IN_HTML = re.compile("[\x00\ud800-\udfff]")
_LANG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")


def markup(template: str, /, **values: object) -> Markup:
    """The template with each value escaped and put in; Markup goes in as it is.

    >>> print(markup('<p title="{title}">{text}</p>', title='"', text=Markup("<b>a</b>")))
    <p title="&#34;"><b>a</b></p>
    """
    return Markup(template.format_map({name: escaped(value) for name, value in values.items()}))


def escaped(value: object) -> Markup:
    r"""The value as text whose `textContent` is that text, code point by code point.

    Parsers take a carriage return for a line feed unless it is written as a reference. What
    HTML cannot hold at all, NUL and half of a surrogate pair, becomes U+FFFD.

    >>> print(escaped("<b>\r\n\x00"))
    &lt;b&gt;&#13;
    �
    """
    if isinstance(value, Markup):
        return value
    shown = escape(_NOT_IN_HTML.sub("\ufffd", str(value)))
    return shown.replace("\r", Markup("&#13;")) if "\r" in shown else shown


def joined(parts: Iterable[object], between: str = "") -> Markup:
    """The parts one after the other, each escaped."""
    return Markup(str(escaped(between)).join(map(escaped, parts)))


def isolate_foreign(text: str, way: Way) -> Markup:
    """The text with words of the other direction isolated; its `textContent` is the text.

    >>> print(isolate_foreign("the paper אל-יומא (2024)", "ltr"))
    the paper <bdi dir="rtl">אל-יומא</bdi> (2024)
    """
    return joined(
        markup('<bdi dir="{way}">{text}</bdi>', way=opposite(way), text=text[start:end])
        if turned
        else text[start:end]
        for start, end, turned in pieces(text, way)
    )


def isolated(text: str, lang: str = "", otherwise: Way = "ltr") -> Markup:
    """A name or title of others, so that it does not turn the line that it stands in."""
    way = direction(text, otherwise)
    return directed("bdi", isolate_foreign(text, way), way, lang)


def paragraphs(text: str, lang: str = "", otherwise: Way = "ltr") -> Markup:
    """A paragraph for each line that is not empty, each in its own direction."""
    return joined(paragraph(line, lang, otherwise) for line in text.splitlines() if line.strip())


def paragraph(text: str, lang: str = "", otherwise: Way = "ltr") -> Markup:
    """A text on its own."""
    way = direction(text, otherwise)
    return directed("p", isolate_foreign(text, way), way, lang)


def directed(tag: Literal["p", "bdi"], inside: Markup, way: Way, lang: str) -> Markup:
    """An element that states which way its text runs, and in which language."""
    return markup(
        '<{tag} dir="{way}" lang="{lang}">{inside}</{tag}>',
        tag=tag,
        way=way,
        lang=lang_attribute(lang),
        inside=inside,
    )


def lang_attribute(lang: str) -> str:
    """What `lang` says of a text: its language, or "", which is that nobody knows it.

    Without an attribute the text would be read aloud as if it were in the page's language.

    >>> lang_attribute("he"), lang_attribute("pt-BR"), lang_attribute("?"), lang_attribute("xxz")
    ('he', 'pt-BR', '', '')
    """
    known = lang.partition("-")[0].lower() in _languages()
    return lang if known and _LANG.fullmatch(lang) else ""


@cache
def _languages() -> frozenset[str]:
    from babel import Locale

    return frozenset(Locale("en").languages)
