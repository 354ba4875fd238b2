"""What CLDR has on languages, as Babel keeps it."""

import pickle
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from babel import Locale

_RIGHT_TO_LEFT = frozenset(("ar", "dv", "fa", "he", "ks", "ku", "ps", "sd", "ug", "ur", "yi"))


@cache
def cldr(locale: str) -> dict[str, Any]:
    """The locale's own data, without what it inherits; empty when unknown.

    `Locale.months` gives one language the names of another once several are in use, since
    what it inherits by an alias is shared (Babel 2.18).
    """
    from babel import localedata

    if not re.fullmatch(r"[a-z]{2,3}(?:_[A-Z]{2})?", locale) or not localedata.exists(locale):
        return {}
    data: dict[str, Any] = pickle.loads(
        Path(localedata.resolve_locale_filename(locale)).read_bytes()
    )
    return data


@cache
def babel_locale(lang: str) -> "Locale | None":
    """Babel's names in a language, inherited ones as well; None when unknown."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(lang)
    except (UnknownLocaleError, ValueError, TypeError):
        return None


@cache
def language_name(code: str) -> str:
    """The English name of a language; the code itself when unknown.

    >>> language_name("kk"), language_name("qqq")
    ('Kazakh', 'qqq')
    """
    from babel import Locale

    name: str = Locale("en").languages.get(code, code)
    return name


def script_direction(lang: str) -> Literal["rtl", "ltr"]:
    """The direction that a language is written in; "ltr" when it is unknown.

    >>> script_direction("he"), script_direction("kk")
    ('rtl', 'ltr')
    """
    return "rtl" if lang.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"
