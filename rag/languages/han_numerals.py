"""Chinese and Japanese numerals."""

import re

_NUMERAL = re.compile(
    r"[零〇一二两兩三四五六七八九十百][零〇一二两兩三四五六七八九十百千万萬亿億]*"
)
_MEASURES = frozenset("个個名位次年岁歲倍座项項场場轮輪家只艘架支天周週")
"""What one sign after a numeral makes sure: a word that counts things."""
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_DIGITS = {char: i for i, char in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}


def han_numerals(text: str) -> list[tuple[int, int, int, bool]]:
    """Value, start and end of each numeral, and whether it is surely one.

    Those of one sign are parts of words too often.

    >>> han_numerals("两千三百万人")
    [(23000000, 0, 5, True)]
    """
    return [
        (_worth(match[0]), *match.span(), len(match[0]) > 1 or _counts(text, match))
        for match in _NUMERAL.finditer(text)
    ]


def _counts(text: str, numeral: re.Match[str]) -> bool:
    """Whether what stands beside a numeral tells that it is one."""
    start, end = numeral.span()
    return text[end : end + 1] in _MEASURES or text[max(0, start - 1) : start] == "第"


def _worth(numeral: str) -> int:
    total, section, current = 0, 0, None
    for char in numeral:
        if char in _LARGE:
            total += (section + (current or 0) or 1) * _LARGE[char]
            section, current = 0, None
        elif char in _SMALL:
            section += (1 if current is None else current) * _SMALL[char]
            current = None
        else:
            current = (current or 0) * 10 + _DIGITS[char]
    return total + section + (current or 0)
