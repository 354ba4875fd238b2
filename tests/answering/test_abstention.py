"""An abstention tells what is near, in words that no title can break."""

import pytest

from rag.answering.abstention import explain
from rag.languages.frames import frame
from rag.languages.locales import framed_languages
from rag.records import Hit, Query

ASKED = "What did Norway pay in 2019?"


def query(lang: str = "en", asked: str = ASKED) -> Query:
    return Query(asked, asked, "en", lang)


def hit(source: str, title: str = "", date: str = "", text: str = "…", lang: str = "pl") -> Hit:
    return Hit(source, 0, len(text), text, score=0.1, lang=lang, title=title, date=date)


def plain(text: str) -> str:
    """Without the signs that set names off."""
    return text.replace("\u2068", "").replace("\u2069", "")


def test_without_hits_it_is_the_plain_sentence() -> None:
    assert explain(query("tr"), []) == frame("abstain", "tr")


def test_tells_the_two_best_articles_and_what_none_of_the_passages_names() -> None:
    hits = [
        hit("a.txt", "Nowy port", "2024-07-03"),
        hit("a.txt", "Nowy port", "2024-07-03", "Zapłacono w 2019 r."),
        hit("b.txt", "השוק", lang="he"),
        hit("c.txt", "A third one"),
    ]
    assert plain(explain(query("de"), hits)) == (
        "In den Artikeln steht dazu nichts. Am nächsten kommt in den Artikeln: „Nowy port“ "
        "(Polnisch, 3. Juli 2024); „השוק“ (Hebräisch). Dort nicht erwähnt: Norwegen."
    )


def test_nothing_is_missing_that_the_hits_name_in_other_languages() -> None:
    hits = [hit("a.txt", "Norwegia", "2019"), hit("b.txt", "Port")]
    assert plain(explain(query(), hits)).endswith("“Norwegia” (Polish, 2019); “Port” (Polish).")


def test_an_article_without_title_is_told_by_its_file() -> None:
    told = explain(query(asked="Why?"), [hit("one/a.txt", date="not a date", lang="")])
    assert plain(told) == "The articles do not say. Nearest in the articles: “one/a.txt”."


def test_one_article_under_two_files_is_told_once() -> None:
    told = explain(query(), [hit("a.txt", "Port"), hit("b.txt", "Port"), hit("c.txt", "Ship")])
    assert (told.count("Port"), told.count("Ship")) == (1, 1)


@pytest.mark.parametrize("lang", framed_languages())
def test_every_language_says_all_of_it_and_closes_what_it_opens(lang: str) -> None:
    told = explain(query(lang), [hit("a.txt", "$titles $missing {0} %s", "2024-07-03")])
    assert told.startswith(frame("abstain", lang))
    assert "$titles $missing {0} %s" in told
    assert "2019" in told
    assert told.count("\u2068") == told.count("\u2069") == 3
