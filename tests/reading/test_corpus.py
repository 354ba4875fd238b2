"""Every file of a corpus becomes Documents or a reason; nothing else gets out."""

import codecs
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from read_articles import TURKISH, pdf, read, reason

from rag.errors import InputError
from rag.reading.corpus import read_corpus
from rag.records import Document, SkippedFile


@pytest.mark.parametrize("name", ["a.txt", "a.md", "A.TXT"])
def test_keeps_text_as_it_stands(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(TURKISH.encode())
    assert read(tmp_path) == ([Document(name, TURKISH, lang="tr")], [])


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + TURKISH.encode(),
        codecs.BOM_UTF16_LE + TURKISH.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TURKISH.encode("utf-16-be"),
    ],
)
def test_drops_the_byte_order_mark(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    assert read(tmp_path)[0][0].text == TURKISH


def test_reads_folders_in_sorted_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a.txt", ".git/c.txt", ".hidden.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Some text.")
    assert [document.source for document in read(tmp_path)[0]] == ["a.txt", "a/z.txt", "b.txt"]
    assert not read(tmp_path)[1]


def test_reads_one_file_with_its_metadata(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    (tmp_path / "articles.toml").write_text('["a.txt"]\ntitle="One"\n["b.txt"]\ntitle="Two"')
    documents, skipped = read(tmp_path / "a.txt")
    assert [(d.source, d.title) for d in documents] == [("a.txt", "One")]
    assert not skipped


def test_stays_inside_the_folder(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (tmp_path / "secret.txt").write_text("Secret.")
    (corpus / "out.txt").symlink_to(tmp_path / "secret.txt")
    (corpus / "up").symlink_to(tmp_path)
    (corpus / "loop.txt").symlink_to(corpus / "loop.txt")
    documents, skipped = read(corpus)
    assert not documents
    assert [item.source for item in skipped] == ["loop.txt"]


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path) == ([], [])


@pytest.mark.parametrize("name", ["missing", "missing/a.txt", "nul\0byte"])
def test_names_a_missing_path_before_reading(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read .*; name a folder"):
        read_corpus(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.txt", b"", "holds no text"),
        ("a.txt", " \n\xa0\u2028".encode(), "holds no text"),
        ("a.txt", b"abc\xff def", "the byte at position 3"),
        ("a.txt", codecs.BOM_UTF16_LE + b"a\0b", "not UTF-16 text: the byte at position 4"),
        ("a.txt", b"abc\0def", "NUL"),
        ("a.html", b"<html><body></body></html>", "holds no text"),
        ("a.html", b"", "holds no text"),
        ("a.html", b"<meta charset='klingon'>\xff", "klingon"),
        ("a.pdf", b"", "not a PDF"),
        ("a.pdf", b"%PDF-1.7 broken", "not a PDF"),
        ("a.pdf", pdf("Text.")[:300], "not a PDF"),
        ("a.pdf", pdf("", ""), "OCR"),
        ("a.pdf", pdf("Text.", password="secret"), "is encrypted"),
        ("a.docx", b"no zip", "not a Word document"),
        ("a.jsonl", b"\n\n", "holds no text"),
        ("a.jsonl", '{"id":1,"text":"a"}'.encode("utf-16"), "UTF-8"),
        ("a.jsonl.gz", b"no gzip", "cannot be read on from line 1"),
        ("a.doc", b"text", "is not one of .txt"),
        ("README", b"text", "convert it"),
    ],
)
def test_names_the_reason_why_a_file_is_skipped(
    tmp_path: Path, name: str, data: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert why in reason(tmp_path / name)


def test_skips_what_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(50_000_001)
    assert reason(tmp_path / "a.txt") == "is larger than 50 MB; split it"


def test_survives_deep_nesting(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<div>" * 50_000 + "deep" + "</div>" * 50_000)
    (tmp_path / "b.jsonl").write_text("[" * 100_000)
    (tmp_path / "articles.toml").write_text("a = " + "[" * 100_000)
    assert len(list(read_corpus(tmp_path))) == 3


def test_skips_a_pipe_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    assert reason(tmp_path / "a.txt") == "is not a regular file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_skips_what_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.")
    (tmp_path / "a.txt").chmod(0)
    assert "Permission denied" in reason(tmp_path / "a.txt")


def test_spells_out_a_name_that_is_not_unicode(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff\n.txt")).write_text("Some text.")
    documents, skipped = read(tmp_path)
    assert not documents
    assert skipped == [SkippedFile("a\\udcff\\n.txt", "its name is not printable UTF-8; rename it")]


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"broken")
    (tmp_path / "b.txt").write_text("Some text.")
    documents, skipped = read(tmp_path)
    assert [d.source for d in documents] == ["b.txt"]
    assert [s.source for s in skipped] == ["a.pdf"]


def test_parsers_print_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("Some text.").replace(b"startxref", b"startxxxx"))
    (tmp_path / "b.html").write_text("<p>" + "<table>" * 300)
    code = "import sys; from pathlib import Path; from rag.reading.corpus import read_corpus;"
    code += "list(read_corpus(Path(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""


def test_importing_loads_no_parser() -> None:
    parsers = {"pypdf", "docx", "trafilatura", "lxml"}
    code = f"import sys, rag.reading.corpus; print(sys.modules.keys() & {parsers})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_leaves_other_loggers_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.pdf").write_bytes(b"broken")
    read(tmp_path)
    logging.getLogger("other").warning("still heard")
    assert caplog.messages == ["still heard"]
