"""Which script a text is in, where names of another script stand in it."""

import re
import unicodedata
from functools import cache

from rag.languages.scripts import LETTERS_WORTH, script_of
from rag.languages.tables import read_table

QUESTION_WORDS = 20
"""Up to this many words a text of several scripts is taken for a question with names in it."""

_LATIN_AMONG_OTHERS = 0.4
"""What a Latin letter counts in a question that has another script as well."""

_HAN_ASKING = re.compile("[谁誰哪几幾吗嗎何]|什[么麼]|多少|怎[么麼]")
_HAN_OR_KANA = re.compile("([\u3041-\u30fa\u3400-\u9fff]+)")

_KANA = re.compile("[\u3041-\u30fa]")


def main_script(text: str) -> tuple[str, list[str]]:
    """The script that a text is in, and its words in it; "" when there is none.

    In a question Latin beside another script is mostly names and titles: it
    rules when the question begins with a Latin asking word, or when it is far
    longer and nothing else asks. In longer text the larger script rules.

    >>> main_script("מה אמר Xi Jinping?")
    ('HEBREW', ['מה', 'אמר'])
    """
    pieces = _pieces(text)
    by_script: dict[str, list[str]] = {}
    for piece in pieces:
        by_script.setdefault(_piece_script(piece), []).append(piece)
    sizes = {name: _size(name, group) for name, group in by_script.items()}
    if len(sizes) > 1 and len(pieces) <= QUESTION_WORDS:
        asking = [_piece_script(piece) for piece in pieces if _asks(piece)]
        if asking and not _asks(pieces[0]):
            asking = [script for script in asking if script != "LATIN"]
        if asking:
            return _as_written(asking[0], text), by_script[asking[0]]
        sizes["LATIN"] = sizes.get("LATIN", 0.0) * _LATIN_AMONG_OTHERS
    script = max(sizes, key=sizes.__getitem__, default="")
    if sizes.get(script, 0) < 2:
        return "", []
    return _as_written(script, text), by_script[script]


@cache
def asking_words() -> dict[str, frozenset[str]]:
    """Of each language the words that questions begin with."""
    return {
        lang: frozenset(words.split()) for lang, words in read_table("detect")["asking"].items()
    }


def letters(piece: str) -> str:
    """What of a word are letters."""
    return "".join(filter(str.isalpha, piece))


def _as_written(script: str, text: str) -> str:
    """The script; with a sign of kana, Chinese ones are Japanese."""
    return "HIRAGANA" if script == "CJK" and _KANA.search(text) else script


def _pieces(text: str) -> list[str]:
    """The words with a letter in them, addresses left out; Han and kana stand apart."""
    spaced = _HAN_OR_KANA.sub(r" \1 ", unicodedata.normalize("NFC", text))
    return [
        piece
        for piece in spaced.split()
        if "://" not in piece and "@" not in piece and any(map(str.isalpha, piece))
    ]


def _piece_script(piece: str) -> str:
    return script_of(letters(piece)[0])


def _asks(piece: str) -> bool:
    word = letters(piece).lower()
    return bool(_HAN_ASKING.search(piece)) or any(
        word in known for known in asking_words().values()
    )


def _size(script: str, pieces: list[str]) -> float:
    return LETTERS_WORTH.get(script, 1.0) * sum(len(letters(piece)) for piece in pieces)
