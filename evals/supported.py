"""Whether an answer states particulars that its quotes do not hold."""

import re
from collections.abc import Iterator, Sequence

from rag.checking.audit import audit
from rag.checking.grounds import Finding
from rag.records import Answer, Citation

_MARKS = re.compile(r"(?:\s*\[\d+(?:\s*[,;-]\s*\d+)*\])+")


def unsupported(answer: Answer, question: str = "", lang: str = "") -> float | None:
    """1.0 where a claim states a figure, date or name that its quotes do not hold.

    Words that stand in a quote support themselves. `lang` is the question's language.
    None where nothing is claimed.
    """
    if answer.abstained or not answer.text.strip():
        return None
    return float(any(findings(answer, question, lang)))


def findings(answer: Answer, question: str, lang: str) -> Iterator[Finding]:
    """What `rag.checking.audit` finds in the claims, each held against the quotes that it cites.

    Names may come from the passages of these articles that were found, and dates be reckoned
    from the articles' own. The product and every other system are held to the same.
    """
    for text, cited in claims(answer):
        quotes = [(each.quote, each.lang) for each in cited]
        said = without_quotes(text, [quote for quote, _ in quotes])
        dates = [each.date for each in cited if each.date]
        yield from audit(
            said, answer.language, quotes, (question, lang), _around(answer, cited), dates
        )


def _around(answer: Answer, cited: Sequence[Citation]) -> list[tuple[str, str]]:
    """What was found of the articles that are cited, with their titles."""
    sources = {each.source for each in cited}
    hits = [hit for hit in answer.hits if hit.source in sources]
    titles = {(hit.title, hit.lang) for hit in hits if hit.title}
    return [*((hit.text, hit.lang) for hit in hits), *sorted(titles)]


def claims(answer: Answer) -> Iterator[tuple[str, tuple[Citation, ...]]]:
    r"""The parts of an answer's text, each with what it cites.

    A part ends in marks. The rest of a line, and a line without marks, rest on the marks
    before; only where there are none, on those that follow.

    >>> one, two = (Citation(n, "a.txt", 0, 9, "Six jets.") for n in (1, 2))
    >>> answer = Answer("Jets:\nSix [1]. All flew.\nMore\nTwo [2]", (one, two), False, "en", ())
    >>> for text, cited in claims(answer):
    ...     print(text, [each.number for each in cited])
    Jets: Six [1]
    . All flew. [1]
    More [1]
    Two [2]
    """
    cited: tuple[Citation, ...] | None = None
    waiting: list[str] = []
    for line in answer.text.splitlines():
        start = 0
        for marks in _MARKS.finditer(line):
            numbers = {int(digits) for digits in re.findall(r"\d+", marks[0])}
            cited = tuple(each for each in answer.citations if each.number in numbers)
            yield " ".join([*waiting, line[start : marks.start()].strip()]), cited
            start, waiting = marks.end(), []
        rest = line[start:].strip()
        if rest and cited is None:
            waiting.append(rest)
        elif rest and cited is not None:
            yield rest, cited
    if waiting:
        yield " ".join(waiting), ()


def without_quotes(text: str, quotes: Sequence[str]) -> str:
    r"""The text on one line, without what stands in it word for word from a quote.

    >>> without_quotes("The article says: “Six  jets.”", ["Six\njets."])
    'The article says: “ ”'
    """
    text = " ".join(text.split())
    for quote in sorted((" ".join(quote.split()) for quote in quotes), key=len, reverse=True):
        text = text.replace(quote, " ") if quote else text
    return text
