"""What a row of a Chroma collection holds, and what is made of it again.

Texts are metadata and not what Chroma calls a document: of that it would index every three
letters, which takes more time and room. What no filter asks for is one value, as each value
costs time.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.records import Document, Passage, Record, Sentence
from rag.store.filters import day_number


@dataclass(frozen=True, slots=True)
class StoredDocument(Record):
    """A document with where it came from and what it was when it was stored."""

    document: Document
    roots: tuple[str, ...]
    """The ingested folders or files that hold it, sorted."""
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored passage, its cosine with the question and its vector."""

    passage: Passage
    cosine: float
    vector: NDArray[np.float32] = field(repr=False, compare=False)
    """Of length 1, shape (dimension,)."""


def document_metadata(stored: StoredDocument) -> dict[str, str]:
    """The row of an article."""
    fields = asdict(stored.document)
    return {
        "text": fields.pop("text"),
        "fields": json.dumps(fields, ensure_ascii=False),
        "roots": json.dumps(stored.roots, ensure_ascii=False),
        "fingerprint": stored.fingerprint,
    }


def to_document(metadata: Any) -> StoredDocument:
    """The article of a row."""
    fields = json.loads(str(metadata["fields"]))
    fields["page_starts"] = tuple(fields["page_starts"])
    return StoredDocument(
        Document(text=str(metadata["text"]), **fields),
        tuple(json.loads(str(metadata["roots"]))),
        str(metadata["fingerprint"]),
    )


def passage_metadata(passage: Passage) -> dict[str, str | int]:
    """The row of a passage."""
    spans = [[sentence.start, sentence.end] for sentence in passage.sentences]
    fields = {"start": passage.start, "end": passage.end, "page": passage.page}
    return {
        "text": passage.text,
        "source": passage.source,
        "lang": passage.lang,
        "title": passage.title,
        "publisher": passage.publisher,
        "day": day_number(passage.date),
        "fields": json.dumps({**fields, "date": passage.date, "sentences": spans}),
    }


def to_passage(metadata: Any) -> Passage:
    """The passage of a row."""
    text, fields = str(metadata["text"]), json.loads(str(metadata["fields"]))
    start = fields["start"]
    spans = fields.pop("sentences")
    fields |= {name: str(metadata[name]) for name in ("source", "lang", "title", "publisher")}
    return Passage(
        text=text,
        sentences=tuple(Sentence(a, b, text[a - start : b - start]) for a, b in spans),
        **fields,
    )
