"""A Word document -> Document: its paragraphs and tables in order."""

import io
import zipfile
from pathlib import Path
from typing import Any

from rag.errors import ReadError
from rag.reading.files import MAX_BINARY_BYTES, file_bytes, parser_errors, storable
from rag.reading.metadata import Metadata
from rag.records import Document


def read_docx(path: Path, source: str, metadata: Metadata) -> Document:
    """Paragraphs and tables in order; a table row is a line with its cells between bars."""
    data = file_bytes(path, MAX_BINARY_BYTES)
    with parser_errors("a Word document"):
        _refuse_zip_bomb(data)
        import docx

        blocks = list(map(_block_text, docx.Document(io.BytesIO(data)).iter_inner_content()))
    return metadata.document(source, "\n\n".join(block for block in blocks if block.strip()))


def _refuse_zip_bomb(data: bytes) -> None:
    """Refuses what unpacks to too much; `zipfile` itself reads no more than it declares."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(part.file_size for part in packed.infolist()) > MAX_BINARY_BYTES:
            raise ReadError(f"unpacks to more than {MAX_BINARY_BYTES // 1_000_000} MB; split it")


def _block_text(block: Any) -> str:
    if not hasattr(block, "rows"):
        return storable(block.text)
    return "\n".join(" | ".join(_row_cells(row)) for row in block.rows)


def _row_cells(row: Any) -> list[str]:
    """The texts of the cells; a cell merged over several columns counts once."""
    cells = {id(cell._tc): " ".join(cell.text.split()) for cell in row.cells}
    return [storable(text) for text in cells.values() if text]
