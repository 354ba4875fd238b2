"""Which claims may be shown next to their quotes: true ones should, false ones should not.

    python -m evals.claims FILE [--show N] [--missed N] [--half first|second]

FILE holds claims as JSON Lines (`.gz` or not), one a line: `quotes` in `quote_lang`, the
`passage` that they stand in, `claim` in `claim_lang`, `true`, and its `kind` or, of a false
one, its `fault`; `date` is that of the article, where it is known. Each is put to what ships:
the check of the language (`rag.checking.claim_language`) and the audit (`rag.checking.audit`).
`--half` takes the claims on half of the documents, by a checksum of `doc`,
so that rules can be written by looking at one half and measured on the other.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from evals.rows import rows
from rag.checking.audit import audit
from rag.checking.claim_language import other_language
from rag.errors import InputError
from rag.records import Record

HALVES = ("first", "second")


@dataclass(frozen=True, slots=True)
class Claim(Record):
    """A claim on quotes, and whether it is true."""

    id: str
    doc: str
    quote_lang: str
    quotes: tuple[str, ...]
    passage: str
    claim_lang: str
    text: str
    true: bool
    kind: str
    """What kind of true claim it is, or what is wrong with a false one."""
    date: str = ""
    """ISO date of the article, "" when unknown."""


@dataclass(frozen=True, slots=True)
class Judged(Record):
    """A claim, and why it is refused; "" where it is shown."""

    claim: Claim
    reason: str


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--show", default=0, help="print so many true claims that are refused, and why")
@click.option("--missed", default=0, help="print so many false claims that are shown")
@click.option("--half", type=click.Choice(HALVES), help="claims on half of the documents")
def main(file: Path, show: int, missed: int, half: Literal["first", "second"] | None) -> None:
    """Print which share of true claims is refused and of false ones caught, by kind."""
    try:
        claims = read_claims(file)
    except InputError as error:
        raise click.ClickException(str(error)) from error
    if half:
        claims = [each for each in claims if HALVES[zlib.crc32(each.doc.encode()) % 2] == half]
    judged = [Judged(each, refusal(each)) for each in claims]
    for one in [each for each in judged if each.claim.true and each.reason][:show]:
        click.echo(_shown(one))
    for one in [each for each in judged if not each.claim.true and not each.reason][:missed]:
        click.echo(_shown(one))
    click.echo("\n".join(report(judged)))


def read_claims(file: Path) -> list[Claim]:
    """The claims of a file of JSON Lines; raises InputError where it holds none."""
    try:
        claims = [_claim(row) for row in rows(file)]
    except (InputError, KeyError, TypeError) as fault:
        raise InputError(f"{file} holds no claims ({fault!r}); give another file") from fault
    if not claims:
        raise InputError(f"{file} holds no claims; give another file")
    return claims


def _claim(row: dict[str, Any]) -> Claim:
    return Claim(
        id=row["id"],
        doc=row.get("doc", ""),
        quote_lang=row["quote_lang"],
        quotes=tuple(row["quotes"]),
        passage=row["passage"],
        claim_lang=row["claim_lang"],
        text=row["claim"],
        true=row["true"],
        kind=row["kind"] if row["true"] else row["fault"],
        date=row.get("date") or "",
    )


def refusal(claim: Claim) -> str:
    """Why the product does not show a claim; "" where it does."""
    if other_language(claim.text, claim.claim_lang):
        return f"another language than {claim.claim_lang}"
    quotes = [(quote, claim.quote_lang) for quote in claim.quotes]
    around = [(claim.passage, claim.quote_lang)]
    dates = [claim.date] if claim.date else []
    found = audit(claim.text, claim.claim_lang, quotes, around=around, dates=dates)
    return "; ".join(f"{each.kind} {each.text}: {each.reason}" for each in found)


def report(judged: Sequence[Judged]) -> Iterator[str]:
    """The two shares, then those of each kind, each fault and each language of the claim."""
    true = [each for each in judged if each.claim.true]
    false = [each for each in judged if not each.claim.true]
    yield _share("true refused", true)
    yield _share("false caught", false)
    yield from _groups("true refused, kind", true, lambda claim: claim.kind)
    yield from _groups("false caught, fault", false, lambda claim: claim.kind)
    yield from _groups("true refused, claim in", true, lambda claim: claim.claim_lang)
    yield from _groups("false caught, claim in", false, lambda claim: claim.claim_lang)


def _groups(name: str, judged: Sequence[Judged], key: Callable[[Claim], str]) -> Iterator[str]:
    for group in sorted({key(each.claim) for each in judged}):
        yield _share(f"{name} {group}", [each for each in judged if key(each.claim) == group])


def _share(name: str, judged: Sequence[Judged]) -> str:
    """The share that is refused; of none at all nothing is said but that."""
    if not judged:
        return f"{name} - (0)"
    return f"{name} {sum(bool(each.reason) for each in judged) / len(judged):.3f} ({len(judged)})"


def _shown(one: Judged) -> str:
    claim = one.claim
    head = f"{claim.id} {claim.kind} {claim.quote_lang}>{claim.claim_lang}: {one.reason or 'shown'}"
    return "\n  ".join((head, claim.text, " | ".join(claim.quotes)))


if __name__ == "__main__":
    main()
