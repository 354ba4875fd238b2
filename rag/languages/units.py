"""What a figure counts: percent, money, time, length, weight; by the names of CLDR.

A unit is a set of possibilities, since one word may name two (the Hebrew לירה is a
pound and a lira). Two figures differ in unit only where both units are known and have
nothing in common.
"""

import re
from collections.abc import Iterable
from functools import cache

from rag.languages.cldr import cldr
from rag.languages.folding import LETTERS, normalised

Unit = frozenset[str]

_PERCENT = re.compile(
    r"[ \u00a0-]?%|[ \u00a0-]?(?:percent|per cent|pct\b|procent|prozent|процент|відсот|пайыз|אחוז"
    r"|درصد|(?:بال|في ال|في )م[ئا]|pour cent|por cien|por cento|per ?cento|パーセント"
    r"|個百分点|个百分点)",
    re.IGNORECASE,
)
_PERCENT_BEFORE = re.compile(r"(?:yüzde|yuzde|%|百分之|百分の)[ \u00a0]?\Z", re.IGNORECASE)
_SYMBOLS = {
    "$": "dollar", "€": "euro", "£": "pound", "¥": "yen yuan", "₺": "lira", "₽": "rouble",
    "₪": "shekel", "₸": "tenge", "₴": "hryvnia", "₹": "rupee", "₩": "won", "zł": "zloty",
    "TL": "lira", "NIS": "shekel", "RMB": "yuan", "美元": "dollar", "美金": "dollar",
    "ドル": "dollar", "米ドル": "dollar", "欧元": "euro", "ユーロ": "euro", "英镑": "pound",
    "ポンド": "pound", "日元": "yen", "円": "yen", "人民币": "yuan", "人民元": "yuan", "元": "yuan",
    "卢布": "rouble", "ルーブル": "rouble", "里拉": "lira", "リラ": "lira", "兹罗提": "zloty",
    "坚戈": "tenge", "テンゲ": "tenge", "谢克尔": "shekel", "シェケル": "shekel", "韩元": "won",
    "ウォン": "won",
}  # fmt: skip
_FAMILIES = {
    "dollar": "USD AUD CAD", "euro": "EUR", "pound": "GBP EGP", "yen": "JPY", "yuan": "CNY",
    "lira": "TRY ITL", "rouble": "RUB BYN", "zloty": "PLN", "tenge": "KZT", "shekel": "ILS",
    "hryvnia": "UAH", "rupee": "INR PKR", "franc": "CHF XAF", "won": "KRW", "krone": "SEK NOK",
    "peso": "MXN ARS", "real": "BRL", "dirham": "AED MAD", "riyal": "SAR QAR IRR", "baht": "THB",
    "dinar": "KWD JOD", "rand": "ZAR", "forint": "HUF", "koruna": "CZK", "leu": "RON MDL",
    "manat": "AZN TMT", "lari": "GEL",
}  # fmt: skip
"""Currencies by their noun: which dollar it is, answers leave open as often as articles."""
_CODES = {code: family for family, codes in _FAMILIES.items() for code in codes.split()}
_SYMBOL = "|".join(re.escape(each) for each in sorted(_SYMBOLS, key=len, reverse=True))
_SYMBOL_BEFORE = re.compile(rf"({_SYMBOL}|\b(?:{'|'.join(_CODES)}))[ \u00a0]?\Z")
_SYMBOL_AFTER = re.compile(rf"[ \u00a0-]?({_SYMBOL}|(?:{'|'.join(_CODES)})\b)")
_NEXT_WORDS = re.compile(r"[ \u00a0\-–]?([^\W\d_]+)(?:[ \u00a0\-–]([^\W\d_]+))?")
_MEASURES = (
    "duration-year", "duration-month", "duration-week", "duration-day", "duration-hour",
    "duration-minute", "length-kilometer", "length-meter", "length-centimeter", "length-mile",
    "length-foot", "mass-kilogram", "mass-tonne", "mass-gram", "volume-liter",
    "temperature-celsius",
)  # fmt: skip
_LAST = re.compile(r"(?:s[iu]|с[ыи]|.)\Z")
_BRITISH = re.compile(r"(?<=t)re(?=s?\b)")
"""CLDR has the American "meters" and "liters" for English."""
_SHORTEST_STEM = 3
_ENDING = 4
"""Letters that a word may have more than the stem."""


def unit_at(text: str, start: int, end: int, lang: str) -> Unit:
    """What the figure at start to end of a folded text counts; empty where that is not read.

    >>> unit_at("up 18 percent", 3, 5, "en"), unit_at("57 mld dolarów", 0, 6, "pl")
    (frozenset({'percent'}), frozenset({'dollar'}))
    """
    before, after = text[max(0, start - 12) : start], text[end : end + 48]
    if _PERCENT.match(after) or _PERCENT_BEFORE.search(before):
        return frozenset({"percent"})
    symbol = _SYMBOL_BEFORE.search(before) or _SYMBOL_AFTER.match(after)
    if symbol:
        name = symbol[1]
        return frozenset((_SYMBOLS.get(name) or _CODES[name]).split())
    words = _NEXT_WORDS.match(_BRITISH.sub("er", after) if lang == "en" else after)
    if not words:
        return frozenset()
    money, measures = _names(lang)
    first, second = normalised(words[1]), normalised(words[2] or "")
    return _named(first, measures) or _named(first, money) or _named(second, money)


def is_money(unit: Unit) -> bool:
    """Whether a unit is a currency."""
    return bool(unit) and unit <= set(_FAMILIES)


def _named(word: str, stems: dict[str, Unit]) -> Unit:
    if word in stems:
        return stems[word]
    for size in range(len(word) - 1, _SHORTEST_STEM - 1, -1):
        if word[:size] in stems and len(word) - size <= _ENDING:
            return stems[word[:size]]
    return frozenset()


@cache
def _names(lang: str) -> tuple[dict[str, Unit], dict[str, Unit]]:
    """Stems of the nouns of currencies, and of the words for measures."""
    data = cldr(lang)
    money: dict[str, Unit] = {}
    for family, codes in _FAMILIES.items():
        for noun in _nouns(codes.split(), data):
            money[_stem(noun)] = money.get(_stem(noun), frozenset()) | {family}
    measures: dict[str, Unit] = {}
    for unit in _MEASURES:
        widths = data.get("unit_patterns", {}).get(unit, {})
        long, short = widths.get("long", {}), widths.get("short", {})
        forms = {**short, **long} if isinstance(long, dict) and isinstance(short, dict) else {}
        for form in forms.values():
            # A pattern of several words tells no single one of them.
            single = len(_all_words(str(form))) == 1
            for word in _words([form]) if single else ():
                measures[word] = measures.get(word, frozenset()) | {unit}
    return money, measures


def _nouns(codes: list[str], data: dict[str, dict[str, object]]) -> set[str]:
    """The words of a currency's names that are no country or language."""
    names = [_currency_words(code, data) for code in codes]
    if len(names) > 1:
        stems = set.intersection(*({_stem(word) for word in each} for each in names))
        shared = {word for each in names for word in each if _stem(word) in stems}
        if shared:
            return shared
    if codes == ["EUR"]:
        return names[0]  # named after no country
    # A word such as "new" is no noun of its own: another currency has it, too.
    others = _land_words(data) | _currency_words("TWD", data)
    single = len(names[0]) == 1
    return {w for w in names[0] if single or not any(_related(w, other) for other in others)}


def _currency_words(code: str, data: dict[str, dict[str, object]]) -> set[str]:
    plural = data.get("currency_names_plural", {}).get(code)
    forms = plural.values() if isinstance(plural, dict) else ()
    return _words([data.get("currency_names", {}).get(code), *forms])


def _land_words(data: dict[str, dict[str, object]]) -> set[str]:
    words = _words([*data.get("territories", {}).values(), *data.get("languages", {}).values()])
    return {word.removeprefix("ال") for word in words}


def _related(word: str, land: str) -> bool:
    return word.startswith(land) or land.startswith(word) or word[:_ENDING] == land[:_ENDING]


def _words(names: Iterable[object]) -> set[str]:
    """The longer words of names."""
    words = (word for name in names if isinstance(name, str) for word in _all_words(name))
    return {word for word in words if len(word) >= _SHORTEST_STEM}


def _all_words(name: str) -> list[str]:
    return [normalised(word) for word in LETTERS.findall(re.sub(r"\(.*?\)", "", name))]


def _stem(word: str) -> str:
    """A noun without the ending that inflections change, Turkic "its" among them."""
    return _LAST.sub("", word) if len(word) > _SHORTEST_STEM + 1 else word
