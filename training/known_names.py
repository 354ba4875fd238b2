"""Make the list of names that the audit knows (`rag/languages/known_names.tsv.gz`).

    python -m training.known_names FOLDER

FOLDER holds the sets of names `names_*.jsonl.gz` and sets of translations that
`evals/README.md` describes. Of people the single names are kept, of places the whole ones. A
form is left out of a language where true translations show that it is an ordinary word, or a
name that other languages have another word for.
"""

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import permutations
from pathlib import Path

import click

from evals.rows import rows
from rag.checking.name_support import is_held, unsupported_known_names
from rag.languages.facts import TextFacts
from rag.languages.folding import normalised
from rag.languages.known_forms import FILE as OUT
from rag.languages.known_forms import form_script, known_forms
from rag.languages.known_names import LANGS
from rag.languages.transliteration import can_romanise, same_consonants, skeletons

_NO_NAMES = frozenset(("corona",))
"""Places that are named after what is spoken of more often."""
_QUOTED = ("en", "he", "ar", "pl", "tr")
_PLACES = re.compile(
    r"city|town|capital|island|settlement|county|province|state\b|river|mountain|municipality"
    r"|commune|department of|region|district|village|borough|country|peninsula|metropol|prefecture",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_MOST_LATIN, _MOST_OTHERS = 8, 4
_MOST_WORDS = 3
_LEAST = 3
_RIGHT_FOR_WRONG = 6
"""True translations that hold a name for each in which it would be refused, from so many."""

Forms = dict[tuple[str, str], set[str]]
"""Of each name, by what it is of and its first Latin form, all of its forms as
`rag.languages.folding.normalised` writes them."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Write the list, and say how many names and forms are in it."""
    names: Forms = {}
    for latin, forms in (*people(folder), *single_names(folder)):
        names.setdefault(("p", latin), {latin}).update(forms)
    for latin, forms in (each for each in places(folder) if each[0] not in _NO_NAMES):
        names.setdefault(("l", latin), {latin}).update(forms)
    write(names, {})
    write(names, excluded(folder))
    size = OUT.stat().st_size
    click.echo(f"{len(names):,} names, {sum(map(len, names.values())):,} forms, {size:,} bytes")


def write(names: Forms, without: dict[str, set[str]]) -> None:
    """Keep the names, and by language what is no name there."""
    lines = ["\t".join((key[0], *sorted(forms))) for key, forms in sorted(names.items())]
    lines += ["\t".join((f"-{lang}", *sorted(forms))) for lang, forms in sorted(without.items())]
    OUT.write_bytes(gzip.compress("\n".join(lines).encode(), 9, mtime=0))
    known_forms.cache_clear()


def people(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Each single name of people, with how other scripts write it."""
    for row in rows(folder / "names_wikidata.jsonl.gz"):
        if row["type"] != "human":
            continue
        labels = {lang: list(_labels(names)) for lang, names in row["names"].items()}
        for english in labels.get("en", []):
            parts = english.split()
            for others in labels.values():
                for other in others:
                    yield from _aligned(parts, other)


def _aligned(parts: list[str], other: str) -> Iterator[tuple[str, set[str]]]:
    """The parts of one person's name in two languages, where they are as many."""
    theirs = re.split(r"[·・•\s]+", other)
    if len(theirs) != len(parts):
        return
    for one, its in zip(parts, theirs, strict=True):
        latin, form = normalised(one), normalised(its)
        if len(latin) > 2 and latin.isalpha() and form and _sounds_alike(latin, form):
            yield latin, {form}


def _sounds_alike(latin: str, form: str) -> bool:
    """Whether two forms may be one name: none of Chinese can be told."""
    if form_script(form) == "han":
        return len(form) > 1
    if not can_romanise(form) or form_script(latin) != "latin":
        return False
    return any(same_consonants(a, b) for a in skeletons(latin) for b in skeletons(form))


def single_names(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Single names of lists that give each in Latin letters and another script."""
    for row in rows(folder / "names_ar_en.jsonl.gz"):
        for latin in map(normalised, row["names"]["en"]):
            yield latin, {normalised(each) for each in row["names"]["ar"]}
    for row in rows(folder / "names_people.jsonl.gz"):
        for latin in map(normalised, row["names"].get("latn", [])):
            forms = {normalised(each) for each in row["names"].get("local", [])}
            if latin.isalpha() and len(latin) > 2:
                yield (
                    latin,
                    {form for form in forms if form.isalpha() and _sounds_alike(latin, form)},
                )


def places(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Cities and other places by their whole names."""
    for row in rows(folder / "names_wikidata.jsonl.gz"):
        if row["type"] != "human" and _PLACES.search(row["type"]):
            yield from _place(row["names"])
    for row in rows(folder / "names_places.jsonl.gz"):
        yield from _place(row["names"])


def _place(names: dict[str, list[str]]) -> Iterator[tuple[str, set[str]]]:
    english = [normalised(name) for name in _labels(names.get("en", []))]
    english = [name for name in english if 0 < len(name.split()) <= _MOST_WORDS]
    if not english:
        return
    forms: set[str] = set(english)
    for lang, labels in names.items():
        most = _MOST_LATIN if lang in ("latn", "en", "fr", "es", "tr") else _MOST_OTHERS
        good = [normalised(label).replace("-", " ") for label in _labels(labels)]
        good = [form for form in good if form and len(form.split()) <= _MOST_WORDS]
        forms |= set(good[:most])
    yield english[0], forms


def _labels(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        plain = name.rpartition(":")[2].strip()
        if not re.search(r"[,()\d/]", plain):
            yield plain.replace("-", " ") if " " in plain else plain


def excluded(folder: Path) -> dict[str, set[str]]:
    """Of each language the forms that true translations show to be no name to be doubted.

    Those are words that are translated more often than not, and names that the audit would
    refuse too often.
    """
    held: Counter[tuple[str, str]] = Counter()
    lacking: Counter[tuple[str, str]] = Counter()
    refused: Counter[tuple[str, str]] = Counter()
    for quote, quote_lang, text, lang in pairs(folder):
        claim, told = TextFacts(text, lang), TextFacts(quote, quote_lang)
        for name in claim.known_names:
            found = held if is_held(name, lang, told) else lacking
            found[lang, name.form] += 1
        refused.update((lang, one.form) for one in unsupported_known_names(claim, [told]))
    # Two Chinese signs are an ordinary word too often.
    short = {f for forms in known_forms().forms for f in forms if len(f) == 2}
    unseen = {f for f in short if form_script(f) == "han" and not held["zh", f]}
    found_out: dict[str, set[str]] = {"zh": unseen}
    for (lang, form), times in lacking.items():
        right = held[lang, form]
        wrong = refused[lang, form]
        if times > right or (wrong >= _LEAST and wrong * _RIGHT_FOR_WRONG > right):
            found_out.setdefault(lang, set()).add(form)
    return found_out


def pairs(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """True translations: a text and its language, and the other's."""
    for row in rows(folder / "multi_flores.jsonl.gz"):
        texts = {lang: text for lang, text in row["texts"].items() if lang in LANGS}
        for (a, one), (b, other) in permutations(texts.items(), 2):
            if a in _QUOTED:
                yield one, a, other, b
    for row in rows(folder / "parallel_tatoeba_x.jsonl.gz"):
        if {row["lang_a"], row["lang_b"]} <= set(LANGS):
            yield row["text_a"], row["lang_a"], row["text_b"], row["lang_b"]
            yield row["text_b"], row["lang_b"], row["text_a"], row["lang_a"]


if __name__ == "__main__":
    main()
