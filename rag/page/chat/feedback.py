"""Keep what a reader thought of an answer, as a question that the evaluation may take up."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.languages.detect import detect
from rag.records import Answer

CANDIDATES = "candidates.jsonl"
MAX_REASON = 2_000
"""Characters of a reason that are kept."""


def keep_feedback(
    folder: Path,
    question: str,
    history: Sequence[tuple[str, str]],
    answer: Answer,
    liked: bool,
    reason: str = "",
) -> Path:
    """Add one line to `candidates.jsonl` in the folder, and return the file's path.

    The line holds a case of the evaluation as far as it is known, without evidence, and
    the answer with its citations. It is on the disk when this returns, and never mixed
    with that of another writer. Raises InputError where it cannot be written.
    """
    path = folder / CANDIDATES
    row = _row(question, history, answer, liked, reason)
    # What has no UTF-8, half of a surrogate pair, becomes a question mark.
    line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _append(path, line)
    except OSError as fault:
        raise InputError(
            f"{path}: feedback cannot be written there ({fault.strerror}); free or change it"
        ) from fault
    return path


def _row(
    question: str, history: Sequence[tuple[str, str]], answer: Answer, liked: bool, reason: str
) -> dict[str, Any]:
    return {
        "lang": detect(question).lang or answer.language,
        "question": question,
        "history": [[asked, answered] for asked, answered in history],
        "evidence": [],
        "must": [],
        "must_not": [],
        "liked": liked,
        "reason": reason.strip()[:MAX_REASON],
        "answer": answer.text,
        "citations": [citation.to_dict() for citation in answer.citations],
        "abstained": answer.abstained,
        "mode": answer.mode,
        "model": answer.model,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _append(path: Path, line: bytes) -> None:
    """Write the line in one call at the end of the file, wherever that is by then."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    file = os.open(path, flags, 0o600)
    try:
        if os.write(file, line) != len(line):
            raise OSError(None, "the disk is full")
        os.fsync(file)
    finally:
        os.close(file)
