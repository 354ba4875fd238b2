"""Text -> paragraphs -> sentences, in every language that a table or a rule knows.

Text is never changed: everything here is a span of it. What a language does its own way
stands in `sentences.toml`.

Where text leaves it open, two sentences stay one: a quote that holds more than
its sentence still tells the truth, half a sentence may not.
"""

import re
from collections.abc import Iterator

from rag.languages.full_stops import Stop, dot_joins
from rag.languages.paragraphs import Span, paragraphs, trim
from rag.languages.stops import DASHES, FREE_STOPS, QUOTES, WIDE, StopRules, stop_rules

_SAYING_CJK = re.compile(
    "[他她我你您它]?们?[^\\W\\d_]{0,8}?(?:说道|说|說|道|问|問|答|称|稱|表示|指出|强调|強調|写道|喊|と|って)"
)
"""What reports the quote that closed before it: a speaker of at most eight signs, then the verb."""

_SEMITIC = re.compile("[\u05d0-\u05ea\u0620-\u064a]{4}")
_CAMEL_CASE = re.compile(r"[a-zа-я]{1,2}[A-ZА-Я]")
_CONTINUES = frozenset(",;:،؛、，；：)]}")


def split_sentences(text: str, lang: str) -> list[Span]:
    """Spans of the sentences, in order, apart, trimmed, holding all but white space.

    `lang` is an ISO 639-1 code or ""; it chooses the tables of abbreviations
    and ordinals. Closing quotes belong to the sentence they close, and so does
    the clause that reports a quote: `"Why?" he asked.` is one sentence.

    >>> text = "Dr. Kaya 3. katta. Gelmedi!"
    >>> [text[start:end] for start, end in split_sentences(text, "tr")]
    ['Dr. Kaya 3. katta.', 'Gelmedi!']
    """
    return [span for paragraph in paragraphs(text) for span in sentences_of(text, paragraph, lang)]


def sentences_of(text: str, paragraph: Span, lang: str) -> list[Span]:
    """The sentences of one paragraph; bare punctuation joins the sentence before it."""
    (start, end), rules = paragraph, stop_rules(lang)
    spans: list[Span] = []
    for cut in [*_sentence_ends(text, start, end, rules), end]:
        span = trim(text, start, cut)
        start = cut
        if span is None:
            continue
        if spans and not (has_letter(text, *span) and has_letter(text, *spans[-1])):
            span = (spans.pop()[0], span[1])
        spans.append(span)
    return spans


def has_letter(text: str, start: int, end: int) -> bool:
    """Whether the span holds a letter or a digit of any script."""
    return any(map(str.isalnum, text[start:end]))


def _sentence_ends(text: str, start: int, end: int, rules: StopRules) -> Iterator[int]:
    """Offsets inside the paragraph after which the next sentence begins."""
    capitals = text[start:end].lower() != text[start:end]
    for match in rules.stop.finditer(text, start, end):
        if match.end() < end and _ends(Stop(text, start, end, match), rules, capitals):
            start = match.end()
            yield start


def _ends(stop: Stop, rules: StopRules, capitals: bool) -> bool:
    """Whether the sentence ends at this stop; `capitals` tells whether the paragraph has any."""
    free = any(char in FREE_STOPS for char in stop.run) or "፡፡" in stop.run
    if not (free or stop.next.isspace() or _needs_no_space(stop)):
        return False
    if stop.next in _CONTINUES or stop.mark[:1] in _CONTINUES:
        return False
    if capitals and _is_small(stop.word):
        return False
    if free and stop.next.isdigit() and stop.last.isdigit():
        return False
    if stop.last and stop.last in "([（":
        return False
    return not (_reported(stop, rules) or (_is_dot(stop) and dot_joins(stop, rules)))


def _is_small(word: str) -> bool:
    """Whether a word begins with a small letter, and means it (not "eBay")."""
    first = word[:1]
    return first.islower() and first.title() != first and not _CAMEL_CASE.match(word)


def _needs_no_space(stop: Stop) -> bool:
    """Whether a sentence can follow at once: after "?" in Han, after a word in Hebrew or Arabic."""
    if stop.run[-1] in "!?" and WIDE.match(stop.next):
        return True
    around = stop.text[max(stop.start, stop.before - 3) : stop.before] + stop.next
    return bool(_SEMITIC.fullmatch(around))


def _is_dot(stop: Stop) -> bool:
    return stop.run.count(".") == 1 and not any(c in stop.run for c in "!?…‽")


def _reported(stop: Stop, rules: StopRules) -> bool:
    """Whether a clause follows that says who said the quote that closes here."""
    if not any(char in QUOTES for char in stop.closers):
        return False
    if stop.mark[:1] and stop.mark[0] in DASHES:
        return True
    if stop.mark:
        return False
    if WIDE.match(stop.word):
        return bool(_SAYING_CJK.match(stop.word))
    return stop.word.rstrip(".,:;،؛") in rules.saying
