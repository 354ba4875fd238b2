"""What is told of the corpus itself: how many articles, in which languages, which, from when."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rag.languages.titles import shown_title
from rag.prompts import Source, count_frame, languages_frame, titles_frame
from rag.records import Document, Query
from rag.understanding.exemplars import QuestionEmbedder
from rag.understanding.understand import Wanted, wanted_of_corpus

MOST_LISTED = 10
_ORDER: tuple[Wanted, ...] = ("count", "languages", "list", "oldest", "newest")


def about_corpus(
    query: Query, documents: Mapping[str, Document], embedder: QuestionEmbedder | None = None
) -> str:
    """What is known of the stored articles, in the asker's language; what is asked comes first.

    Without an embedder only a question in an exemplar's own words is told from "how many".
    """
    lang = query.answer_lang
    asked = wanted_of_corpus(query, embedder)
    order = (asked, *(part for part in _ORDER if part != asked))
    told = [said for part in order for said in _said(part, list(documents.values()), lang)]
    # Chinese and Japanese set no space after a stop.
    return ("" if told[0].endswith("。") else " ").join(told)


def _said(part: Wanted, documents: Sequence[Document], lang: str) -> Iterator[str]:
    """The sentences of one part; none where there is nothing to tell."""
    if part == "count":
        yield count_frame("corpus_count", len(documents), lang)
    elif part == "languages" and documents:
        counts = Counter(document.lang for document in documents)
        yield languages_frame(dict(counts.most_common()), lang)
    elif part == "list" and documents:
        yield titles_frame("corpus_list", [_source(d) for d in documents[:MOST_LISTED]], lang)
        if len(documents) > MOST_LISTED:
            yield count_frame("corpus_more", len(documents) - MOST_LISTED, lang)
    elif part == "oldest":
        yield from _dated("oldest", documents, lang)
    elif part == "newest":
        yield from _dated("newest", documents, lang)


def _dated(part: Wanted, documents: Sequence[Document], lang: str) -> Iterator[str]:
    """The oldest or the newest, all of one day; after the newest how many have no date."""
    dated = [document for document in documents if document.date]
    if dated:
        pick = min if part == "oldest" else max
        day = pick(document.date[:10] for document in dated)
        found = [_source(d) for d in dated if d.date[:10] == day][:MOST_LISTED]
        yield titles_frame("corpus_oldest" if part == "oldest" else "corpus_newest", found, lang)
    if part == "newest" and len(dated) < len(documents):
        yield count_frame("corpus_undated", len(documents) - len(dated), lang)


def _source(document: Document) -> Source:
    title = shown_title(document.title) or shown_title(document.source)
    return Source(title, document.lang, document.date, document.source)
