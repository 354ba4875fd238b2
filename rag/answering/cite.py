"""Check: a draft and the sentences it was written from -> text with marks.

A citation is made from the stored sentence, never from the model's words, so its quote
is exact by construction. A claim is shown only with a citation, in the language that was
asked for, and only when each of its particulars follows from what was shown (`rag.checking.audit`).
What no particular tells, such as who did what to whom, is not checked here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from rag.answering.context import Context
from rag.answering.draft import OWN_MARKS, Claim, Draft
from rag.answering.gloss import gloss
from rag.checking.audit import Told, audit, audit_begun, has_particulars
from rag.checking.claim_language import other_language
from rag.languages.titles import shown_title
from rag.prompts import Source, names_frame, quote_frame, source_frame
from rag.records import Citation, Query, Record, Statement, StatementStatus
from rag.retrieval.sentence_selection import Evidence


@dataclass(frozen=True, slots=True)
class Checked(Record):
    """Text with marks `[1]`, the citation of each mark, and the text's sentences."""

    text: str
    citations: tuple[Citation, ...] = ()
    statements: tuple[Statement, ...] = ()

    @property
    def refused(self) -> tuple[Statement, ...]:
        """The claims that are not shown."""
        return tuple(each for each in self.statements if each.status == "refused")


class _Refused(Exception):  # noqa: N818  (a verdict that is acted on, not a fault)
    """Why a claim must not be shown, in words that the model can act on."""


def cite(
    draft: Draft,
    context: Context,
    query: Query,
    doubted: Mapping[str, str] = MappingProxyType({}),
) -> Checked:
    """The claims that may be shown, with their marks; the others are told of as refused.

    A claim that was cut off is left out. `doubted` are claims that were refused for other
    reasons, by their words.
    """
    page = _Page()
    for claim in draft.claims:
        if not claim.closed:
            continue
        sources = _sources(claim, context)
        try:
            text = _words(claim)
            if not text:
                continue
            _check(text, sources, context, query)
            if text in doubted:
                raise _Refused(doubted[text])
            to_check = has_particulars(text, query.answer_lang)
            page.add(text, sources, "checked" if to_check else "unchecked")
        except _Refused as refusal:
            page.refuse(claim.text, str(refusal))
    return page.checked()


def settled_text(draft: Draft, context: Context, query: Query) -> str:
    """The part of an unfinished draft that can be shown already.

    That is the claims that pass, and behind them the beginning of the one that is being written,
    with every particular in it checked.
    """
    whole = cite(Draft(tuple(claim for claim in draft.claims if claim.closed)), context, query).text
    open_claims = [claim for claim in draft.claims if not claim.closed]
    begun = _settled(open_claims[-1], context, query) if open_claims else ""
    return f"{whole} {begun}".strip() if begun else whole


def quote(
    evidence: Sequence[Evidence], query: Query, lead: str = "", by_article: bool = False
) -> Checked:
    """The sentences themselves, framed in the asker's language: right whatever a model does.

    One in another language is followed by what code can say of it in the asker's. `lead` stands
    before them; with `by_article` each is led by its article.
    """
    page, lang = _Page("\n"), query.answer_lang
    if lead:
        page.say(lead)
    for each in evidence:
        words = " ".join(each.sentence.text.split())
        framed = f"{_article(each, lang)}: “{words}”" if by_article else quote_frame(words, lang)
        names = gloss(words, each.hit.lang, lang) if each.hit.lang != lang else ()
        page.add(f"{framed} {names_frame(names, lang)}" if names else framed, [each], "quoted")
    return page.checked()


def cited(draft: Draft, context: Context) -> list[Evidence]:
    """The sentences that the claims of a draft name, each once, in the order of the draft."""
    numbers = dict.fromkeys(number for claim in draft.claims for number in claim.ids)
    return [context.evidence[number] for number in numbers if number in context.evidence]


class _Page:
    """An answer as it is put together: statements with their marks, and what stands between."""

    def __init__(self, between: str = " ") -> None:
        self._between = between
        self._text = ""
        self._statements: list[Statement] = []
        self._citations: dict[int, Citation] = {}

    def add(self, text: str, sources: Sequence[Evidence], status: StatementStatus) -> None:
        """A statement and its marks; one that was made already is not made again."""
        if any(each.text == text and each.status != "refused" for each in self._statements):
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
        statement = Statement(text, (), "refused", reason=reason)
        if statement not in self._statements:
            self._statements.append(statement)

    def checked(self) -> Checked:
        return Checked(self._text, tuple(self._citations.values()), tuple(self._statements))


def _sources(claim: Claim, context: Context) -> list[Evidence]:
    """What the claim cites; a number that was not shown is dropped."""
    return [context.evidence[number] for number in claim.ids if number in context.evidence]


def _words(claim: Claim) -> str:
    """The claim on one line, without marks that the model wrote itself."""
    return " ".join(OWN_MARKS.sub("", claim.text).split())


def _check(text: str, sources: Sequence[Evidence], context: Context, query: Query) -> None:
    if not sources:
        raise _Refused("it names no sentence of the list")
    if other_language(text, query.answer_lang):
        raise _Refused("it is not in the language that is asked for")
    if found := _audited(text, query.answer_lang, *_told(sources, context, query)):
        raise _Refused(found[0].reason)


# While a reply is written, its whole claims are checked anew with each piece.
_audited = lru_cache(256)(audit)


def _settled(claim: Claim, context: Context, query: Query) -> str:
    """What can be shown of a claim that is still being written; "" from its first fault on."""
    sources, words = _sources(claim, context), _words(claim)
    if not sources or other_language(words, query.answer_lang):
        return ""
    text, found = audit_begun(words, query.answer_lang, *_told(sources, context, query))
    return "" if found else text


def _told(
    sources: Sequence[Evidence], context: Context, query: Query
) -> tuple[tuple[Told, ...], Told, tuple[Told, ...], tuple[str, ...]]:
    """What a claim is held against: its quotes, the question, what stands around, the dates."""
    quotes = tuple((each.sentence.text, each.hit.lang) for each in sources)
    dates = tuple(each.hit.date for each in sources if each.hit.date)
    # The user's own words alone: what a model made of them supports no name.
    asked = " ".join((*(earlier for earlier, _ in query.history), query.question))
    return quotes, (asked, query.question_lang), context.around(sources), dates


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
