"""Which names of a text others have, across scripts: by letters, by heart, or as CLDR has them."""

import re
from collections.abc import Iterable, Sequence

from rag.languages.facts import TextFacts
from rag.languages.folding import WORD, fold, normalised
from rag.languages.known_forms import form_script, language_script
from rag.languages.known_names import KnownName
from rag.languages.names import Name, is_title
from rag.languages.text_words import concepts
from rag.languages.transliteration import can_romanise, same_letters

_PLACE_BEFORE = {
    "pl": re.compile(r"\b(?:we?|na|do|nad|pod|koło)\s\Z", re.IGNORECASE),
    "en": re.compile(r"\b(?:in|at|near)\s\Z", re.IGNORECASE),
    "ru": re.compile(r"\bво?\s\Z", re.IGNORECASE),
}
_PLACE_AFTER = {"tr": re.compile(r"['’][dt][ae]n?\b")}
"""What stands beside places in a language whose capital letters tell names."""
_UNSURE_BEFORE = {
    "pl": re.compile(r"\b(?:ze?|od|po|przez|dla|[A-ZŁŚŻ]\w+)\s\Z"),
    "en": re.compile(r"\b(?:the|from|to|of|for|on|[A-Z]\w+)\s\Z"),
    "ru": re.compile(r"\b(?:из|от|на|для|[А-Я]\w+)\s\Z"),
    "tr": re.compile(r"\b[A-ZÇĞİÖŞÜ]\w+\s\Z"),
    "kk": re.compile(r"\b[А-ЯӘҒҚҢӨҰҮІ]\w+\s\Z"),
}
"""What may stand beside either, or a part of a longer name."""
_STEM = 4
_ENDING = 5
"""Letters of a form that another may follow in a word, and one more than may follow."""
_TOO_SHORT = 2
_SLIP = 6
"""Letters from which a form may be written with other ones here and there."""
_AFTER = re.compile(r"[ \u00a0-](?=[^\W\d_])([^\W\d_]{3,})")
_JOINED = re.compile(r"(?:[^\W\d_]+-)+\Z")
"""The beginning of a name that a hyphen joins."""
_LAST_WORD = re.compile(r"([^\W\d_]+)[ \u00a0-]\Z")


def unsupported_names(claim: TextFacts, others: Iterable[TextFacts]) -> list[Name]:
    """The names of a text, told by their capitals, that no other text has.

    Nothing is said of a language without capital letters, of words at the start of a
    sentence, of short ones, of words that are no name ("Ministry"), nor where another
    text is in a script that cannot be compared.

    >>> from rag.languages.facts import facts_of
    >>> claim = facts_of("Here Kowalski met Novak.", "en")
    >>> unsupported_names(claim, [facts_of("Kowalski spotkał Dvořáka", "pl")])
    [Name(text='Novak', start=18, end=23)]
    """
    texts = [each for each in others if each.text]
    if not all(can_romanise(normalised(each.text)) for each in texts):
        return []

    def is_held(word: str) -> bool:
        named = concepts(word, claim.lang)
        return any(named & each.words.concepts or each.words.has(word) for each in texts)

    return [
        name
        for name in claim.names
        if not is_held(name.text)
        # A forename may be put before a known family name, but not another name after it.
        and not (
            (after := _AFTER.match(claim.text[name.end :]))
            and not _follows_name(claim.text[: name.start], claim.lang)
            and is_held(after[1])
        )
    ]


def _follows_name(before: str, lang: str) -> bool:
    """Whether the text before a name ends in a name that it is no part of."""
    last = _LAST_WORD.search(_JOINED.sub("", before))
    return bool(last and last[1][0].isupper() and not is_title(last[1], lang))


def unsupported_known_names(
    claim: TextFacts, quotes: Sequence[TextFacts], shown: Iterable[TextFacts] = ()
) -> list[KnownName]:
    """The known names of a text that none of the others has, where a quote has another instead.

    A name is passed over where no quote has a name of the same sort, a person or a place, that
    the text leaves out: it says whom a pronoun means.

    >>> from rag.languages.facts import facts_of
    >>> claim, quote = facts_of("Emma wohnt in Chicago.", "de"), facts_of("Emma, Boston", "en")
    >>> [one.text for one in unsupported_known_names(claim, [quote])]
    ['Chicago']
    """
    texts = list(dict.fromkeys((*quotes, *shown)))
    lacking = [
        name
        for name in claim.known_names
        if not any(is_held(name, claim.lang, each) for each in texts)
    ]
    if not lacking:
        return []
    left_out = frozenset[str]().union(*(_left_out(quote, claim) for quote in quotes))
    return [name for name in lacking if name.sorts & left_out]


def _left_out(quote: TextFacts, claim: TextFacts) -> frozenset[str]:
    """Of what sorts the names of a quote are that a claim leaves out."""
    known = quote.known_names
    lacking = (name for name in known if not is_held(name, quote.lang, claim))
    sorts = {sort for name in lacking for sort in name.sorts}
    for name in quote.names:
        new = not any(one.start <= name.start < one.end for one in known)
        if new and not holds_name(name.text, quote.lang, claim):
            sorts |= _sorts_by_grammar(quote.text, name.start, name.end, quote.lang)
    return frozenset(sorts)


def _sorts_by_grammar(text: str, start: int, end: int, lang: str) -> set[str]:
    """What an unknown name is of, by the words beside it; nothing where they do not tell."""
    before, after = _PLACE_BEFORE.get(lang), _PLACE_AFTER.get(lang)
    if (before and before.search(text[:start])) or (after and after.match(text[end:])):
        return {"l"}
    unsure = _UNSURE_BEFORE.get(lang)
    return set() if unsure and unsure.search(text[:start]) else {"p"}


def is_held(name: KnownName, lang: str, other: TextFacts) -> bool:
    """Whether a text has the name, which is of another's language, in one of its forms."""
    script = language_script(other.lang)
    theirs = [form for form in name.forms if form_script(form) == script]
    if script == "han":
        return not theirs or any(form in normalised(other.text) for form in theirs)
    said = () if form_script(name.form) == "han" else (name.text, name.form)
    if any(holds_name(each, lang, other, strict=bool(theirs)) for each in said):
        return True
    if theirs:
        return any(all(_is_written(word, other) for word in _longer(form)) for form in theirs)
    latin = [form for form in name.forms if form_script(form) == "latin"]
    return any(all(holds_name(word, "en", other) for word in _longer(form)) for form in latin)


def holds_name(name: str, lang: str, other: TextFacts, strict: bool = False) -> bool:
    """Whether a text may have the name: by its letters, or as CLDR names it there.

    Of a `strict` one the consonants alone are no counterpart.
    """
    if concepts(name, lang) & other.words.concepts:
        return True
    found = other.words.spells if strict else other.words.has
    return all(map(found, WORD.findall(fold(name).text)))


def _is_written(form: str, other: TextFacts) -> bool:
    """Whether a word of a text is a form of its own script, with an ending or a slip."""
    size = len(form)
    return any(
        word == form
        or (size >= _STEM and word.startswith(form) and len(word) - size < _ENDING)
        or (size >= _SLIP and same_letters(form, word))
        for word in other.words.normalised
        if size > _TOO_SHORT
    )


def _longer(form: str) -> list[str]:
    """The words of a form that are long enough to be looked for."""
    words = form.split()
    return [word for word in words if len(word) > 2] or words
