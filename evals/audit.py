"""Does the audit refuse true translations, and does it catch planted faults?

    python -m evals.audit FOLDER [--pairs FILE]... [--limit N]

FOLDER holds `ntrex.passages.jsonl[.gz]` as `evals/README.md` describes, with `group` and
`sentences`; a FILE holds pairs of sentences as `evals.translation_cosines` takes them. Of
each pair one side is audited against the other as its quote: a human translation should
have no finding. Then faults are planted in it, one at a time, and each should be found
where it was planted. Sentences of a paragraph count as parallel where both languages have
as many of them.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import click

from evals.audit_faults import FAULTS, Fault, Text, planted
from evals.markdown import markdown_table
from evals.rows import read_rows, rows
from rag.checking.audit import audit
from rag.checking.grounds import Finding
from rag.errors import InputError
from rag.records import Record

KINDS = (
    "figure", "percent", "currency", "unit", "date", "country", "name", "person", "place",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair(Record):
    """A sentence, which is the quote, and its translation, which is audited."""

    dataset: str
    quote: Text
    translation: Text


@dataclass(frozen=True, slots=True)
class Audited(Record):
    """What the audit found in a translation, and in it with each fault planted."""

    pair: Pair
    findings: tuple[Finding, ...]
    caught: tuple[tuple[str, bool], ...]
    """Of each fault its name, and whether it was found where it stands."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--pairs", type=click.Path(exists=True, path_type=Path), multiple=True)
@click.option("--limit", default=2000, show_default=True, help="pairs of each set")
@click.option("--show", default=0, help="print so many translations that have a finding")
def main(folder: Path, pairs: Sequence[Path], limit: int, show: int) -> None:
    """Print wrong findings by languages and kind, and the share of faults that is caught."""
    try:
        sets = [ntrex(folder), *(sentence_pairs(path) for path in pairs)]
    except InputError as error:
        raise click.ClickException(str(error)) from error
    results = [each for rows in sets for each in audited(rows, limit)]
    for each in [one for one in results if one.findings][:show]:
        click.echo(shown(each))
    click.echo(tables(results))


def ntrex(folder: Path) -> list[Pair]:
    """Sentences of the same paragraph in all pairs of languages."""
    groups: dict[str, list[Any]] = {}
    for _, row in read_rows(folder, "ntrex", "passages"):
        groups.setdefault(row["group"], []).append(row)
    return [
        Pair("ntrex", Text(quote, a["lang"]), Text(text, b["lang"]))
        for group in groups.values()
        for a, b in permutations(group, 2)
        if len(a["sentences"]) == len(b["sentences"])
        for quote, text in zip(sentences(a), sentences(b), strict=True)
    ]


def sentence_pairs(path: Path) -> list[Pair]:
    """The pairs of a file of JSON Lines, both ways; raises InputError."""
    try:
        return [
            Pair(path.name.partition(".")[0], Text(r[f"text_{a}"], r[f"lang_{a}"]),
                 Text(r[f"text_{b}"], r[f"lang_{b}"]))
            for r in rows(path)
            for a, b in ("ab", "ba")
        ]  # fmt: skip
    except (InputError, KeyError) as fault:
        raise InputError(
            f"{path} holds no sentence pairs ({fault!r}); give another file"
        ) from fault


def audited(pairs: Sequence[Pair], limit: int) -> Iterator[Audited]:
    """A sample of the pairs, the same each time, each audited as it is and with faults."""
    rng = random.Random(0)
    chosen = rng.sample(pairs, min(limit, len(pairs)))
    others = [each.translation for each in chosen]
    for pair in chosen:
        quote, text = pair.quote, pair.translation
        findings = audit(text.text, text.lang, [(quote.text, quote.lang)])
        faults = () if findings else tuple(planted(text, others, rng))
        yield Audited(pair, findings, tuple((f.kind, _is_caught(f, quote)) for f in faults))


def _is_caught(fault: Fault, quote: Text) -> bool:
    found = audit(fault.text.text, fault.text.lang, [(quote.text, quote.lang)])
    return any(each.start < fault.end and fault.start < each.end for each in found)


def sentences(row: Any) -> list[str]:
    """The sentences of a passage's row, each on one line."""
    return [" ".join(row["text"][start:end].split()) for start, end in row["sentences"]]


def shown(one: Audited) -> str:
    """A translation that has a finding, with its quote."""
    pair = one.pair
    found = ", ".join(f"{each.kind}: {each.text}" for each in one.findings)
    quote, text = pair.quote, pair.translation
    return f"{quote.lang}>{text.lang} {found}\n  {quote.text}\n  {text.text}"


def tables(results: Sequence[Audited]) -> str:
    """The three tables, in Markdown."""
    return "\n\n".join((_wrong_by_set(results), _wrong_by_languages(results), _caught(results)))


def _wrong_by_set(results: Sequence[Audited]) -> str:
    lines = []
    sets = list(dict.fromkeys(each.pair.dataset for each in results))
    for name in (*sets, "all"):
        rows = [each for each in results if name in (each.pair.dataset, "all")]
        kinds = Counter[str](kind for each in rows for kind in {f.kind for f in each.findings})
        shares = [_percent(sum(bool(each.findings) for each in rows), len(rows))]
        shares += [_percent(kinds[kind], len(rows)) for kind in KINDS]
        lines.append([name, f"{len(rows):,}", *shares])
    headings = ("true translations", "sentences", "any finding, %", *KINDS)
    return markdown_table(headings, lines)


def _wrong_by_languages(results: Sequence[Audited]) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for each in results:
        pair = each.pair.quote.lang, each.pair.translation.lang
        counts[pair] += 1
        wrong[pair] += bool(each.findings)
    langs = sorted({lang for pair in counts for lang in pair})
    rows = [
        [a, *(_percent(wrong[a, b], counts[a, b]) if counts[a, b] else "" for b in langs)]
        for a in langs
    ]
    return markdown_table(("any finding, %: quote \\ text", *langs), rows)


def _caught(results: Sequence[Audited]) -> str:
    faults: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for each in results:
        for kind, found in each.caught:
            faults[kind] += 1
            caught[kind] += found
    rows = [
        (kind, f"{faults[kind]:,}", _percent(caught[kind], faults[kind]))
        for kind in FAULTS
        if faults[kind]
    ]
    return markdown_table(("planted fault", "planted", "caught, %"), rows)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}"


if __name__ == "__main__":
    main()
