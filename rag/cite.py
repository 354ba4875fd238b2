"""Check: a draft and the sentences it was written from -> text with proved marks.

A citation is made from the stored sentence, never from the model's words, so
its quote is exact by construction. A claim is shown only with a citation, only
when each of its figures stands in what it cites and none of theirs is missing,
and only when its words are near to theirs.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.answer import Claim, Draft
from rag.evidence import Evidence
from rag.figures import left_out, unsupported
from rag.prompts import quote_frame
from rag.records import Citation, Query, Record
from rag.territories import territories

_OWN_MARKS = re.compile(r"\s*\[[\d\s,;]*\]")
# A numeral at the end of unfinished text may still grow, or be multiplied by its next word.
_OPEN_END = re.compile(r"(?:\d[\d.,'’\u00a0\u202f]*(?:[\s\-]*\S*)?|\[[\d\s,;]*|\S+)$")

_RIVAL = 0.25
"""Share of the best sentence's probability from which another may be cited in its place."""


@dataclass(frozen=True, slots=True)
class Checked(Record):
    """Text with marks `[1]`, and the citation of each mark."""

    text: str
    citations: tuple[Citation, ...]


class Refused(Exception):  # noqa: N818  (a verdict that the caller acts on, not a fault)
    """A draft that must not be shown, and why, in words that the model can act on."""


def cite(draft: Draft, evidence: Sequence[Evidence], query: Query) -> Checked:
    """The draft as it may be shown; raises Refused for what no sentence supports."""
    shown = {each.number: each for each in evidence}
    citations: dict[int, Citation] = {}
    parts = []
    for claim in draft.claims:
        sources = _sources(claim, shown)
        text = _checked_text(claim, sources, query)
        if text:
            parts.append(f"{text} {_marks(sources, citations)}")
    return Checked(" ".join(dict.fromkeys(parts)), tuple(citations.values()))


def settled_text(draft: Draft, evidence: Sequence[Evidence], query: Query) -> str:
    """The part of an unfinished draft that can be shown already.

    Every figure in it is checked, and what comes later only adds to it. Raises
    Refused as soon as the draft can no longer be shown.
    """
    if not draft.claims:
        return ""
    *whole, last = draft.claims
    before = cite(Draft(tuple(whole)), evidence, query).text
    sources = _sources(last, {each.number: each for each in evidence})
    cut = Claim(last.ids, _OPEN_END.sub("", last.text))
    begun = _checked_text(cut, sources, query)
    return f"{before} {begun}".strip() if begun else before


def quote(evidence: Sequence[Evidence], query: Query) -> Checked:
    """The sentences themselves, framed in the asker's language: right whatever a model does."""
    lines = []
    for number, each in enumerate(evidence, 1):
        sentence = " ".join(each.sentence.text.split())
        lines.append(f"{quote_frame(sentence, query.answer_lang)} [{number}]")
    citations = tuple(_citation(number, each) for number, each in enumerate(evidence, 1))
    return Checked("\n".join(lines), citations)


def check_words(
    draft: Draft,
    evidence: Sequence[Evidence],
    query: Query,
    detect: Callable[[str], str],
    agrees: Callable[[str, str, Sequence[str], Sequence[str]], bool | None],
) -> None:
    """Raises Refused for a finished draft whose words are not what its quotes say.

    That is: another language than the one asked for, a figure of the quote left out
    (it may be the one that was asked for), or words that are far from the quote.
    """
    shown = {each.number: each for each in evidence}
    for claim in draft.claims:
        sources = _sources(claim, shown)
        quotes, langs = [s.sentence.text for s in sources], [s.hit.lang for s in sources]
        lang = detect(claim.text)
        if lang and lang != query.answer_lang:
            raise Refused("it is not in the language that is asked for")
        missing = left_out(claim.text, quotes, query.answer_lang)
        if missing:
            raise Refused(f"it leaves out the figure {missing[0]}; say all that the sentence says")
        if agrees(claim.text, query.answer_lang, quotes, langs) is False:
            raise Refused("it is not what the sentence says")


def check_choice(draft: Draft, evidence: Sequence[Evidence]) -> None:
    """Raises Refused where the sentences that answer most likely are not among those cited.

    Evidence is in the order of what the reader makes of it, and where a small model prefers
    another sentence it is mostly wrong.
    """
    cited = {number for claim in draft.claims for number in claim.ids}
    best = evidence[0]
    if cited and not any(e.number in cited and e.score >= _RIVAL * best.score for e in evidence):
        raise Refused(f"sentence {best.number} answers the question better")


def _sources(claim: Claim, shown: dict[int, Evidence]) -> list[Evidence]:
    """What the claim cites; a number that was not shown is dropped."""
    return [shown[number] for number in claim.ids if number in shown]


def _checked_text(claim: Claim, sources: Sequence[Evidence], query: Query) -> str:
    text = " ".join(_OWN_MARKS.sub("", claim.text).split())
    if text and not sources:
        raise Refused("a claim names no sentence of the list")
    quotes = [each.sentence.text for each in sources]
    wrong = unsupported(text, quotes, query.answer_lang)
    if wrong:
        figure = wrong[0] or "in words"
        raise Refused(f"the figure {figure} does not stand in the sentences that it names")
    if _names_another_country(text, sources, query):
        raise Refused("it names a country that the sentences do not name")
    return text


def _names_another_country(text: str, sources: Sequence[Evidence], query: Query) -> bool:
    """Whether a country is named that neither the quotes nor the question name."""
    named = territories(text, query.answer_lang)
    known = [territories(query.text, query.question_lang) or set()]
    for each in sources:
        quoted = territories(each.sentence.text, each.hit.lang)
        if quoted is None:
            return False  # nothing can be said of a language without names
        known.append(quoted)
    return bool(named) and not set(named or ()) <= set().union(*known)


def _marks(sources: Sequence[Evidence], citations: dict[int, Citation]) -> str:
    for each in sources:
        citations.setdefault(each.number, _citation(len(citations) + 1, each))
    return "".join(f"[{citations[each.number].number}]" for each in sources)


def _citation(number: int, evidence: Evidence) -> Citation:
    sentence, hit = evidence.sentence, evidence.hit
    return Citation(
        number=number,
        source=hit.source,
        start=sentence.start,
        end=sentence.end,
        quote=sentence.text,
        title=hit.title,
        lang=hit.lang,
        page=hit.page,
    )
