"""A PDF gives the text of its pages, and where each begins."""

from pathlib import Path

from read_articles import pdf, read


def test_says_where_each_page_of_a_pdf_begins(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("First page.", "", "A sentence that", "runs on."))
    document = read(tmp_path)[0][0]
    assert document.text == "First page.\n\nA sentence that\nruns on."
    assert document.page_starts == (0, 11, 13, 29)
