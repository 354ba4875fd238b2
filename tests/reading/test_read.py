"""Every file of a corpus becomes Documents or a reason; nothing else gets out."""

import codecs
import gzip
import io
import json
import logging
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from rag.errors import InputError, ReadError
from rag.reading.read import Metadata, read_corpus, read_file
from rag.records import Document, SkippedFile

TURKISH = "Köprü dün açıldı. Trafik bu sabah başladı ve herkes memnun kaldı.\r\n"
PARAGRAPH = "The bridge over the river was opened yesterday, and traffic began this morning. " * 4


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def read(path: Path) -> tuple[list[Document], list[SkippedFile]]:
    found = list(read_corpus(path))
    documents = [item for item in found if isinstance(item, Document)]
    return documents, [item for item in found if isinstance(item, SkippedFile)]


def reason(path: Path) -> str:
    documents, skipped = read(path)
    assert not documents
    assert len(skipped) == 1
    assert skipped[0].source == path.name
    assert "\n" not in skipped[0].reason
    return skipped[0].reason


def pdf(*pages: str, password: str = "") -> bytes:
    file = io.BytesIO()
    new_canvas: Any = Canvas
    canvas = new_canvas(file)
    for page in pages:
        text = canvas.beginText(72, 720)
        text.textLines(page)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    if not password:
        return file.getvalue()
    writer = PdfWriter(clone_from=PdfReader(file))
    writer.encrypt(password, algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


# ---- formats -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "a.md", "A.TXT"])
def test_keeps_text_as_it_stands(corpus: Path, name: str) -> None:
    (corpus / name).write_bytes(TURKISH.encode())
    assert read_file(corpus / name, "x") == [Document("x", TURKISH, lang="tr")]


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + TURKISH.encode(),
        codecs.BOM_UTF16_LE + TURKISH.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TURKISH.encode("utf-16-be"),
    ],
)
def test_drops_the_byte_order_mark(corpus: Path, data: bytes) -> None:
    (corpus / "a.txt").write_bytes(data)
    assert read(corpus)[0][0].text == TURKISH


def test_takes_the_main_text_of_a_page_and_what_it_states(corpus: Path) -> None:
    (corpus / "a.html").write_text(
        "<html lang='en-GB'><head><title>Bridge opened</title>"
        "<meta property='article:published_time' content='2024-07-05T10:00:00+03:00'>"
        "<meta property='og:site_name' content='The Post'></head><body>"
        "<nav><a href='/'>Home</a> <a href='/x'>Subscribe now</a></nav>"
        f"<article><h1>Bridge opened</h1><p>{PARAGRAPH}</p><p>Nobody complained.</p></article>"
        "<footer>All rights reserved</footer></body></html>"
    )
    page = read(corpus)[0][0]
    assert PARAGRAPH.strip() in page.text
    assert "Subscribe" not in page.text
    known = (page.lang, page.title, page.date, page.publisher)
    assert known == ("en", "Bridge opened", "2024-07-05", "The Post")


def test_never_guesses_the_date_of_a_page(corpus: Path) -> None:
    (corpus / "2024-07-05.htm").write_text(
        f"<p>{PARAGRAPH}</p><p>On 5 July 2024 it rained.</p><footer>Copyright 2021</footer>"
    )
    assert read(corpus)[0][0].date == ""


def test_reads_the_one_date_of_linked_data(corpus: Path) -> None:
    linked = '<script type="application/ld+json">{"datePublished": "2024-07-05"}</script>'
    (corpus / "a.html").write_text(f"<html><head>{linked}</head><p>{PARAGRAPH}</p></html>")
    assert read(corpus)[0][0].date == "2024-07-05"


def test_reads_a_page_in_the_encoding_that_it_names(corpus: Path) -> None:
    html = f"<html><meta charset='windows-1254'><p>{TURKISH * 5}</p></html>"
    (corpus / "a.html").write_bytes(html.encode("cp1254"))
    page = read(corpus)[0][0]
    assert "Köprü dün açıldı" in page.text
    assert page.lang == "tr"


def test_says_where_each_page_of_a_pdf_begins(corpus: Path) -> None:
    (corpus / "a.pdf").write_bytes(pdf("First page.", "", "A sentence that", "runs on."))
    document = read(corpus)[0][0]
    assert document.text == "First page.\n\nA sentence that\nruns on."
    assert document.page_starts == (0, 11, 13, 29)


def test_reads_paragraphs_and_tables_of_a_docx_in_order(corpus: Path) -> None:
    file = docx.Document()
    file.add_paragraph("Before the table.")
    table = file.add_table(2, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"cell {number}"
    file.add_paragraph("After it.")
    file.save(str(corpus / "a.docx"))
    text = "Before the table.\n\ncell 0 | cell 1\ncell 2 | cell 3\n\nAfter it."
    assert read(corpus)[0][0].text == text


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_reads_a_document_from_each_json_line(corpus: Path, name: str) -> None:
    lines = [
        {"id": 7, "text": TURKISH, "title": "Köprü", "lang": "tr", "date": "2024-07-05"},
        {"id": "b", "text": "a\u2028b\r", "lang": "en"},
    ]
    data = "\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    (corpus / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert read(corpus) == (
        [
            Document(f"{name}#7", TURKISH, "tr", "Köprü", "2024-07-05"),
            Document(f"{name}#b", "a\u2028b\r", "en"),
        ],
        [],
    )


# ---- folders -----------------------------------------------------------------


def test_reads_folders_in_sorted_order_without_hidden_files(corpus: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a.txt", ".git/c.txt", ".hidden.txt"):
        (corpus / name).parent.mkdir(exist_ok=True)
        (corpus / name).write_text("Some text.")
    assert [document.source for document in read(corpus)[0]] == ["a.txt", "a/z.txt", "b.txt"]
    assert not read(corpus)[1]


def test_reads_one_file_with_its_metadata(corpus: Path) -> None:
    (corpus / "a.txt").write_text("Some text.")
    (corpus / "articles.toml").write_text('["a.txt"]\ntitle="One"\n["b.txt"]\ntitle="Two"')
    documents, skipped = read(corpus / "a.txt")
    assert [(d.source, d.title) for d in documents] == [("a.txt", "One")]
    assert not skipped


def test_stays_inside_the_folder(corpus: Path) -> None:
    secret = corpus.parent / "secret.txt"
    secret.write_text("Secret.")
    (corpus / "out.txt").symlink_to(secret)
    (corpus / "up").symlink_to(corpus.parent)
    (corpus / "loop.txt").symlink_to(corpus / "loop.txt")
    documents, skipped = read(corpus)
    assert not documents
    assert [item.source for item in skipped] == ["loop.txt"]


def test_an_empty_folder_holds_nothing(corpus: Path) -> None:
    assert read(corpus) == ([], [])


@pytest.mark.parametrize("name", ["missing", "missing/a.txt", "nul\0byte"])
def test_names_a_missing_path_before_reading(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read .*; name a folder"):
        read_corpus(tmp_path / name)


# ---- files that cannot be read -------------------------------------------------


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
    corpus: Path, name: str, data: bytes, why: str
) -> None:
    (corpus / name).write_bytes(data)
    assert why in reason(corpus / name)


def test_skips_what_is_too_large(corpus: Path) -> None:
    with (corpus / "a.txt").open("wb") as file:
        file.truncate(50_000_001)
    assert reason(corpus / "a.txt") == "is larger than 50 MB; split it"


def test_skips_a_zip_bomb(corpus: Path) -> None:
    with (
        zipfile.ZipFile(corpus / "a.docx", "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("word/document.xml", "w") as part,
    ):
        for _ in range(201):
            part.write(bytes(1_000_000))
    assert "unpacks to more than 200 MB" in reason(corpus / "a.docx")


def test_does_not_expand_entities(corpus: Path) -> None:
    file = docx.Document()
    file.add_paragraph("PLACE")
    file.save(str(corpus / "plain.docx"))
    bomb = "<!DOCTYPE x [<!ENTITY a 'haha'>" + "".join(
        f"<!ENTITY {new} '{f'&{old};' * 10}'>" for old, new in ("ab", "bc", "cd", "de", "ef", "fg")
    )
    with (
        zipfile.ZipFile(corpus / "plain.docx") as plain,
        zipfile.ZipFile(corpus / "a.docx", "w") as bad,
    ):
        for name in plain.namelist():
            data = plain.read(name)
            if name == "word/document.xml":
                data = data.replace(b"<w:document", bomb.encode() + b"]><w:document", 1)
                data = data.replace(b"PLACE", b"safe &g;")
            bad.writestr(name, data)
    (corpus / "plain.docx").unlink()
    documents, _ = read(corpus)
    assert not any("haha" in document.text for document in documents)


def test_survives_deep_nesting(corpus: Path) -> None:
    (corpus / "a.html").write_text("<div>" * 50_000 + "deep" + "</div>" * 50_000)
    (corpus / "b.jsonl").write_text("[" * 100_000)
    (corpus / "articles.toml").write_text("a = " + "[" * 100_000)
    assert len(list(read_corpus(corpus))) == 3


def test_skips_a_pipe_at_once(corpus: Path) -> None:
    os.mkfifo(corpus / "a.txt")
    assert reason(corpus / "a.txt") == "is not a regular file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_skips_what_may_not_be_read(corpus: Path) -> None:
    (corpus / "a.txt").write_text("Some text.")
    (corpus / "a.txt").chmod(0)
    assert "Permission denied" in reason(corpus / "a.txt")


def test_spells_out_a_name_that_is_not_unicode(corpus: Path) -> None:
    (corpus / os.fsdecode(b"a\xff\n.txt")).write_text("Some text.")
    documents, skipped = read(corpus)
    assert not documents
    assert skipped == [SkippedFile("a\\udcff\\n.txt", "its name is not printable UTF-8; rename it")]


def test_one_bad_file_does_not_hide_the_others(corpus: Path) -> None:
    (corpus / "a.pdf").write_bytes(b"broken")
    (corpus / "b.txt").write_text("Some text.")
    documents, skipped = read(corpus)
    assert [d.source for d in documents] == ["b.txt"]
    assert [s.source for s in skipped] == ["a.pdf"]


def test_keeps_the_good_lines_of_a_bad_file(corpus: Path) -> None:
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
    (corpus / "a.jsonl").write_bytes(b"\n".join(lines))
    documents, skipped = read(corpus)
    assert [d.source for d in documents] == ["a.jsonl#a", "a.jsonl#g"]
    numbers = [item.reason.split(":")[0].removeprefix("line ") for item in skipped]
    assert numbers == ["2", "3", "4", "5", "6", "7", "8", "9", "9", "9", "10", "11", "12"]
    assert documents[1].date == ""


def test_read_file_refuses_a_file_with_a_bad_line(corpus: Path) -> None:
    (corpus / "a.jsonl").write_text('{"id": 1, "text": "Good."}\nbad')
    with pytest.raises(ReadError, match="line 2: is not JSON"):
        read_file(corpus / "a.jsonl", "a.jsonl")


# ---- metadata ----------------------------------------------------------------


def test_metadata_stands_above_what_is_detected(corpus: Path) -> None:
    (corpus / "a.txt").write_text(TURKISH)
    (corpus / "articles.toml").write_text(
        '["a.txt"]\nlang = "az-AZ"\ntitle = "Bridge"\ndate = 2024-07-05\npublisher = "Post"'
    )
    document = read(corpus)[0][0]
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
def test_broken_metadata_is_named_and_reading_goes_on(corpus: Path, toml: str, why: str) -> None:
    (corpus / "a.txt").write_text("The text is here.")
    (corpus / "articles.toml").write_bytes(toml.encode("utf-8", "surrogateescape"))
    documents, skipped = read(corpus)
    assert [d.source for d in documents] == ["a.txt"]
    assert documents[0].date == ""
    assert [s.source for s in skipped] == ["articles.toml"]
    assert why in skipped[0].reason


# ---- quiet and cheap -----------------------------------------------------------


def test_parsers_print_nothing(corpus: Path) -> None:
    (corpus / "a.pdf").write_bytes(pdf("Some text.").replace(b"startxref", b"startxxxx"))
    (corpus / "b.html").write_text("<p>" + "<table>" * 300)
    code = "import sys; from pathlib import Path; from rag.reading.read import read_corpus;"
    code += "list(read_corpus(Path(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(corpus)], capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""


def test_importing_loads_no_parser() -> None:
    parsers = {"pypdf", "docx", "trafilatura", "lxml"}
    code = f"import sys, rag.reading.read; print(sys.modules.keys() & {parsers})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_leaves_other_loggers_alone(corpus: Path, caplog: pytest.LogCaptureFixture) -> None:
    (corpus / "a.pdf").write_bytes(b"broken")
    read(corpus)
    logging.getLogger("other").warning("still heard")
    assert caplog.messages == ["still heard"]
