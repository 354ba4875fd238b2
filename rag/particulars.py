"""What a question names exactly, and whether a passage names it too: figures and countries.

A passage on the trade of one year is near to a question on that of another, by its words
as by its vector. Code can tell them apart, in any language.
"""

from rag.figures import figures
from rag.territories import territories


def lacking(question: str, lang: str, text: str, text_lang: str) -> int:
    """How many of the figures and countries of the question the text does not name.

    >>> lacking("What was trade with Poland in 2024?", "en", "Handel z Polską w 2023 r.", "pl")
    1
    """
    asked = figures(question, lang)
    missing = 0
    if asked:
        held = {value for figure in figures(text, text_lang) for value in figure}
        missing = sum(not each & held for each in asked)
    named = territories(question, lang)
    if named:
        there = territories(text, text_lang)
        missing += len(named - there) if there is not None else 0
    return missing
