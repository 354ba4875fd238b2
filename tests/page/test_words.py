"""What the page says, it says in every one of its languages."""

import re
import tomllib
import unicodedata
from pathlib import Path
from string import Template

import pytest

from rag.page.html import words as module
from rag.page.html.words import LANGUAGES, preferred, words

FOLDER = Path(module.__file__).parent
PAGE = FOLDER.parent
ENTRIES = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))
SPOKEN = {f"{area}.{key}": said for area, keys in ENTRIES.items() for key, said in keys.items()}
CODE = "".join(path.read_text(encoding="utf-8") for path in PAGE.rglob("*.py"))
SCRIPTS = {"ar": "ARABIC", "he": "HEBREW", "ru": "CYRILLIC"}
OWN = ("turn", "proof", "article")


@pytest.mark.parametrize("key", SPOKEN)
def test_every_key_is_said_in_every_language_with_the_same_names(key: str) -> None:
    said = SPOKEN[key]
    assert list(said) == list(LANGUAGES)
    names = {lang: sorted(Template(text).get_identifiers()) for lang, text in said.items()}
    assert set(map(tuple, names.values())) == {tuple(names["en"])}, names
    for lang, text in said.items():
        assert Template(text).is_valid(), f"{key} in {lang}: {text!r}"
        assert text == text.strip() != "", f"{key} in {lang}: {text!r}"
        assert text == unicodedata.normalize("NFC", text)
        assert "\n" not in text


@pytest.mark.parametrize("key", SPOKEN)
def test_every_language_is_in_its_own_script(key: str) -> None:
    for lang, script in SCRIPTS.items():
        text = Template(SPOKEN[key][lang]).safe_substitute(
            dict.fromkeys(Template(SPOKEN[key][lang]).get_identifiers(), "")
        )
        has_words = re.search(r"[^\W\d_]{3}", text)
        assert not has_words or any(script in unicodedata.name(char, "") for char in text), text


def test_every_key_that_code_names_is_known() -> None:
    areas = "|".join(ENTRIES)
    named = set(re.findall(rf'"((?:{areas})\.(?!(?:js|css)")[a-z][a-z0-9_]*)"', CODE))
    assert named & set(SPOKEN), "no key was found in the code"
    assert named <= set(SPOKEN)


def test_no_key_is_left_that_nobody_says() -> None:
    own = [key for key in SPOKEN if key.partition(".")[0] in OWN]
    assert [key for key in own if f'"{key}"' not in CODE] == []


def test_values_are_put_in_as_they_are() -> None:
    say = words("en")
    assert say("turn.mark", number=1, title="$number <b>") == "Quote 1: $number <b>"
    with pytest.raises(KeyError):
        say("turn.mark", number=1)
    with pytest.raises(KeyError):
        say("turn.nothing_of_this_name")
    with pytest.raises(KeyError):
        words("xx")


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("tr", "tr"),
        ("TR-tr, en;q=0.9", "tr"),
        ("de, fr;q=0.9", "en"),
        ("en;q=0.1, ar-EG;q=0.9, *;q=0.5", "ar"),
        ("he;q=high, ru;q=0.2", "ru"),
        ("iw-IL", "he"),
        (";;,,q=", "en"),
    ],
)
def test_language_is_that_which_the_browser_asks_for(accepted: str, lang: str) -> None:
    assert preferred(accepted) == lang
