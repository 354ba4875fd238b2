"""Each line of JSON Lines is an article, or is named with its number."""

import gzip
import json
from pathlib import Path

import pytest
from read_articles import TURKISH, read

from rag.records import Document


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_reads_a_document_from_each_json_line(tmp_path: Path, name: str) -> None:
    lines = [
        {"id": 7, "text": TURKISH, "title": "Köprü", "lang": "tr", "date": "2024-07-05"},
        {"id": "b", "text": "a\u2028b\r", "lang": "en"},
    ]
    data = "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert read(tmp_path) == (
        [
            Document(f"{name}#7", TURKISH, "tr", "Köprü", "2024-07-05"),
            Document(f"{name}#b", "a\u2028b\r", "en"),
        ],
        [],
    )


def test_keeps_the_good_lines_of_a_bad_file(tmp_path: Path) -> None:
    lines = [
        b'{"id": "a", "text": "Some text."}',
        b'{"id": "b", "text": ',
        b'{"id": "c"}',
        b'{"text": "No id."}',
        b'{"id": "a", "text": "Again."}',
        b'{"id": "d", "text": "\xff"}',
        b'{"id": "e", "text": "\\ud800"}',
        b'{"id": "f", "text": " "}',
        b'{"id": "g", "text": "Some.", "date": "5 July", "lang": "English", "title": 3}',
        b'["h"]',
        b'{"id": "i\\n", "text": "Some."}',
        b"1" * 5000,
    ]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    documents, skipped = read(tmp_path)
    assert [d.source for d in documents] == ["a.jsonl#a", "a.jsonl#g"]
    numbers = [item.reason.split(":")[0].removeprefix("line ") for item in skipped]
    assert numbers == ["2", "3", "4", "5", "6", "7", "8", "9", "9", "9", "10", "11", "12"]
    assert skipped[0].reason.startswith("line 2: is not JSON")
    assert documents[1].date == ""
