"""Story 1: read a corpus, split it, embed it, store it.

The store mirrors every folder that was ingested into it: what left a folder
leaves the store, what changed is replaced, and a run that finds nothing new
writes nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rag.embedding.corpus_mean import corpus_mean, without_mean
from rag.errors import InputError, StoreError
from rag.ingestion.lock import writing
from rag.ingestion.plan import compare, plan
from rag.parts import Parts
from rag.records import Document, IngestReport, Passage, SkippedFile
from rag.store.chroma import METRIC
from rag.store.generation import FORMAT, Manifest
from rag.store.rows import StoredDocument

_SLICE = 2000
"""Texts that are embedded at once; more are not in memory with their vectors."""

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
        planned, clashes = plan(root, read, stored)
        skipped += clashes
        manifest = None if fresh else parts.store.manifest()
        if manifest is None and not planned:
            raise InputError(_nothing_to_read(root, skipped))
        anew = rebuild or not (manifest and _is_ours(manifest, parts))
        report = compare(stored, planned, anew)
        if manifest is None or anew or report.wrote:
            manifest = _write(planned, parts, progress)
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


def _is_ours(manifest: Manifest, parts: Parts) -> bool:
    """Whether the stored vectors are those that this program would make."""
    stored = (manifest.format, manifest.metric, manifest.space, manifest.budget)
    return stored == (FORMAT, METRIC, parts.embedder.space, parts.embedder.budget)


def _read(root: Path, progress: Progress) -> tuple[dict[str, Document], tuple[SkippedFile, ...]]:
    from rag.reading.corpus import read_corpus

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


def _write(documents: Mapping[str, StoredDocument], parts: Parts, progress: Progress) -> Manifest:
    embedder = parts.embedder
    dimension = len(embedder.question("dimension", "en"))
    parts.cache.keep_dimension(dimension)
    passages = _split([each.document for each in documents.values()], parts, progress)
    read = _embed(passages, parts, progress)
    vectors = embedder.passages([p.in_context for p in passages], [p.lang for p in passages])
    mean = corpus_mean(vectors)
    manifest = Manifest(
        space=embedder.space,
        dimension=dimension,
        documents=len(documents),
        passages=len(passages),
        budget=embedder.budget,
        roots=tuple(sorted({name for each in documents.values() for name in each.roots})),
        corpus_mean=mean,
    )
    parts.store.replace(
        manifest,
        list(documents.values()),
        passages,
        without_mean(vectors, mean),
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
    """Have the cache hold tokens and vectors of passages and sentences, and return its keys."""
    embedder, keys = parts.embedder, set[bytes]()
    unique = {(p.in_context, p.lang): None for p in passages}
    unique |= {(sentence.text, p.lang): None for p in passages for sentence in p.sentences}
    texts = list(unique)
    for start in range(0, len(texts), _SLICE):
        part = texts[start : start + _SLICE]
        contents, langs = [text for text, _ in part], [lang for _, lang in part]

        def report(done: int, before: int = start) -> None:
            progress("embedding", before + done, len(texts))

        embedder.tokens(contents, langs, report)
        embedder.passages(contents, langs, report)
        keys.update(embedder.token_key(text, lang) for text, lang in part)
        keys.update(map(embedder.vector_key, contents))
    return keys
