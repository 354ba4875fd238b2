"""Which of the questions are asked."""

from collections import Counter
from collections.abc import Collection, Sequence

from evals.cases import Case
from rag.errors import InputError


def select(
    cases: Sequence[Case],
    kinds: Collection[str] = (),
    langs: Collection[str] = (),
    ids: Collection[str] = (),
) -> list[Case]:
    """The cases of these kinds, languages and ids; an empty choice means all."""
    unknown = set(ids) - {case.id for case in cases}
    if unknown:
        raise InputError(f"no question has the id {', '.join(sorted(unknown))}")
    chosen = [
        case
        for case in cases
        if (not kinds or case.kind in kinds)
        and (not langs or case.lang in langs)
        and (not ids or case.id in ids)
    ]
    if not chosen:
        raise InputError("no question is left; choose fewer of --kind, --lang and --ids")
    return chosen


def spread(cases: Sequence[Case], limit: int) -> list[Case]:
    """`limit` cases that are even over kinds, languages and groups; always the same ones."""
    left, chosen = list(cases), list[Case]()
    seen: Counter[str] = Counter()
    while left and len(chosen) < limit:
        best = min(left, key=lambda case: [seen[key] for key in _strata(case)])
        seen.update(_strata(best))
        left.remove(best)
        chosen.append(best)
    return [case for case in cases if case in chosen]


def _strata(case: Case) -> tuple[str, str, str]:
    return f"kind {case.kind}", f"lang {case.lang}", f"group {case.group}"


def searchable(cases: Sequence[Case]) -> list[Case]:
    """The cases that a search can be judged by.

    Follow-ups mean little without their history, and where the articles do not say
    there is nothing to find.
    """
    return [case for case in cases if case.answerable and not case.history]
