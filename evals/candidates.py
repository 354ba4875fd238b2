"""`python -m evals.candidates FILE`: what readers thought of answers, to make questions of.

Lists each candidate of the file that the chat page writes, and for each answer that was
disliked a line for `questions.jsonl`, to be completed by a person: what `must` stand in a
right answer, and the `evidence`, here what the answer cited.
"""

import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from rag.errors import InputError, RagError


def read_candidates(path: Path) -> list[dict[str, Any]]:
    """The lines of the file; a last one that was cut short is left out. Raises InputError."""
    try:
        *lines, _ = path.read_bytes().split(b"\n")
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror}") from fault
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError as fault:
            raise InputError(f"{path}, line {number} is no JSON: {fault}") from fault
        if not isinstance(row, dict) or not isinstance(row.get("question"), str):
            raise InputError(f"{path}, line {number} is no candidate: it has no question")
        rows.append(row)
    return rows


def skeleton(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A case to be completed, with the answer's citations as its evidence for now."""
    history = row.get("history") or []
    case = {
        "id": f"candidate-{number}-{row.get('lang', '')}",
        "lang": row.get("lang", ""),
        "kind": "follow_up" if history else "fact",
        "group": f"candidate-{number}",
        "question": row["question"],
        "evidence": [
            {"source": each["source"], "quote": each["quote"]} for each in row.get("citations", [])
        ],
        "must": [],
        "must_not": [],
    }
    return case | ({"history": history} if history else {})


def listing(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Each candidate in a few lines; texts cannot steer the terminal."""
    for number, row in enumerate(rows, start=1):
        liked = "liked" if row.get("liked") else "disliked"
        yield f"{number}. {liked}, {row.get('date', '')}, {printable(str(row.get('model', '')))}"
        yield f"   asked:  {printable(row['question'])}"
        yield f"   answer: {printable(str(row.get('answer', '')))}"
        if row.get("reason"):
            yield f"   reason: {printable(str(row['reason']))}"
        if not row.get("liked"):
            yield f"   {printable(json.dumps(skeleton(row, number), ensure_ascii=False))}"


def printable(text: str) -> str:
    r"""The text on one line, without what a terminal would take for a command.

    >>> printable("a\x1b[31mb\nc")
    'a [31mb c'
    """
    shown = (" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)
    return " ".join("".join(shown).split())


@click.command("candidates")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def main(file: Path) -> None:
    """List the candidates in FILE, each disliked one with a case to be completed."""
    try:
        for line in listing(read_candidates(file)):
            click.echo(line)
    except RagError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
