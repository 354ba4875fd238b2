"""Check: a draft and the sentences it was written from -> text with marks.

A citation is made from the stored sentence, never from the model's words, so its quote
is exact by construction. A claim is shown only with a citation, in the language that was
asked for, and only when each of its particulars follows from what was shown (`rag.checking.audit`).
What no particular tells, such as who did what to whom, is not checked here.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from rag.answering.context import Context
from rag.answering.draft import OWN_MARKS, Claim, Draft
from rag.answering.reply import Checked, ReplyText
from rag.checking.audit import audit, audit_begun, has_particulars
from rag.checking.claim_language import other_language
from rag.languages.facts import LanguageText
from rag.records import Query
from rag.retrieval.sentence_selection import Evidence


def cite(
    draft: Draft,
    context: Context,
    query: Query,
    doubted: Mapping[str, str] = MappingProxyType({}),
) -> Checked:
    """The claims that may be shown, with their marks; the others are told of as refused.

    A claim that was cut off is left out. `doubted` says of claims, by their words, why they are
    refused for other reasons.
    """
    reply = ReplyText()
    for claim in draft.claims:
        text, sources = _words(claim), _sources(claim, context)
        if not (claim.closed and text):
            continue
        reason = _refusal(text, sources, context, query) or doubted.get(text, "")
        if reason:
            reply.refuse(claim.text, reason)
        else:
            to_check = has_particulars(text, query.answer_lang)
            reply.add(text, sources, "checked" if to_check else "unchecked")
    return reply.checked()


def settled_text(draft: Draft, context: Context, query: Query) -> str:
    """The part of an unfinished draft that can be shown already.

    That is the claims that pass, and behind them the beginning of the one that is being written,
    with every particular in it checked.
    """
    whole = cite(draft, context, query).text
    unfinished = [claim for claim in draft.claims if not claim.closed]
    begun = _settled(unfinished[-1], context, query) if unfinished else ""
    return f"{whole} {begun}".strip() if begun else whole


def cited(draft: Draft, context: Context) -> list[Evidence]:
    """The sentences that the claims of a draft name, each once, in the order of the draft."""
    numbers = dict.fromkeys(number for claim in draft.claims for number in claim.ids)
    return [context.evidence[number] for number in numbers if number in context.evidence]


def _sources(claim: Claim, context: Context) -> list[Evidence]:
    """What the claim cites; a number that was not shown is dropped."""
    return cited(Draft((claim,)), context)


def _words(claim: Claim) -> str:
    """The claim on one line, without marks that the model wrote itself."""
    return " ".join(OWN_MARKS.sub("", claim.text).split())


def _refusal(text: str, sources: Sequence[Evidence], context: Context, query: Query) -> str:
    """Why a claim must not be shown, in words that the model can act on; "" where it may be."""
    if not sources:
        return "it names no sentence of the list"
    if other_language(text, query.answer_lang):
        return "it is not in the language that is asked for"
    found = _audited(text, query.answer_lang, *_grounds(sources, context, query))
    return found[0].reason if found else ""


# While a reply is written, its whole claims are checked anew with each piece.
_audited = lru_cache(256)(audit)


def _settled(claim: Claim, context: Context, query: Query) -> str:
    """What can be shown of a claim that is still being written; "" from its first fault on."""
    sources, words = _sources(claim, context), _words(claim)
    if not sources or other_language(words, query.answer_lang):
        return ""
    text, found = audit_begun(words, query.answer_lang, *_grounds(sources, context, query))
    return "" if found else text


def _grounds(
    sources: Sequence[Evidence], context: Context, query: Query
) -> tuple[tuple[LanguageText, ...], LanguageText, tuple[LanguageText, ...], tuple[str, ...]]:
    """What a claim is held against: its quotes, the question, what stands around, the dates."""
    quotes = tuple((each.sentence.text, each.hit.lang) for each in sources)
    dates = tuple(each.hit.date for each in sources if each.hit.date)
    # The user's own words alone: what a model made of them supports no name.
    asked = " ".join((*(earlier for earlier, _ in query.history), query.question))
    return quotes, (asked, query.question_lang), context.around(sources), dates
