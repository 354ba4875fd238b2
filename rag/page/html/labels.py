"""What articles, their parts and filters are called in the page's language."""

import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from markupsafe import Markup

from rag.languages.cldr import script_direction
from rag.languages.titles import shown_title
from rag.page.html.bidi import Way
from rag.page.html.markup import joined, markup
from rag.page.html.words import Words
from rag.records import Hit

BETWEEN = " · "
_PERIODS = {"gte": "turn.from", "gt": "turn.after", "lte": "turn.until", "lt": "turn.before"}


def shown_filter(where: Mapping[str, Any], say: Words) -> str:
    """What a search is limited to, in one line of text; "" for no filter.

    Languages and dates are told in the page's language. What others named is isolated by
    U+2068 and U+2069. Takes what `rag.store.filters` refuses as well.

    >>> from rag.page.html.words import words
    >>> shown_filter({"lang": ["he", "pl"], "date": {"gte": "2024-07-01"}}, words("en"))
    '\u2068Hebrew\u2069, \u2068Polish\u2069 · \u2068from July 1, 2024\u2069'
    """
    told = (_told(name, value, say) for name, value in where.items())
    return BETWEEN.join(", ".join(f"\u2068{each}\u2069" for each in some) for some in told if some)


def language_name(code: str, lang: str) -> str:
    """A language's name in another language; the code itself when unknown.

    >>> language_name("pl", "tr"), language_name("zh-Hant", "en"), language_name("zz", "en")
    ('Lehçe', 'Chinese', 'zz')
    """
    from babel import Locale

    name: str = Locale(lang).languages.get(code.partition("-")[0].lower(), code)
    return name


def date_name(iso: str, lang: str) -> str:
    """A date of ISO 8601 as a language writes it; anything else as it is.

    >>> date_name("2024-07-01T09:30", "pl"), date_name("2024-07", "pl")
    ('1 lipca 2024', '2024-07')
    """
    from babel.dates import format_date

    with suppress(ValueError):
        return format_date(date.fromisoformat(iso[:10]), "long", locale=lang)
    return iso


def name_of(title: str, source: str) -> str:
    """What an article is called: its title on one line, or else its file's name."""
    return shown_title(title) or shown_title(source) or "–"


def place(parts: list[Markup], lang: str, day: str, page: int | None, say: Words) -> Markup:
    """Where a text stands: its language, date and page in the page's language, after `parts`."""
    told = [
        language_name(lang, say.lang) if lang else "",
        date_name(day, say.lang) if day else "",
        say("turn.page", number=page) if page is not None else "",
    ]
    return joined([*parts, *(in_page_language(each) for each in told if each)], BETWEEN)


def in_page_language(text: str) -> Markup:
    """Words of the page itself, isolated within its own line."""
    return markup("<bdi>{text}</bdi>", text=text)


def page_way(say: Words) -> Way:
    """The direction of the page."""
    return script_direction(say.lang)


def beginning(text: str, most: int) -> str:
    """The first words of a text on one line, at most so many code points; whole if it is short.

    >>> beginning("Bread is  dear", 20), beginning("Bread is dear", 10)
    ('Bread is dear', 'Bread is…')
    """
    whole = " ".join(text.split())
    if len(whole) <= most:
        return whole
    end = whole.rfind(" ", most // 2, most)
    if end < 0:
        end = most - 1
        while end and unicodedata.category(whole[end])[0] == "M":
            end -= 1
    return whole[:end] + "…"


def passage_button(inside: Markup, hit: Hit) -> Markup:
    """A button that opens the source panel where the passage stands."""
    return markup(
        '<button type="button" class="passage" data-source="{source}" data-start="{start}" '
        'data-end="{end}">{inside}</button>',
        source=hit.source,
        start=hit.start,
        end=hit.end,
        inside=inside,
    )


def _told(name: str, value: Any, say: Words) -> list[str]:
    """One condition of a filter, each of its values in words."""
    if isinstance(value, Mapping):
        days = {key: date_name(str(day), say.lang) for key, day in value.items()}
        return [say(_PERIODS[key], date=day) for key, day in days.items() if key in _PERIODS]
    values = [str(each) for each in (value if isinstance(value, list | tuple) else [value])]
    if name == "lang":
        return [shown_title(language_name(each, say.lang)) for each in values]
    if name == "date":
        return [shown_title(date_name(each, say.lang)) for each in values]
    return [shown_title(each) for each in values]
