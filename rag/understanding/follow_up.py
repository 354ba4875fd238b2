"""A question that cannot be searched alone, led by the earlier one that it leans on.

Only the subject is taken over from the earlier question. It says which articles are meant;
which passage and sentence of them answer is asked with the new question alone:
`rag.retrieval.retrieve`, docs/decisions/follow-ups.md.
"""

from dataclasses import replace
from functools import cache

from rag.languages.detect import detect
from rag.languages.frames import Frame, frame
from rag.languages.locales import framed_languages
from rag.records import Query
from rag.understanding.exemplars import QuestionEmbedder

EARLIER_QUESTIONS = 4
"""How far back the question may lie that a follow-up leans on."""
LEANING = 1 / 2
"""A question leans on an earlier one when both, joined, are twice as near to the earlier one as
to it. Nearly all follow-ups do, and few questions on another subject;
`python -m evals.follow_ups` prints how many for this and other values."""


def resolve(query: Query, embedder: QuestionEmbedder) -> Query:
    """The query with the text to search: its question, led by the one that it leans on.

    A question that leans on none is searched as it was asked, whatever went before. One
    that leans on a follow-up is led by what that follow-up leans on. One that the articles
    did not answer leads none. Only questions are looked at: earlier answers are no evidence.
    Without history nothing is embedded.
    """
    answered = [asked for asked, answer in query.history if asked.strip() and not _refused(answer)]
    lead = ""
    for asked in answered[-EARLIER_QUESTIONS:]:
        lead = lead if lead and _leans(asked, lead, embedder) else asked
    if lead and _leans(query.question, lead, embedder):
        return replace(query, text=_joined(lead, query.question), lead=lead)
    return replace(query, text=query.question, lead="")


def _leans(asked: str, lead: str, embedder: QuestionEmbedder) -> bool:
    return share_of_distance(lead, asked, _joined(lead, asked), embedder) < LEANING


def _joined(lead: str, asked: str) -> str:
    return f"{lead} {asked}"


def _refused(answer: str) -> bool:
    """Whether an answer says, in whatever language, nothing of what was asked."""
    return answer.lstrip().startswith(_refusals())


@cache
def _refusals() -> tuple[str, ...]:
    """How an answer begins that tells nothing of the articles, those to small talk among them."""
    keys: tuple[Frame, ...] = ("abstain", "greeting", "order")
    return tuple(frame(key, lang) for key in keys for lang in framed_languages())


def share_of_distance(lead: str, asked: str, joined: str, embedder: QuestionEmbedder) -> float:
    """How far the joined text is from `lead`, for each step that it is from `asked`.

    Distance is 1 - cosine. A question without a subject of its own ("and in 2022?")
    hardly moves the text that it is joined to, in whatever language: the share is near
    0. It is near 1 for a question that has one. A ratio is the same for embedding
    models whose cosines are all high and for those where they are not.
    """
    lead_lang = detect(lead).lang
    lang = detect(asked).lang or lead_lang
    joint = embedder.question(joined, lang)
    from_lead = 1 - float(joint @ embedder.question(lead, lead_lang or lang))
    from_asked = 1 - float(joint @ embedder.question(asked, lang))
    return from_lead / max(from_asked, 1e-6)
