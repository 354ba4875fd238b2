"""Articles that are read in tests, and what came of them."""

import io
from pathlib import Path
from typing import Any

from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from rag.reading.corpus import read_corpus
from rag.records import Document, SkippedFile

TURKISH = "Köprü dün açıldı. Trafik bu sabah başladı ve herkes memnun kaldı.\r\n"


def read(path: Path) -> tuple[list[Document], list[SkippedFile]]:
    """The articles of a path, and what was skipped."""
    found = list(read_corpus(path))
    documents = [item for item in found if isinstance(item, Document)]
    return documents, [item for item in found if isinstance(item, SkippedFile)]


def reason(path: Path) -> str:
    """Why the one file of a path was skipped."""
    documents, skipped = read(path)
    assert not documents
    assert len(skipped) == 1
    assert skipped[0].source == path.name
    assert "\n" not in skipped[0].reason
    return skipped[0].reason


def pdf(*pages: str, password: str = "") -> bytes:
    """A PDF of these pages."""
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
