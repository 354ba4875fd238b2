"""A question as it may be asked: checked, with its language and what went before."""

import re
import unicodedata
from dataclasses import replace

from rag.errors import InputError
from rag.languages.cldr import language_name
from rag.languages.detect import detect
from rag.languages.locales import FALLBACK
from rag.records import Query
from rag.understanding.answer_language import asked_language
from rag.understanding.history import MAX_QUESTION as MAX_QUESTION
from rag.understanding.history import read_history

MAX_K = 100


def to_query(question: str, history: object = (), language: str | None = None) -> Query:
    """The question, checked, with its language and history; raises InputError.

    The answer's language is the one asked for in the question ("Answer in Russian: …"), else
    the question's own. A question too short to tell (a name, a figure) takes that of the
    conversation before it, and English where there is none.
    """
    text = checked_question(question)
    turns = read_history(history)
    said = [text, *(asked for asked, _ in reversed(turns))]
    lang = next((found for found in map(language_of, said) if found), FALLBACK)
    asked, wanted = asked_language(text, lang)
    if asked != text:
        lang = language_of(asked) or lang
    query = Query(asked, asked, lang, wanted or lang, turns)
    return replace(query, answer_lang=checked_language(language)) if language else query


def language_of(text: str) -> str:
    """The ISO 639-1 code of a text's language; "" where that cannot be told."""
    return detect(text).lang


def checked_question(question: str) -> str:
    """The question without white space around it; raises InputError."""
    if not isinstance(question, str):
        raise InputError(f"the question is a {type(question).__name__}, not text; ask in words")
    text = question.strip()
    if not text:
        raise InputError("the question is empty; ask something in words")
    if len(text) > MAX_QUESTION:
        raise InputError(
            f"the question has {len(text):,} characters, {MAX_QUESTION:,} is the most; shorten it"
        )
    for char in text:
        if unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") and char not in "\n\r\t":
            raise InputError(
                f"the question holds U+{ord(char):04X}, which is not text; ask in words"
            )
    if not any(char.isalnum() for char in text):
        raise InputError(f"the question {text[:40]!r} holds no words; ask in words")
    return text


def checked_language(language: str) -> str:
    """The ISO 639 code of a language that has a name; raises InputError."""
    if not isinstance(language, str):
        raise InputError(f"language={language!r} is not known; give a code such as en, kk or zh")
    code = language.strip().lower().replace("_", "-").partition("-")[0]
    if not re.fullmatch(r"[a-z]{2,3}", code) or language_name(code) == code:
        raise InputError(f"language={language!r} is not known; give a code such as en, kk or zh")
    return code


def checked_k(k: int | None) -> int | None:
    """How many passages are read; None leaves it open. Raises InputError."""
    if k is not None and not (isinstance(k, int) and 1 <= k <= MAX_K):
        raise InputError(f"k={k!r} is not a number of passages; give one from 1 to {MAX_K}")
    return k
