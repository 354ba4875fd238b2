"""`rag eval gate RUN --baseline FILE`: is a run worse than the one that was kept?"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import FiniteFloat, TypeAdapter, ValidationError

from evals.compare import Change, Pair, change, generated
from evals.files import write_whole
from evals.metrics import LOWER_IS_BETTER, summarise
from evals.run import invoke
from evals.runs import Asked, Run, cut_note, first_finding, read_run
from rag.errors import InputError
from rag.models.errors import NO_FORM
from rag.records import Record

FORMAT = 1
LEAST_LOSS = 0.02
"""A loss of less is none, however certain it is."""
_FEWER = {*LOWER_IS_BETTER, "not_json"}
_FLOORS = {"pointers_exact", "unsupported"}
"""Measures that are red without any statistics."""
_MAY_LACK = {"not_json", "judge"}
"""Measures that a run need not judge: a model may not be called, no judge be asked for."""
_NAMED = 8
"""Question ids that one line names."""


@dataclass(frozen=True, slots=True)
class Kept(Record):
    """One question of the baseline, and how it went."""

    digest: str
    """See `evals.runs.Asked.digest`: what was asked and expected."""
    group: str
    scores: dict[str, FiniteFloat | None]
    """Those of the run that were judged, and `generated` and `not_json`."""


@dataclass(frozen=True, slots=True)
class Baseline(Record):
    """A run that others are held against."""

    format: int
    command: str
    """What makes this file from a run folder."""
    run: dict[str, str]
    """What the run was: its system, model, start, commit and the hashes of what it read."""
    questions: dict[str, Kept]


def baseline_of(run: Run) -> Baseline:
    """What is kept of a run."""
    about = run.about
    facts = {
        "system": about.system,
        "model": about.model,
        "started": about.started,
        "commit": about.commit,
        "questions": str(about.questions.get("sha256", "")),
        "set": str(about.questions.get("set", "")),
        "corpus": str(about.corpus.get("sha256", "")),
    }
    kept = {row.id: Kept(row.digest, row.group, _judged(row)) for row in run.results}
    return Baseline(FORMAT, "rag eval gate RUN --baseline FILE --update", facts, kept)


def failures(run: Run, baseline: Baseline) -> list[str]:
    """Why the run is worse than the baseline, one line each; empty where it is not."""
    rows = {row.id: row for row in run.results}
    changed = [i for i, kept in baseline.questions.items()
               if i in rows and rows[i].digest != kept.digest]  # fmt: skip
    missing = [i for i in baseline.questions if i not in rows]
    pairs = [(kept, rows[i]) for i, kept in baseline.questions.items()
             if i in rows and i not in changed]  # fmt: skip
    return [
        *_coverage(missing, changed, len(baseline.questions)),
        *_floors(run, pairs),
        *_losses(pairs),
    ]


def _coverage(missing: Sequence[str], changed: Sequence[str], planned: int) -> Iterator[str]:
    if missing:
        yield f"{len(missing)} of {planned} questions were not asked: {_named(missing)}"
    if changed:
        yield (
            f"{len(changed)} of {planned} questions ask or expect something else than in the "
            f"baseline, --update makes it anew: {_named(changed)}"
        )


def _floors(run: Run, pairs: Sequence[tuple[Kept, Asked]]) -> Iterator[str]:
    """What no run may do, however few questions show it."""
    broken = [row.id for row in run.results if row.error]
    if broken:
        yield f"{_count(len(broken), 'question')} ended in an error: {_named(broken)}"
    pointers = [row.id for row in run.results if row.scores.get("pointers_exact") not in (None, 1)]
    if pointers:
        count = _count(len(pointers), "answer")
        yield f"pointers exact: {count} with a quote that is not the article's: {_named(pointers)}"
    was, now = _means(pairs, "unsupported")
    if now is not None and now > (was or 0.0):
        yield f"unsupported: {now:.3f}, and {was or 0.0:.3f} in the baseline"


def _losses(pairs: Sequence[tuple[Kept, Asked]]) -> Iterator[str]:
    """Measures that lost more than chance and more than LEAST_LOSS, or judge nothing any more."""
    names = dict.fromkeys(name for kept, row in pairs for name in (*kept.scores, *_scores(row)))
    for name in (name for name in names if name not in _FLOORS):
        found = change(_pairs(pairs, name))
        label = name.replace("_", " ")
        was, now = _means(pairs, name)
        if name == "generated" and was and not now:
            yield f"{label}: no answer is in the model's words, and {was:.3f} of the baseline's are"
        elif was is not None and now is None and name not in _MAY_LACK:
            yield f"{label}: judged for no question any more"
        elif is_loss(name, found):
            yield (
                f"{label}: {found.b:.3f}, and {found.a:.3f} in the baseline; the change of "
                f"{found.difference:+.3f} over {_count(found.n, 'question')} is between "
                f"{found.low:+.3f} and {found.high:+.3f}"
            )


def is_loss(name: str, found: Change) -> bool:
    """Whether a measure lost more than LEAST_LOSS, and something in 97.5 % of the resamples.

    >>> is_loss("crag", Change(0.8, 0.6, -0.2, 40, -0.3, -0.1))
    True
    >>> is_loss("crag", Change(0.8, 0.6, -0.2, 40, -0.5, 0.1))
    False
    >>> is_loss("wrongly_answered", Change(0.8, 0.6, -0.2, 40, -0.3, -0.1))
    False
    """
    if found.difference is None or found.low is None or found.high is None:
        return False
    if name in _FEWER:
        return found.difference > LEAST_LOSS and found.low > 0
    return found.difference < -LEAST_LOSS and found.high < 0


def _means(pairs: Sequence[tuple[Kept, Asked]], name: str) -> tuple[float | None, float | None]:
    """The means of a measure in the baseline and now, each over all that it judged."""
    both = _pairs(pairs, name)
    if not both:
        return None, None
    return summarise([was for was, _, _ in both]).mean, summarise([now for _, now, _ in both]).mean


def _pairs(pairs: Sequence[tuple[Kept, Asked]], name: str) -> list[Pair]:
    return [(kept.scores.get(name), _scores(row).get(name), kept.group) for kept, row in pairs]


def _judged(row: Asked) -> dict[str, float | None]:
    return {name: value for name, value in _scores(row).items() if value is not None}


def _scores(row: Asked) -> dict[str, float | None]:
    """The scores of a question, and how its answer came about."""
    refused = [float(call.refused == NO_FORM) for call in row.calls]
    return {
        **row.scores,
        "generated": generated(row),
        "not_json": sum(refused) / len(refused) if refused else None,
    }


def notes(run: Run, baseline: Baseline) -> list[str]:
    """What else than the code may have made a difference, one line each."""
    now = baseline_of(run).run
    told = ("system", "model", "corpus")
    return [
        f"{name}: {now[name] or '-'}, and {baseline.run.get(name) or '-'} in the baseline"
        for name in told
        if now[name] != baseline.run.get(name)
    ]


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file; raises InputError that names the first fault."""
    try:
        found = TypeAdapter(Baseline).validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path} is not there; --update makes it from the run") from None
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror}") from None
    except ValidationError as fault:
        raise InputError(
            f"{path} is no baseline: {first_finding(fault)}; --update makes it anew"
        ) from None
    if found.format != FORMAT:
        raise InputError(f"{path}: the format is {found.format}, not {FORMAT}; make it anew")
    if not found.questions:
        raise InputError(f"{path} holds no questions; --update makes it anew")
    return found


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write it with one question a line, so that a change of it can be read."""
    head = {name: value for name, value in baseline.to_dict().items() if name != "questions"}
    lines = ",\n".join(
        f"  {_json(name)}: {_json(kept.to_dict())}" for name, kept in baseline.questions.items()
    )
    fields = "".join(f" {_json(name)}: {_json(value)},\n" for name, value in head.items())
    write_whole(path, f'{{\n{fields} "questions": {{\n{lines}\n }}\n}}\n')


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@click.command("gate")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--baseline", "path", type=click.Path(path_type=Path), required=True,
    help="JSON file of the run that others are held against.",
)  # fmt: skip
@click.option("--update", is_flag=True, help="Make the baseline from RUN instead.")
def _command(folder: Path, path: Path, update: bool) -> int:
    """Exit with 1 where the run folder RUN is worse than the baseline."""
    run = read_run(folder)
    if note := cut_note(run):
        click.echo(note, err=True)
    if update:
        write_baseline(baseline_of(run), path)
        click.echo(f"{path} holds {_count(len(run.results), 'question')} of {folder}")
        return 0
    baseline = read_baseline(path)
    for note in notes(run, baseline):
        click.echo(f"note: {note}")
    found = failures(run, baseline)
    for line in found:
        click.echo(f"worse: {line}")
    if not found:
        click.echo(f"not worse over {_count(len(baseline.questions), 'question')}")
    return int(bool(found))


def main(argv: list[str] | None = None) -> int:
    """Run `rag eval gate` with these arguments and return its exit status.

    0: not worse; 1: worse; 2: wrong arguments. Raises InputError for what is no run
    and no baseline.
    """
    return invoke(_command, argv, "rag eval gate")
