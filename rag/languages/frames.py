"""What the program itself says around quotes and articles: the phrases of `prompts/frames.toml`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template
from typing import Literal

from rag.languages.locales import FALLBACK, frame_locale, language_name_in, phrases, written_date
from rag.languages.titles import shown_title
from rag.records import Document, Hit, Record

Frame = Literal[
    "quote", "names", "abstain", "nearest", "missing", "title", "details", "comma", "semicolon",
    "sources_differ", "translation", "greeting", "order", "corpus_count", "corpus_languages",
    "corpus_list", "corpus_more", "corpus_oldest", "corpus_newest", "corpus_undated",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Article(Record):
    """What is told of an article beside its text; "" for what is not known."""

    title: str
    lang: str = ""
    date: str = ""
    """ISO 8601; anything else is not told."""
    source: str = ""

    @classmethod
    def of(cls, found: Document | Hit) -> "Article":
        """A stored article, or that of a passage; by its file's name where it has no title."""
        title = shown_title(found.title) or shown_title(found.source)
        return cls(title, found.lang, found.date, found.source)


def frame(key: Frame, lang: str, **values: str) -> str:
    """A phrase in a language, or in English, with every `$placeholder` filled.

    >>> frame("quote", "pl", quote="57 mld"), frame("abstain", "xx")
    ('W artykule napisano: „57 mld”', 'The articles do not say.')
    """
    return Template((phrases().get(lang) or phrases()[FALLBACK])[key]).substitute(values)


def listed(names: Iterable[str], lang: str) -> str:
    """Names in a row, each set off.

    >>> frame("names", "pl", names=listed(["Polska", "18%"], "pl"))
    'Wymienia: \u2068Polska\u2069, \u206818%\u2069.'
    """
    return frame("comma", lang).join(map(_isolated, names))


def listed_articles(articles: Iterable[Article], lang: str) -> str:
    """Articles in a row, each by title, language and date."""
    return frame("semicolon", lang).join(_with_details(each, lang) for each in articles)


def listed_languages(counts: Mapping[str, int], lang: str) -> str:
    """Languages in a row, each with a count; "" is an unknown one.

    >>> listed_languages({"he": 2, "": 1}, "en")
    'Hebrew (2), Unknown language (1)'
    """
    return frame("comma", lang).join(
        language_name_in(code, lang) + frame("details", lang, details=str(count))
        for code, count in counts.items()
    )


def dated_title(article: Article, lang: str) -> str:
    """An article by its title and, where it is known, its date: for a quote to follow.

    >>> dated_title(Article("Bread", date="2021-05-03"), "de")
    '„\u2068Bread\u2069“, 3. Mai 2021'
    """
    told = _titled(article, lang), written_date(article.date, lang)
    return frame("comma", lang).join(filter(None, told))


def paragraph(sentences: list[str]) -> str:
    """Sentences of one language as a text; Chinese and Japanese set no space after a stop."""
    return ("" if sentences[0].endswith("。") else " ").join(sentences)


def _with_details(article: Article, lang: str) -> str:
    told = frame_locale(lang).languages.get(article.lang, ""), written_date(article.date, lang)
    details = frame("comma", lang).join(filter(None, told))
    return _titled(article, lang) + (frame("details", lang, details=details) if details else "")


def _titled(article: Article, lang: str) -> str:
    return frame("title", lang, title=_isolated(article.title))


def _isolated(text: str) -> str:
    """Between Unicode's isolates, so that its direction does not turn the sentence around it."""
    return f"\u2068{text}\u2069"
