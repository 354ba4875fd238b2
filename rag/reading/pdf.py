"""A PDF -> Document: the text of its pages, and where each begins."""

import io
import re
from pathlib import Path

from rag.errors import ReadError
from rag.reading.files import MAX_BINARY_BYTES, file_bytes, parser_errors, storable
from rag.reading.metadata import Metadata
from rag.records import Document

_PAGE_GAP = "\n\n"
_RUNS_ON = "\n"
"""Between pages when a sentence runs on over the page's end."""

_STOPPED = re.compile(r"[.!?…:;؟۔。！？][\"'”’»)\]]*\s*$")


def read_pdf(path: Path, source: str, metadata: Metadata) -> Document:
    """The text of all pages in order; `page_starts` says where each begins."""
    data = file_bytes(path, MAX_BINARY_BYTES)
    with parser_errors("a PDF", "pypdf"):
        from pypdf import PdfReader

        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReadError("is encrypted; save it without a password")
        pages = [storable(page.extract_text()).strip() for page in reader.pages]
    text, starts = _joined(pages)
    if not text:
        raise ReadError("holds no text; if it is a scan, make its text readable (OCR) first")
    return metadata.document(source, text, starts)


def _joined(pages: list[str]) -> tuple[str, list[int]]:
    """One text of all pages, and the offset of each."""
    text, starts = "", []
    for page in pages:
        if text and page:
            text += _RUNS_ON if page[0].islower() and not _STOPPED.search(text) else _PAGE_GAP
        starts.append(len(text))
        text += page
    return text, starts
