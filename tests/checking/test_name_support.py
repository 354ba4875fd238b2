"""A name is looked for in every script, and missed only in the place of another."""

import pytest

from rag.checking.audit import audit
from rag.checking.name_support import is_held, unsupported_known_names
from rag.languages.facts import facts_of
from rag.languages.known_names import known_names


@pytest.mark.parametrize(
    ("text", "lang", "told"),
    [
        ("芝加哥", "zh", ("w Chicago", "pl")),
        ("芝加哥", "zh", ("הוא גר בשיקגו", "he")),
        ("Чикагода", "kk", ("Chicago'da", "tr")),
        ("באדינבורו", "he", ("w Edynburgu", "pl")),
    ],
)
def test_a_name_is_held_in_another_script(text: str, lang: str, told: tuple[str, str]) -> None:
    (name,) = known_names(text, lang)
    assert is_held(name, lang, facts_of(*told))


@pytest.mark.parametrize(
    ("text", "lang", "quote", "new"),
    [
        ("Emma lebt in Chicago.", "de", ("Emma Boston'da yaşıyor.", "tr"), ["Chicago"]),
        ("他住在芝加哥。", "zh", ("הוא גר בבוסטון.", "he"), ["芝加哥"]),
        ("הוא גר בשיקגו", "he", ("Mieszka w Bostonie.", "pl"), ["בשיקגו"]),
        ("Chicago was her home.", "en", ("Mieszkała w Bostonie.", "pl"), ["Chicago"]),
    ],
)
def test_a_name_in_the_place_of_another_is_found(
    text: str, lang: str, quote: tuple[str, str], new: list[str]
) -> None:
    found = unsupported_known_names(facts_of(text, lang), [facts_of(*quote)])
    assert [name.text for name in found] == new
    assert [found.text for found in audit(text, lang, [quote])] == new


def test_a_name_for_a_pronoun_is_not_found() -> None:
    quote = ("Mieszkała tam dwa lata.", "pl")
    assert audit("Emma wohnte dort zwei Jahre.", "de", [quote]) == ()


def test_what_was_shown_around_the_quotes_supports_a_name() -> None:
    quote, around = ("Wyjechał z Bostonu.", "pl"), ("Fredrik Holm z Chicago", "pl")
    text = "In Chicago lebte er nicht."
    assert audit(text, "de", [quote])
    assert audit(text, "de", [quote], around=[around]) == ()
