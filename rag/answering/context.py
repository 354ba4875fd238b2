"""What a model reads: passages under the headers of their articles, with numbered sentences.

A sentence that begins "and he said" means nothing by itself, so whole passages are shown, in
the order of their article; as many of the best as a budget of tokens holds. A small model loses
its way in them (docs/decisions/embedded-model.md): it is shown the likeliest sentences alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from rag.languages.cldr import language_name
from rag.languages.facts import LanguageText, facts_of
from rag.languages.titles import shown_title
from rag.languages.written_figures import written
from rag.records import Hit, Record
from rag.retrieval.sentence_selection import Evidence

MOST_HITS = 40
"""Passages that are looked for, for a model that reads many."""
_SENTENCE_TOKENS = 4
"""What a sentence's number and line end take beside its words."""
_HEADER_TOKENS = 40
_LONGEST_FIELD = 80
_TOUCHING = 2
"""Code points between two paragraphs of which nothing is left out."""


@dataclass(frozen=True)
class Excerpt(Record):
    """What is shown of one article."""

    hit: Hit
    """Any of its passages: what is known of the article."""
    evidence: tuple[Evidence, ...]
    """Its sentences, in its order."""

    @cached_property
    def shown_texts(self) -> tuple[LanguageText, ...]:
        """All that a reader of the excerpt knows of it, as (text, language)."""
        passages = {(e.hit.start, e.hit.text) for e in self.evidence}
        texts = (self.hit.title, self.hit.publisher, *(text for _, text in sorted(passages)))
        return tuple((text, self.hit.lang) for text in texts if text)


@dataclass(frozen=True)
class Context(Record):
    """Excerpts of articles whose sentences have numbers of their own, counted from 1."""

    excerpts: tuple[Excerpt, ...] = ()
    listed: tuple[Evidence, ...] = ()
    """The sentences, best first, where they are shown without what is around them."""

    @cached_property
    def evidence(self) -> dict[int, Evidence]:
        """Each sentence by its number."""
        return {e.number: e for excerpt in self.excerpts for e in excerpt.evidence}

    def around(self, sources: Sequence[Evidence]) -> tuple[LanguageText, ...]:
        """What is told with some sentences: the excerpts that they are of."""
        named = {each.hit.source for each in sources}
        shown = (each.shown_texts for each in self.excerpts if each.hit.source in named)
        return tuple(text for texts in shown for text in texts)

    def text(self, lang: str) -> str:
        """What the model reads; figures of listed sentences are told in the answer's language."""
        if self.listed:
            return "\n".join(_listed_text(each, lang) for each in self.listed)
        return "\n\n".join(map(_excerpt_text, self.excerpts))


def fitting(hits: Sequence[Hit], budget: int, count_tokens: Callable[[str], int]) -> list[Hit]:
    """The first of the hits, in their order, that a budget of tokens holds; at least one."""
    kept: list[Hit] = []
    articles: set[str] = set()
    left = budget
    for hit in hits:
        header = 0 if hit.source in articles else _HEADER_TOKENS
        cost = header + count_tokens(hit.text) + _SENTENCE_TOKENS * len(hit.sentences)
        if cost <= left or not kept:
            kept.append(hit)
            articles.add(hit.source)
            left -= cost
    return kept


def context_of(hits: Sequence[Hit]) -> Context:
    """Hits as excerpts: the article of the best hit first, its passages in their order."""
    by_article: dict[str, list[Hit]] = {}
    for hit in hits:
        by_article.setdefault(hit.source, []).append(hit)
    excerpts, number = [], 1
    for of_one in by_article.values():
        evidence = []
        for hit in sorted(of_one, key=lambda each: each.start):
            for sentence in hit.sentences:
                evidence.append(Evidence(number, sentence, hit, hit.score))
                number += 1
        excerpts.append(Excerpt(of_one[0], tuple(evidence)))
    return Context(tuple(excerpts))


def listing_of(
    evidence: Sequence[Evidence], budget: int, count_tokens: Callable[[str], int]
) -> Context:
    """The best sentences that a budget of tokens holds, at least the first."""
    costs = accumulate(count_tokens(each.sentence.text) for each in evidence)
    listed = tuple(evidence[: max(1, sum(spent <= budget for spent in costs))])
    return Context(tuple(Excerpt(each.hit, (each,)) for each in listed), listed)


def _excerpt_text(excerpt: Excerpt) -> str:
    lines = [_header(excerpt.hit)]
    end = excerpt.evidence[0].hit.start if excerpt.evidence else 0
    for each in excerpt.evidence:
        if each.sentence.start - end > _TOUCHING:
            lines.append("…")
        lines.append(_sentence_text(each))
        end = each.sentence.end
    return "\n".join(lines)


def _listed_text(evidence: Evidence, lang: str) -> str:
    """The sentence on one line, with its figures as the answer's language writes them.

    Small models take a magnitude of one language for another; code does not.
    """
    facts = facts_of(evidence.sentence.text, evidence.hit.lang)
    shown = [written(figure.values, lang) for figure in facts.numerals]
    figures = "; ".join(dict.fromkeys(filter(None, shown)))
    return _sentence_text(evidence) + (f" (figures: {figures})" if figures else "")


def _sentence_text(evidence: Evidence) -> str:
    return f"[{evidence.number}] {' '.join(evidence.sentence.text.split())}"


def _header(hit: Hit) -> str:
    """What is known of the article, on one line: title, language, date, publisher."""
    title = shown_title(hit.title, _LONGEST_FIELD) or shown_title(hit.source, _LONGEST_FIELD)
    lang = f"in {language_name(hit.lang)}" if hit.lang else ""
    date = f"dated {hit.date}" if hit.date else "without a date"
    facts = (lang, date, shown_title(hit.publisher, _LONGEST_FIELD))
    return f"Article “{title}” ({', '.join(filter(None, facts))})"
