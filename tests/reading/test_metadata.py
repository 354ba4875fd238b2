"""What is stated about an article counts, and what is wrong with it is named."""

from pathlib import Path

import pytest
from read_articles import TURKISH, read

from rag.reading.metadata import Metadata


def test_metadata_stands_above_what_is_detected(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TURKISH)
    (tmp_path / "articles.toml").write_text(
        '["a.txt"]\nlang = "az-AZ"\ntitle = "Bridge"\ndate = 2024-07-05\npublisher = "Post"'
    )
    document = read(tmp_path)[0][0]
    assert Metadata(document.lang, document.title, document.date, document.publisher) == Metadata(
        "az", "Bridge", "2024-07-05", "Post"
    )


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("[a.txt", "is not TOML"),
        ("\udcff", "is not TOML"),
        ('["b.txt"]\nlang = "tr"', "describes b.txt, which is not in the folder"),
        ('["a.txt"]\ndate = "2024-02-30"', "'2024-02-30' is not a day"),
        ('["a.txt"]\ndate = "05.07.2024"', "'05.07.2024' is not a day"),
        ('["a.txt"]\ndate = 2024', "'2024' is not a day"),
        ('["a.txt"]\nlang = "Turkish"', "lang 'Turkish' is not an ISO 639-1 code"),
        ('["a.txt"]\ntitle = 3', "title is not a text"),
        ('["a.txt"]\nauthor = "A"', "author is not one of"),
        ('"a.txt" = "tr"', "a.txt is not a table"),
    ],
)
def test_broken_metadata_is_named_and_reading_goes_on(tmp_path: Path, toml: str, why: str) -> None:
    (tmp_path / "a.txt").write_text("The text is here.")
    (tmp_path / "articles.toml").write_bytes(toml.encode("utf-8", "surrogateescape"))
    documents, skipped = read(tmp_path)
    assert [d.source for d in documents] == ["a.txt"]
    assert documents[0].date == ""
    assert [s.source for s in skipped] == ["articles.toml"]
    assert why in skipped[0].reason
