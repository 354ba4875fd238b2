"""A page gives its main text and what it states, and no more."""

from pathlib import Path

from read_articles import TURKISH, read

PARAGRAPH = "The bridge over the river was opened yesterday, and traffic began this morning. " * 4


def test_takes_the_main_text_of_a_page_and_what_it_states(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<html lang='en-GB'><head><title>Bridge opened</title>"
        "<meta property='article:published_time' content='2024-07-05T10:00:00+03:00'>"
        "<meta property='og:site_name' content='The Post'></head><body>"
        "<nav><a href='/'>Home</a> <a href='/x'>Subscribe now</a></nav>"
        f"<article><h1>Bridge opened</h1><p>{PARAGRAPH}</p><p>Nobody complained.</p></article>"
        "<footer>All rights reserved</footer></body></html>"
    )
    page = read(tmp_path)[0][0]
    assert PARAGRAPH.strip() in page.text
    assert "Subscribe" not in page.text
    known = (page.lang, page.title, page.date, page.publisher)
    assert known == ("en", "Bridge opened", "2024-07-05", "The Post")


def test_never_guesses_the_date_of_a_page(tmp_path: Path) -> None:
    (tmp_path / "2024-07-05.htm").write_text(
        f"<p>{PARAGRAPH}</p><p>On 5 July 2024 it rained.</p><footer>Copyright 2021</footer>"
    )
    assert read(tmp_path)[0][0].date == ""


def test_reads_the_one_date_of_linked_data(tmp_path: Path) -> None:
    linked = '<script type="application/ld+json">{"datePublished": "2024-07-05"}</script>'
    (tmp_path / "a.html").write_text(f"<html><head>{linked}</head><p>{PARAGRAPH}</p></html>")
    assert read(tmp_path)[0][0].date == "2024-07-05"


def test_reads_a_page_in_the_encoding_that_it_names(tmp_path: Path) -> None:
    html = f"<html><meta charset='windows-1254'><p>{TURKISH * 5}</p></html>"
    (tmp_path / "a.html").write_bytes(html.encode("cp1254"))
    page = read(tmp_path)[0][0]
    assert "Köprü dün açıldı" in page.text
    assert page.lang == "tr"
