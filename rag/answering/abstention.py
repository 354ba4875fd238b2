"""That the articles do not say, what the nearest ones are about, and what they do not name."""

from collections.abc import Iterable, Sequence

from rag.languages.frames import Article, frame, listed, listed_articles, paragraph
from rag.languages.locales import territory_name
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
    sentences = [frame("abstain", lang)]
    articles = _articles(hits)
    if articles:
        sentences.append(frame("nearest", lang, titles=listed_articles(articles, lang)))
        # As `rag.retrieval.rerank` looks for them.
        texts = [(f"{hit.in_context}\n{hit.date}", hit.lang) for hit in hits]
        missing = unnamed(query.text, query.question_lang, texts)[:MOST_UNNAMED]
        if missing:
            names = dict.fromkeys(_name(each, lang) for each in missing)
            sentences.append(frame("missing", lang, missing=listed(names, lang)))
    return paragraph(sentences)


def _articles(hits: Iterable[Hit]) -> list[Article]:
    """The articles of the best hits; one that was stored twice under a title counts once."""
    found: dict[str, Article] = {}
    for each in map(Article.of, hits):
        if each.title and all(each.source != other.source for other in found.values()):
            found.setdefault(each.title, each)
    return list(found.values())[:MOST_ARTICLES]


def _name(particular: Particular, lang: str) -> str:
    """A country as the asker's language has it in a list, a figure as it was written."""
    name = territory_name(particular.country, lang) if particular.country else ""
    return name or " ".join(particular.text.split())
