"""The articles as a table, and what a filter leaves of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from rag.engine import Rag
from rag.errors import InputError
from rag.ingestion.staging import file_of
from rag.languages.folding import fold
from rag.page.html.labels import BETWEEN, language_name, name_of
from rag.page.html.markup import isolated, joined, markup
from rag.page.html.words import Words, words
from rag.records import Document, Record
from rag.store.filters import OneOf, day_number, parse_filter

MOST_ROWS = 500
"""Rows that a table shows: browsers are slow with more, and people search instead."""

_NOTHING = "–"
_ENGLISH = words("en")


class FilterError(InputError):
    """A date that is none, or a period that ends before it begins."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(_ENGLISH(key, **values))
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class Listed(Record):
    """An article as the table shows it."""

    document: Document
    passages: int
    added_here: bool

    @property
    def name(self) -> str:
        """What it is called: its title, or else its file."""
        return name_of(self.document.title, self.document.source)


def listed(engine: Rag) -> list[Listed]:
    """Every article by its name; raises what `Rag.documents` does."""
    documents = engine.documents()
    passages, added = engine.parts.store.passages_by_source(), engine.uploaded()
    articles = [
        Listed(document, passages.get(source, 0), source in added)
        for source, document in documents.items()
    ]
    return sorted(articles, key=lambda each: (each.name.casefold(), each.document.source))


def languages_of(
    articles: Sequence[Listed], where: Mapping[str, Any], say: Words
) -> list[tuple[str, str]]:
    """Name and code of each language that the articles or the filter have, by its name."""
    codes = {each.document.lang for each in articles if each.document.lang}
    codes.update(where.get("lang", ()))
    return sorted((language_name(code, say.lang), code) for code in codes)


# ---- the filter ------------------------------------------------------------------------


def filter_of(langs: Sequence[str], since: str, until: str) -> dict[str, Any]:
    """The filter of languages and of dates from one to another, both included; each may lack.

    Dates are ISO 8601, in digits of any script. Raises FilterError for what is no date and
    for a period without a day.

    >>> filter_of(["he", "pl"], "2024-07-01", "")
    {'lang': ['he', 'pl'], 'date': {'gte': '2024-07-01'}}
    >>> filter_of([], " ", "٢٠٢٤-٠٧-٠٥")
    {'date': {'lte': '2024-07-05'}}
    """
    days = {"gte": _day(since), "lte": _day(until)}
    if days["gte"] and days["lte"] and days["gte"] > days["lte"]:
        raise FilterError("sources.wrong_period", since=days["gte"], until=days["lte"])
    period = {comparison: day for comparison, day in days.items() if day}
    return {
        **({"lang": list(langs)} if langs else {}),
        **({"date": period} if period else {}),
    }


def _day(text: str) -> str:
    written = fold(text).text.strip()
    try:
        return date.fromisoformat(written).isoformat() if written else ""
    except ValueError:
        raise FilterError("sources.wrong_date", date=repr(text.strip()[:40])) from None


def meets(document: Document, where: Mapping[str, Any]) -> bool:
    """Whether a filter of `filter_of` leaves the article.

    >>> meets(Document("a.txt", "", "he", date="2024-07-05"), filter_of(["he"], "2024-07-06", ""))
    False
    """
    own = {"lang": document.lang, "day": day_number(document.date)}
    for condition in parse_filter(where):
        value: Any = own[condition.column]
        if isinstance(condition, OneOf):
            if value not in condition.values:
                return False
        elif not condition.first <= value <= condition.last:
            return False
    return True


# ---- the table ---------------------------------------------------------------------------


def table_html(
    articles: Sequence[Listed], where: Mapping[str, Any], removable: bool, say: Words
) -> Markup:
    """A row for each article, those first that the filter leaves; all of it is text.

    A title opens its article, a button removes what was added here where that is `removable`.
    """
    if not articles:
        return markup('<p class="note">{none}</p>', none=say("sources.none"))
    met = [(meets(each.document, where), each) for each in articles]
    rows = sorted(met, key=lambda each: not each[0])[:MOST_ROWS]
    files = Counter(file_of(each.document.source) for each in articles if each.added_here)
    count = [say("sources.count", shown=sum(kept for kept, _ in met), all=len(articles))]
    if len(articles) > MOST_ROWS:
        count.append(say("sources.first_rows", most=MOST_ROWS))
    columns = ("article", "language", "date", "characters", "passages", "state")
    return markup(
        '<p class="count" role="status">{count}</p><div class="scrolls" role="group" tabindex="0" '
        'aria-label="{title}"><table><caption>{title}</caption><thead><tr>{head}</tr></thead>'
        '<tbody>{rows}</tbody></table></div><p class="asking" role="status"></p>',
        title=say("sources.articles"),
        count=BETWEEN.join(count),
        head=joined(_heading(each, say) for each in columns),
        rows=joined(_row(each, kept, files if removable else {}, say) for kept, each in rows),
    )


def _heading(column: str, say: Words) -> Markup:
    number = Markup(' class="number"') if column in ("characters", "passages") else Markup()
    text = say(f"sources.{column}")
    return markup('<th scope="col"{number}>{text}</th>', number=number, text=text)


def _row(article: Listed, kept: bool, files: Mapping[str, int], say: Words) -> Markup:
    document = article.document
    return markup(
        '<tr class="{state}"><th scope="row">{title}</th><td>{language}</td><td>{date}</td>'
        '<td class="number">{characters}</td><td class="number">{passages}</td>'
        "<td>{states}{remove}</td></tr>",
        state="kept" if kept else "out",
        title=_title(article),
        language=language_name(document.lang, say.lang) if document.lang else _NOTHING,
        date=_time(document.date),
        characters=_figure(len(document.text), say),
        passages=_figure(article.passages, say),
        states=_states(article, kept, say),
        remove=_remove_button(document.source, files, say) if article.added_here else "",
    )


def _title(article: Listed) -> Markup:
    document = article.document
    return markup(
        '<button type="button" class="passage" data-source="{source}" data-start="0" '
        'data-end="0">{name}</button>{file}',
        source=document.source,
        name=isolated(article.name, document.lang),
        file=markup('<span class="file">{name}</span>', name=isolated(document.source))
        if article.name != document.source
        else "",
    )


def _time(day: str) -> Markup:
    if not day:
        return markup("{nothing}", nothing=_NOTHING)
    return markup('<time dir="ltr" datetime="{day}">{day}</time>', day=day)


def _figure(number: int, say: Words) -> Markup:
    from babel.numbers import format_decimal

    return markup("<bdi>{number}</bdi>", number=format_decimal(number, locale=say.lang))


def _states(article: Listed, kept: bool, say: Words) -> Markup:
    told = [say("sources.in_use" if kept else "sources.left_out")]
    if article.added_here:
        told.append(say("sources.added_here"))
    return joined((markup("<span>{each}</span>", each=each) for each in told), BETWEEN)


def _remove_button(source: str, files: Mapping[str, int], say: Words) -> Markup:
    """Asks at the first press, and removes at the second; `files` counts the articles of each."""
    file = file_of(source)
    if file not in files:
        return Markup()
    name = f"\u2068{file}\u2069"
    asked = "sources.confirm_all" if file != source else "sources.confirm"
    return markup(
        ' <button type="button" data-remove="{source}" data-confirm="{confirm}" '
        'aria-label="{label}">{text}</button>',
        source=source,
        confirm=say(asked, name=name, count=files[file]),
        label=say("sources.remove_file", name=name),
        text=say("sources.remove"),
    )
