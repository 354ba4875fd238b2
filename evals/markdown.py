"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def markdown_table(headings: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A line for the headings and one for each row.

    >>> print(markdown_table(["set", "n"], [["heq", 7]]))
    | set | n |
    | --- | --- |
    | heq | 7 |
    """
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
