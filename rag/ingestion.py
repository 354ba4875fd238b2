"""Story 1: read a corpus, split it, embed it, store it.

The store mirrors every folder that was ingested into it: what left a folder
leaves the store, what changed is replaced, and a run that finds nothing new
writes nothing.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import InputError
from rag.lock import writing
from rag.parts import Parts
from rag.records import Document, IngestReport, Passage, SkippedFile
from rag.store import FORMAT, Manifest, StoredDocument

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, what is done of it, and the whole."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def ingest(
    path: str | Path,
    parts: Parts,
    *,
    rebuild: bool = False,
    fresh: bool = False,
    progress: Progress = no_progress,
) -> IngestReport:
    """Make the store hold what the folder or file holds now, and say what changed.

    `rebuild` writes the store anew even if nothing changed; `fresh` also forgets
    what was ingested from other folders. A file that cannot be read is named in the
    report and leaves the others alone. Raises InputError, StoreError, ModelError;
    the store is then what it was before.
    """
    started = time.monotonic()
    root = Path(path).expanduser().resolve()
    if not root.exists():
        raise InputError(f"there is no folder or file {root}; name one that holds articles")
    with writing(parts.store.folder, f"ingest of {root}"):
        stored = {} if fresh else parts.store.documents()
        before = stored if _usable(parts) and not rebuild else {}
        read, skipped = _read(root, progress)
        plan = _plan(root, read, stored)
        report = _compare(before, plan.documents)
        if report.wrote or before is not stored or not stored:
            manifest = _write(plan.documents, parts, progress)
        else:
            manifest = parts.store.check(parts.embedder.space)
    return IngestReport(
        report.added,
        report.replaced,
        report.removed,
        report.unchanged,
        (*skipped, *plan.clashes),
        manifest.documents,
        manifest.passages,
        time.monotonic() - started,
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    documents: dict[str, StoredDocument]
    clashes: tuple[SkippedFile, ...]


def _usable(parts: Parts) -> bool:
    """Whether the stored vectors are those that this program would make."""
    manifest = parts.store.manifest()
    ours = (FORMAT, parts.embedder.space, parts.embedder.budget)
    return manifest is not None and (manifest.format, manifest.space, manifest.budget) == ours


def _read(root: Path, progress: Progress) -> tuple[dict[str, Document], tuple[SkippedFile, ...]]:
    from rag.read import read_corpus

    documents: dict[str, Document] = {}
    skipped: list[SkippedFile] = []
    for found in read_corpus(root):
        if isinstance(found, SkippedFile):
            skipped.append(found)
        else:
            documents[found.source] = found
        progress("reading", len(documents), 0)
    return documents, tuple(skipped)


def _plan(root: Path, read: Mapping[str, Document], stored: Mapping[str, StoredDocument]) -> _Plan:
    """What the store is to hold: this folder as it is, other folders as they were."""
    planned = {source: each for source, each in stored.items() if each.root != str(root)}
    clashes = []
    for source, document in read.items():
        mark = fingerprint(document)
        other = planned.get(source)
        if other and other.fingerprint != mark and Path(other.root).exists():
            reason = f"{other.root} brought another article of this name; rename one of them"
            clashes.append(SkippedFile(source, reason))
        else:
            planned[source] = StoredDocument(document, str(root), mark)
    return _Plan(dict(sorted(planned.items())), tuple(clashes))


def fingerprint(document: Document) -> str:
    """Changes whenever anything of the document does, its metadata included."""
    text = json.dumps(document.to_dict(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _compare(
    before: Mapping[str, StoredDocument], after: Mapping[str, StoredDocument]
) -> IngestReport:
    same = {
        s for s in before.keys() & after.keys() if before[s].fingerprint == after[s].fingerprint
    }
    return IngestReport(
        added=tuple(sorted(after.keys() - before.keys())),
        replaced=tuple(sorted((after.keys() & before.keys()) - same)),
        removed=tuple(sorted(before.keys() - after.keys())),
        unchanged=len(same),
    )


def _write(documents: Mapping[str, StoredDocument], parts: Parts, progress: Progress) -> Manifest:
    embedder = parts.embedder
    passages = _split([each.document for each in documents.values()], parts, progress)
    texts = [passage.text for passage in passages]
    # Sentences too, so that a question finds their vectors ready.
    texts += [s.text for passage in passages for s in passage.sentences if s.text != passage.text]
    langs = [passage.lang for passage in passages]
    langs += [p.lang for p in passages for s in p.sentences if s.text != p.text]
    whole = len(dict.fromkeys(texts))
    vectors = embedder.passages(texts, langs, lambda done: progress("embedding", done, whole))
    manifest = Manifest(
        space=embedder.space,
        dimension=vectors.shape[1],
        documents=len(documents),
        passages=len(passages),
        budget=embedder.budget,
    )
    parts.store.replace(
        manifest,
        list(documents.values()),
        passages,
        vectors[: len(passages)],
        lambda done: progress("storing", done, len(passages)),
    )
    parts.cache.keep_only(parts.cache.key(embedder.name, text) for text in texts)
    return manifest


def _split(documents: Sequence[Document], parts: Parts, progress: Progress) -> list[Passage]:
    from rag.split import split_document

    embedder, passages = parts.embedder, []
    for done, document in enumerate(documents, 1):
        passages += split_document(document, embedder.count_tokens, embedder.budget)
        progress("splitting", done, len(documents))
    return passages
