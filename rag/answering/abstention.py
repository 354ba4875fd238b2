"""That the articles do not say, what the nearest ones are about, and what they do not name."""

from collections.abc import Sequence

from rag.languages.titles import shown_title
from rag.prompts import Source, abstention, missing_frame, nearest_frame, territory_name
from rag.records import Hit, Query
from rag.retrieval.particulars import Particular, unnamed

MOST_ARTICLES = 2
MOST_UNNAMED = 5


def explain(query: Query, hits: Sequence[Hit]) -> str:
    """An abstention in at most three sentences, in the asker's language.

    The plain one; the titles of up to two articles that the best hits are of, with language and
    date; and what the question names and none of the hits does. Without hits only the first.
    """
    lang = query.answer_lang
    sentences = [abstention(lang)]
    sources = _sources(hits)
    if sources:
        sentences.append(nearest_frame(sources, lang))
        # As `rag.retrieval.rerank` looks for them.
        texts = [(f"{hit.in_context}\n{hit.date}", hit.lang) for hit in hits]
        missing = unnamed(query.text, query.question_lang, texts)[:MOST_UNNAMED]
        if missing:
            names = dict.fromkeys(_name(each, lang) for each in missing)
            sentences.append(missing_frame(list(names), lang))
    # Chinese and Japanese set no space after a stop.
    return ("" if sentences[0].endswith("。") else " ").join(sentences)


def _sources(hits: Sequence[Hit]) -> list[Source]:
    """The articles of the best hits; one that was stored twice under a title counts once."""
    found: dict[str, Source] = {}
    for hit in hits:
        title = shown_title(hit.title) or shown_title(hit.source)
        if title and all(hit.source != each.name for each in found.values()):
            found.setdefault(title, Source(title, hit.lang, hit.date, hit.source))
    return list(found.values())[:MOST_ARTICLES]


def _name(particular: Particular, lang: str) -> str:
    """A country as the asker's language has it in a list, a figure as it was written."""
    name = territory_name(particular.country, lang) if particular.country else ""
    return name or " ".join(particular.text.split())
