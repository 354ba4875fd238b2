"""The languages that the program speaks, and what they call languages, countries and dates."""

import re
import tomllib
from contextlib import suppress
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from rag.resources import prompts_folder

if TYPE_CHECKING:
    from babel import Locale

FALLBACK = "en"
"""Spoken to those whose language is none of them."""
_YEAR_OR_MONTH = re.compile(r"[0-9]{4}(-[0-9]{2})?")


@cache
def phrases() -> dict[str, dict[str, str]]:
    """`prompts/frames.toml`: the phrases of answers, by language and by key."""
    with (prompts_folder() / "frames.toml").open("rb") as file:
        return tomllib.load(file)


def framed_languages() -> tuple[str, ...]:
    """The languages that have phrases of their own."""
    return tuple(phrases())


@cache
def frame_locale(lang: str) -> "Locale":
    """Babel's names in the language that an asker is answered in."""
    from babel import Locale

    return Locale(lang if lang in phrases() else FALLBACK)


def language_name_in(code: str, lang: str) -> str:
    """A language by its code; "" is an unknown one.

    >>> language_name_in("kk", "ru")
    'казахский'
    """
    name: str = frame_locale(lang).languages.get(code or "und", code)
    return name


def territory_name(code: str, lang: str) -> str:
    """A country by its ISO 3166 code; "" when unknown.

    >>> territory_name("NO", "pl"), territory_name("NO", "xx")
    ('Norwegia', 'Norway')
    """
    name: str = frame_locale(lang).territories.get(code, "")
    return name


def written_date(iso: str, lang: str) -> str:
    """A date in words; a year or month alone as it is; "" for anything else.

    >>> written_date("2021-05-03", "de"), written_date("2021-05", "de"), written_date("May", "de")
    ('3. Mai 2021', '2021-05', '')
    """
    from babel.dates import format_date

    if _YEAR_OR_MONTH.fullmatch(iso):
        return iso
    with suppress(ValueError):
        return format_date(date.fromisoformat(iso[:10]), "long", locale=frame_locale(lang))
    return ""
