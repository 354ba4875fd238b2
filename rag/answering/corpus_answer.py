"""What is told of the corpus itself: how many articles, in which languages, which, from when."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from rag.languages.frames import Article, frame, listed_articles, listed_languages, paragraph
from rag.records import Document, Query
from rag.understanding.exemplars import NamedEmbedder
from rag.understanding.question_kinds import OF_CORPUS, Wanted, wanted_of_corpus

MOST_LISTED = 10


def about_corpus(
    query: Query, documents: Mapping[str, Document], embedder: NamedEmbedder | None = None
) -> str:
    """What is known of the stored articles, in the asker's language; what is asked comes first.

    Without an embedder only a question in an exemplar's own words is told from "how many".
    """
    asked = wanted_of_corpus(query, embedder)
    order = dict.fromkeys((asked, *OF_CORPUS))
    stored = list(documents.values())
    return paragraph([said for part in order for said in _said(part, stored, query.answer_lang)])


def _said(part: Wanted, documents: Sequence[Document], lang: str) -> Iterator[str]:
    """The sentences of one part; none where there is nothing to tell."""
    if part == "count":
        yield frame("corpus_count", lang, count=str(len(documents)))
    elif part == "languages" and documents:
        counts = dict(Counter(document.lang for document in documents).most_common())
        yield frame("corpus_languages", lang, languages=listed_languages(counts, lang))
    elif part == "list" and documents:
        yield _titles("corpus_list", documents, lang)
        if len(documents) > MOST_LISTED:
            yield frame("corpus_more", lang, count=str(len(documents) - MOST_LISTED))
    elif part in ("oldest", "newest"):
        yield from _dated(part, documents, lang)


def _dated(part: Wanted, documents: Sequence[Document], lang: str) -> Iterator[str]:
    """The oldest or the newest, all of one day; after the newest how many have no date."""
    days = [document.date[:10] for document in documents if document.date]
    if days:
        day = min(days) if part == "oldest" else max(days)
        found = [document for document in documents if document.date[:10] == day]
        yield _titles("corpus_oldest" if part == "oldest" else "corpus_newest", found, lang)
    if part == "newest" and len(days) < len(documents):
        yield frame("corpus_undated", lang, count=str(len(documents) - len(days)))


def _titles(
    key: Literal["corpus_list", "corpus_oldest", "corpus_newest"],
    documents: Sequence[Document],
    lang: str,
) -> str:
    articles = map(Article.of, documents[:MOST_LISTED])
    return frame(key, lang, titles=listed_articles(articles, lang))
