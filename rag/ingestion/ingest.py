"""Story 1: read a corpus, split it, embed it, store it.

The store mirrors every folder that was ingested into it: what left a folder
leaves the store, what changed is replaced, and a run that finds nothing new
writes nothing.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from rag.embedding.embedder import corpus_centre, without_centre
from rag.errors import InputError, StoreError
from rag.ingestion.lock import writing
from rag.parts import Parts
from rag.records import Document, IngestReport, Passage, SkippedFile
from rag.store.store import FORMAT, METRIC, Manifest, StoredDocument

T = TypeVar("T")

_SLICE = 2000

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

    A path inside a folder that was ingested before stands for that folder. `rebuild`
    writes the store anew even if nothing changed; `fresh` also forgets what was
    ingested from other folders. A file that cannot be read is named in the report and
    leaves the others alone. Raises InputError, StoreError, ModelError; the store is
    then what it was before.
    """
    started = time.monotonic()
    root = _checked_root(path)
    with writing(parts.store.folder, f"ingest of {root}"):
        stored = {} if fresh else _stored(root, parts)
        root = _outermost(root, stored)
        read, skipped = _read(root, progress)
        plan = _plan(root, read, stored)
        skipped += plan.clashes
        manifest = None if fresh else parts.store.manifest()
        if manifest is None and not plan.documents:
            raise InputError(_nothing_to_read(root, skipped))
        anew = rebuild or not (manifest and _is_ours(manifest, parts))
        report = _compare(stored, plan.documents, anew)
        if manifest is None or anew or report.wrote:
            manifest = _write(plan.documents, parts, progress)
        else:
            parts.store.tidy()
    return replace(
        report,
        skipped=skipped,
        documents=manifest.documents,
        passages=manifest.passages,
        seconds=time.monotonic() - started,
    )


def _checked_root(path: str | Path) -> Path:
    root = Path(path).expanduser().resolve()
    if not root.exists():
        raise InputError(f"there is no folder or file {root}; name one that holds articles")
    try:
        str(root).encode()
    except UnicodeEncodeError:
        raise InputError(f"the name of {str(root)!r} is not UTF-8; rename it") from None
    return root


def _stored(root: Path, parts: Parts) -> dict[str, StoredDocument]:
    """What the store holds; nothing where that is broken, but all of it came from `root`.

    The articles themselves are then what the store is made from again.
    """
    manifest = parts.store.manifest()
    try:
        return parts.store.documents()
    except StoreError as error:
        if manifest is None or manifest.roots == (str(root),):
            return {}
        raise StoreError(
            f"the articles in {parts.store.place} cannot be read back; make it anew from "
            f"each of its folders ({', '.join(manifest.roots)}), "
            "the first one by rag ingest PATH --fresh"
        ) from error


def _outermost(root: Path, stored: Mapping[str, StoredDocument]) -> Path:
    """The ingested folder that the path lies in, else the path itself."""
    roots = {Path(name) for each in stored.values() for name in each.roots}
    return next((folder for folder in root.parents if folder in roots), root)


@dataclass(frozen=True, slots=True)
class _Plan:
    documents: dict[str, StoredDocument]
    clashes: tuple[SkippedFile, ...]


def _is_ours(manifest: Manifest, parts: Parts) -> bool:
    """Whether the stored vectors are those that this program would make."""
    stored = (manifest.format, manifest.metric, manifest.space, manifest.budget)
    return stored == (FORMAT, METRIC, parts.embedder.space, parts.embedder.budget)


def _read(root: Path, progress: Progress) -> tuple[dict[str, Document], tuple[SkippedFile, ...]]:
    from rag.reading.read import read_corpus

    documents: dict[str, Document] = {}
    skipped: list[SkippedFile] = []
    for found in read_corpus(root):
        if isinstance(found, SkippedFile):
            skipped.append(found)
        elif found.source in documents:
            skipped.append(SkippedFile(found.source, "another article has this name; rename one"))
        else:
            documents[found.source] = found
        progress("reading", len(documents), 0)
    return documents, tuple(skipped)


def _nothing_to_read(root: Path, skipped: Sequence[SkippedFile]) -> str:
    first = f" ({skipped[0].source}: {skipped[0].reason})" if skipped else ""
    return f"there is no article to read in {root}{first}; put texts there, or name another folder"


def _plan(root: Path, read: Mapping[str, Document], stored: Mapping[str, StoredDocument]) -> _Plan:
    """What the store is to hold: this folder as it is, other folders as they were."""
    planned = _without(root, stored)
    clashes = []
    for source, document in read.items():
        mark = fingerprint(document)
        other = planned.get(source)
        others = [name for name in other.roots if Path(name).exists()] if other else []
        if other and others and other.fingerprint != mark:
            reason = f"{others[0]} brought another article of this name; rename one of them"
            clashes.append(SkippedFile(source, reason))
        else:
            roots = tuple(sorted({*others, str(root)}))
            planned[source] = StoredDocument(document, roots, mark)
    return _Plan(dict(sorted(planned.items())), tuple(clashes))


def _without(root: Path, stored: Mapping[str, StoredDocument]) -> dict[str, StoredDocument]:
    """What is stored from outside of a folder."""
    outside = {
        source: tuple(name for name in each.roots if not Path(name).is_relative_to(root))
        for source, each in stored.items()
    }
    return {s: replace(stored[s], roots=roots) for s, roots in outside.items() if roots}


def fingerprint(document: Document) -> str:
    """Changes whenever anything of the document does, its metadata included."""
    text = json.dumps(document.to_dict(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _compare(
    before: Mapping[str, StoredDocument], after: Mapping[str, StoredDocument], anew: bool
) -> IngestReport:
    both = before.keys() & after.keys()
    # All that was stored of it counts, so where it came from too.
    same = set() if anew else {source for source in both if _same(before[source], after[source])}
    return IngestReport(
        added=tuple(sorted(after.keys() - both)),
        replaced=tuple(sorted(both - same)),
        removed=tuple(sorted(before.keys() - both)),
        unchanged=len(same),
    )


def _same(one: StoredDocument, other: StoredDocument) -> bool:
    return (one.fingerprint, one.roots) == (other.fingerprint, other.roots)


def _write(documents: Mapping[str, StoredDocument], parts: Parts, progress: Progress) -> Manifest:
    embedder = parts.embedder
    dimension = len(embedder.question("dimension", "en"))
    parts.cache.keep_dimension(dimension)
    passages = _split([each.document for each in documents.values()], parts, progress)
    read = _embed(passages, parts, progress)
    vectors = embedder.passages([p.in_context for p in passages], [p.lang for p in passages])
    centre = corpus_centre(vectors)
    manifest = Manifest(
        space=embedder.space,
        dimension=dimension,
        documents=len(documents),
        passages=len(passages),
        budget=embedder.budget,
        roots=tuple(sorted({name for each in documents.values() for name in each.roots})),
        centre=centre,
    )
    parts.store.replace(
        manifest,
        list(documents.values()),
        passages,
        without_centre(vectors, centre),
        lambda done: progress("storing", done, len(passages)),
    )
    parts.cache.keep_only(read)
    return manifest


def _split(documents: Sequence[Document], parts: Parts, progress: Progress) -> list[Passage]:
    from rag.reading.split import split_document

    embedder, passages = parts.embedder, []
    for done, document in enumerate(documents, 1):
        passages += split_document(document, embedder.count_tokens, embedder.budget)
        progress("splitting", done, len(documents))
    return passages


def _embed(passages: Sequence[Passage], parts: Parts, progress: Progress) -> set[bytes]:
    """Have the cache hold all that a question will need, and return its keys.

    Tokens and vectors of each passage and of each sentence; no more than a slice of them
    is in memory at a time.
    """
    embedder, keys = parts.embedder, set[bytes]()
    texts = {(p.in_context, p.lang): None for p in passages}
    texts |= {(sentence.text, p.lang): None for p in passages for sentence in p.sentences}
    for start, part in enumerate(_slices(list(texts))):
        report = partial(_embedded, progress, start * _SLICE, len(texts))
        contents, langs = [text for text, _ in part], [lang for _, lang in part]
        embedder.tokens(contents, langs, report)
        embedder.passages(contents, langs, report)
        keys.update(embedder.token_key(text, lang) for text, lang in part)
        keys.update(map(embedder.vector_key, contents))
    return keys


def _slices(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    return (rows[i : i + _SLICE] for i in range(0, len(rows), _SLICE))


def _embedded(progress: Progress, start: int, whole: int, done: int) -> None:
    progress("embedding", start + done, whole)
