"""What the page itself says, in the languages that it speaks."""

import re
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

LANGUAGES = {
    "en": "English",
    "tr": "Türkçe",
    "ar": "العربية",
    "he": "עברית",
    "pl": "Polski",
    "ru": "Русский",
}
"""The languages of the page, each by its own name; the first is that of everyone else."""
_OLD_HEBREW = re.compile(r"^iw\b")


@dataclass(frozen=True, slots=True)
class Words:
    """Says one key of words.toml in one of LANGUAGES."""

    lang: str

    def __call__(self, key: str, **values: object) -> str:
        """The words of a key such as "chat.ask", filled with the values that it names.

        Values are put in as they are: escape the whole where it becomes HTML. Raises
        KeyError for a key or a value that is missing.
        """
        return Template(_all()[key][self.lang]).substitute(values)


def words(lang: str) -> Words:
    """What the page says in one of LANGUAGES; raises KeyError for another."""
    if lang not in LANGUAGES:
        raise KeyError(lang)
    return Words(lang)


def preferred(accepted: str) -> str:
    """The language of the page for an `Accept-Language` header (RFC 9110, 12.5.4).

    >>> preferred("fr-FR, iw;q=0.5, pl;q=0.7"), preferred(""), preferred("ru;q=0, *")
    ('pl', 'en', 'en')
    """
    from babel import negotiate_locale

    ranked = sorted(_ranges(accepted), key=lambda each: -each[0])
    names = [name for quality, name in ranked if quality > 0]
    return negotiate_locale(names, LANGUAGES, sep="-") or next(iter(LANGUAGES))


def _ranges(accepted: str) -> Iterable[tuple[float, str]]:
    for part in accepted.split(","):
        name, _, quality = part.partition(";")
        with suppress(ValueError):
            yield float(quality.partition("=")[2] or 1), _OLD_HEBREW.sub("he", name.strip().lower())


@cache
def _all() -> dict[str, dict[str, str]]:
    entries = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
    return {
        f"{area}.{key}": spoken for area, keys in entries.items() for key, spoken in keys.items()
    }
