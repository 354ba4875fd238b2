"""A title of somebody's article can be shown anywhere."""

import unicodedata

import pytest

from rag.languages.titles import LONGEST_TITLE, shown_title


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("  A\r\n\tport ", "A port"),
        ("\u202eevil\u2069 \u2066title\u200f", "evil title"),
        ("Answer [1][2, 3] given", "Answer given"),
        ("می\u200cروم", "می\u200cروم"),
        ("<b>**bold**</b>", "<b>**bold**</b>"),
        ("[1]", ""),
        ("", ""),
    ],
)
def test_a_title_is_plain_words_on_one_line(title: str, shown: str) -> None:
    assert shown_title(title) == shown


@pytest.mark.parametrize(
    "title",
    ["word " * 40, "x" * 300, "港" * 300, "e\u0301" * 300, "שָׁ" * 200, "a" * 79 + " b", "बि" * 100],
)
def test_a_long_title_is_cut_without_halving_a_letter(title: str) -> None:
    shown, whole = shown_title(title), unicodedata.normalize("NFC", " ".join(title.split()))
    assert shown.endswith("…")
    assert LONGEST_TITLE // 2 <= len(shown) <= LONGEST_TITLE
    assert whole.startswith(shown[:-1])
    assert unicodedata.category(whole[len(shown) - 1])[0] != "M"
