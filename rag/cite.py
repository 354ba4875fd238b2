"""Check: a draft and the sentences it was written from -> text with proved marks.

A citation is made from the stored sentence, never from the model's words, so its quote
is exact by construction. A claim is shown only with a citation, only when each of its
particulars stands in what it cites (`rag.audit`), and only when its words are near to that.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.abstention import shown_title
from rag.answer import Claim, Draft
from rag.audit import audit, audit_begun
from rag.evidence import Evidence
from rag.gloss import gloss
from rag.prompts import Source, names_frame, quote_frame, source_frame, sources_differ_lead
from rag.records import Citation, Query, Record, Statement

_OWN_MARKS = re.compile(r"\s*\[[\d\s,;]*\]")

Judge = Callable[[str, Sequence[Evidence]], None]
"""Raises Refused for a text whose words are not what the sentences say."""


@dataclass(frozen=True, slots=True)
class Checked(Record):
    """Text with marks `[1]`, the citation of each mark, and the text's sentences."""

    text: str
    citations: tuple[Citation, ...]
    statements: tuple[Statement, ...] = ()


class Refused(Exception):  # noqa: N818  (a verdict that the caller acts on, not a fault)
    """A draft that must not be shown, and why, in words that the model can act on."""


def cite(
    draft: Draft,
    evidence: Sequence[Evidence],
    query: Query,
    judge: Judge = lambda text, sources: None,
    partly: bool = False,
) -> Checked:
    """The draft as it may be shown; raises Refused for what no sentence supports.

    With `partly` a claim that is refused is left out, and told of in `statements`.
    """
    shown = {each.number: each for each in evidence}
    page = _Page()
    for claim in draft.claims:
        sources = _sources(claim, shown)
        try:
            text = _checked_text(claim, sources, query)
            if text:
                judge(text, sources)
                page.add(text, sources, "checked")
        except Refused as refusal:
            if not partly:
                raise
            page.refuse(claim.text, str(refusal))
    return page.checked()


def settled_text(
    draft: Draft, evidence: Sequence[Evidence], query: Query, partly: bool = False
) -> str:
    """The part of an unfinished draft that can be shown already.

    Every particular in it is checked, and what comes later only adds to it. Raises
    Refused as soon as the draft can no longer be shown.
    """
    if not draft.claims:
        return ""
    *whole, last = draft.claims
    before = cite(Draft(tuple(whole)), evidence, query, partly=partly).text
    sources = _sources(last, {each.number: each for each in evidence})
    try:
        begun = _checked_text(last, sources, query, finished=False)
    except Refused:
        if not partly:
            raise
        begun = ""
    return f"{before} {begun}".strip() if begun else before


def quote(evidence: Sequence[Evidence], query: Query, differ: bool = False) -> Checked:
    """The sentences themselves, framed in the asker's language: right whatever a model does.

    One in another language is followed by what code can say of it in the asker's. Where
    they `differ`, each is led by its article.
    """
    page, lang = _Page("\n"), query.answer_lang
    if differ:
        page.say(sources_differ_lead(lang))
    for each in evidence:
        words = " ".join(each.sentence.text.split())
        framed = f"{_article(each, lang)}: “{words}”" if differ else quote_frame(words, lang)
        names = gloss(words, each.hit.lang, lang) if each.hit.lang != lang else ()
        page.add(f"{framed} {names_frame(names, lang)}" if names else framed, [each], "quoted")
    return page.checked()


class _Page:
    """An answer as it is put together: statements with their marks, and what stands between."""

    def __init__(self, between: str = " ") -> None:
        self._between = between
        self._text = ""
        self._statements: list[Statement] = []
        self._citations: dict[int, Citation] = {}

    def add(self, text: str, sources: Sequence[Evidence], status: str) -> None:
        """A statement and its marks; one that was made already is not made again."""
        if any(each.text == text for each in self._statements):
            return
        for each in sources:
            number = len(self._citations) + 1
            self._citations.setdefault(each.number, _citation(number, each))
        marks = tuple(self._citations[each.number].number for each in sources)
        start = self.say(text + " " + "".join(f"[{mark}]" for mark in marks))
        self._statements.append(Statement(text, marks, status, start, start + len(text)))

    def say(self, text: str) -> int:
        """Text that claims nothing of its own; returns where it begins."""
        start = len(self._text) + len(self._between) if self._text else 0
        self._text = f"{self._text}{self._between}{text}" if self._text else text
        return start

    def refuse(self, text: str, reason: str) -> None:
        """What is not shown, and why."""
        self._statements.append(Statement(text, (), reason))

    def checked(self) -> Checked:
        return Checked(self._text, tuple(self._citations.values()), tuple(self._statements))


def check_words(
    text: str,
    sources: Sequence[Evidence],
    query: Query,
    detect: Callable[[str], str],
    agrees: Callable[[str, str, Sequence[str], Sequence[str]], bool | None],
) -> None:
    """Raises Refused for a claim in another language, or one far from what its quotes say."""
    lang = detect(text)
    if lang and lang != query.answer_lang:
        raise Refused("it is not in the language that is asked for")
    quotes, langs = [s.sentence.text for s in sources], [s.hit.lang for s in sources]
    if agrees(text, query.answer_lang, quotes, langs) is False:
        raise Refused("it is not what the sentence says")


def _sources(claim: Claim, shown: dict[int, Evidence]) -> list[Evidence]:
    """What the claim cites; a number that was not shown is dropped."""
    return [shown[number] for number in claim.ids if number in shown]


def _checked_text(
    claim: Claim, sources: Sequence[Evidence], query: Query, finished: bool = True
) -> str:
    """The claim's words without marks; of one that is not finished what can be shown."""
    text = " ".join(_OWN_MARKS.sub("", claim.text).split())
    if text and not sources:
        raise Refused("a claim names no sentence of the list")
    quotes = [(each.sentence.text, each.hit.lang) for each in sources]
    asked = query.text, query.question_lang
    if finished:
        found = audit(text, query.answer_lang, quotes, asked)
    else:
        text, found = audit_begun(text, query.answer_lang, quotes, asked)
    if found:
        raise Refused(found[0].reason)
    return text


def _article(evidence: Evidence, lang: str) -> str:
    hit = evidence.hit
    title = shown_title(hit.title) or shown_title(hit.source)
    return source_frame(Source(title, hit.lang, hit.date, hit.source), lang)


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
        date=hit.date,
    )
