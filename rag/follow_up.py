"""A question that cannot be searched alone, led by the earlier one that it leans on."""

from dataclasses import replace
from typing import Protocol

from rag.encoder import Vectors
from rag.language import detect
from rag.records import Query

EARLIER_QUESTIONS = 4
"""How far back the question may lie that a follow-up leans on."""
LEANING = 1 / 3
"""A question leans on an earlier one when both, joined, are three times as near to the
earlier one as to it. Most follow-ups do, and few questions on another subject;
`python -m evals.follow_ups` prints how many for this and other values."""


class QuestionEmbedder(Protocol):
    """Embeds a question."""

    def question(self, text: str, lang: str) -> Vectors:
        """The unit vector of a question in that language."""


def resolve(query: Query, embedder: QuestionEmbedder) -> Query:
    """The query with the text to search: its question, led by the one that it leans on.

    A question that leans on none is searched as it was asked, whatever went before. One
    that leans on a follow-up is led by what that follow-up leans on. Only questions are
    looked at: earlier answers are no evidence. Without history nothing is embedded.
    """
    earlier = [asked for asked, _ in query.history if asked.strip()][-EARLIER_QUESTIONS:]
    text = lead = ""
    for asked in [*earlier, query.question]:
        joined = f"{lead} {asked}"
        if lead and share_of_distance(lead, asked, joined, embedder) < LEANING:
            text = joined
        else:
            text = lead = asked
    return replace(query, text=text)


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
