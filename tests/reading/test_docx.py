"""A Word document gives its paragraphs and tables, and unpacks to nothing unforeseen."""

import zipfile
from pathlib import Path

import docx
from read_articles import read, reason


def test_reads_paragraphs_and_tables_of_a_docx_in_order(tmp_path: Path) -> None:
    file = docx.Document()
    file.add_paragraph("Before the table.")
    table = file.add_table(2, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"cell {number}"
    file.add_paragraph("After it.")
    file.save(str(tmp_path / "a.docx"))
    text = "Before the table.\n\ncell 0 | cell 1\ncell 2 | cell 3\n\nAfter it."
    assert read(tmp_path)[0][0].text == text


def test_skips_a_zip_bomb(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.docx", "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("word/document.xml", "w") as part,
    ):
        for _ in range(201):
            part.write(bytes(1_000_000))
    assert "unpacks to more than 200 MB" in reason(tmp_path / "a.docx")


def test_does_not_expand_entities(tmp_path: Path) -> None:
    file = docx.Document()
    file.add_paragraph("PLACE")
    file.save(str(tmp_path / "plain.docx"))
    bomb = "<!DOCTYPE x [<!ENTITY a 'haha'>" + "".join(
        f"<!ENTITY {new} '{f'&{old};' * 10}'>" for old, new in ("ab", "bc", "cd", "de", "ef", "fg")
    )
    with (
        zipfile.ZipFile(tmp_path / "plain.docx") as plain,
        zipfile.ZipFile(tmp_path / "a.docx", "w") as bad,
    ):
        for name in plain.namelist():
            data = plain.read(name)
            if name == "word/document.xml":
                data = data.replace(b"<w:document", bomb.encode() + b"]><w:document", 1)
                data = data.replace(b"PLACE", b"safe &g;")
            bad.writestr(name, data)
    (tmp_path / "plain.docx").unlink()
    documents, _ = read(tmp_path)
    assert not any("haha" in document.text for document in documents)
