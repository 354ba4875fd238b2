"""What a store is to hold after an ingest, and how that differs from what it holds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rag.records import Document, IngestReport, SkippedFile
from rag.store.rows import StoredDocument


def plan(
    root: Path, read: Mapping[str, Document], stored: Mapping[str, StoredDocument]
) -> tuple[dict[str, StoredDocument], tuple[SkippedFile, ...]]:
    """What the store is to hold, this folder as it is and others as they were; what clashes."""
    planned = _without(root, stored)
    clashes: list[SkippedFile] = []
    for source, document in read.items():
        mark = _fingerprint(document)
        other = planned.get(source)
        others = [name for name in other.roots if Path(name).exists()] if other else []
        if other and others and other.fingerprint != mark:
            reason = f"{others[0]} brought another article of this name; rename one of them"
            clashes.append(SkippedFile(source, reason))
        else:
            roots = tuple(sorted({*others, str(root)}))
            planned[source] = StoredDocument(document, roots, mark)
    return dict(sorted(planned.items())), tuple(clashes)


def _without(root: Path, stored: Mapping[str, StoredDocument]) -> dict[str, StoredDocument]:
    """What is stored from outside of a folder."""
    outside = {
        source: tuple(name for name in each.roots if not Path(name).is_relative_to(root))
        for source, each in stored.items()
    }
    return {s: replace(stored[s], roots=roots) for s, roots in outside.items() if roots}


def _fingerprint(document: Document) -> str:
    """Changes whenever anything of the document does, its metadata included."""
    text = json.dumps(document.to_dict(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def compare(
    before: Mapping[str, StoredDocument], after: Mapping[str, StoredDocument], anew: bool
) -> IngestReport:
    """What was added, replaced and removed; `anew` replaces all that stays."""
    both = before.keys() & after.keys()
    same = set() if anew else {source for source in both if _same(before[source], after[source])}
    return IngestReport(
        added=tuple(sorted(after.keys() - both)),
        replaced=tuple(sorted(both - same)),
        removed=tuple(sorted(before.keys() - both)),
        unchanged=len(same),
    )


def _same(one: StoredDocument, other: StoredDocument) -> bool:
    """Whether all that is stored of it is the same, so where it came from too."""
    return (one.fingerprint, one.roots) == (other.fingerprint, other.roots)
