"""Where files are dropped, how far their ingest is, and what became of them, as HTML."""

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from rag.ingestion.staging import MOST_BYTES, Why
from rag.page.html.markup import isolated, joined, markup
from rag.page.html.words import Words
from rag.reading.corpus import SUFFIXES
from rag.records import Record

_MOST_NAMES = 20
"""Articles that are named after they were added; a file may hold thousands."""


@dataclass(frozen=True, slots=True)
class Step(Record):
    """How far an ingest is: its stage, and how much of the whole is done; 0 is not known."""

    stage: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Outcome(Record):
    """How it ended: what was done, each file that was not taken, or why nothing was."""

    said: str = ""
    problems: tuple[Markup, ...] = ()
    fault: str = ""


def adding_html(allowed: bool, state: Step | Outcome | None, say: Words) -> Markup:
    """The part of the tab that takes files, or says why it does not; None is at rest."""
    return markup(
        '<section aria-label="{label}" aria-busy="{busy}">{zone}{doing}{problems}</section>',
        label=say("sources.add"),
        busy="true" if isinstance(state, Step) else "false",
        zone=_zone(isinstance(state, Step), say)
        if allowed
        else markup('<p class="note">{off}</p>', off=say("sources.off")),
        doing=_doing(state, say),
        problems=_problems(state, say) if isinstance(state, Outcome) else "",
    )


def _zone(busy: bool, say: Words) -> Markup:
    types = ", ".join(SUFFIXES)
    limits = say("sources.limits", types=f"\u2066{types}\u2069", most=MOST_BYTES // 1_000_000)
    return markup(
        '<div class="drop" data-most="{most}" data-sending="{sending}">'
        '<label for="sources-files">{drop}</label><input type="file" id="sources-files" multiple '
        'accept="{types}" aria-disabled="{busy}"><p class="limits">{limits}</p></div>',
        most=MOST_BYTES,
        sending=say("sources.sending"),
        drop=say("sources.drop"),
        types=types,
        busy="true" if busy else "false",
        limits=limits,
    )


def _doing(state: Step | Outcome | None, say: Words) -> Markup:
    """The stage is told aloud, the figures, which change all the time, are not."""
    if not isinstance(state, Step):
        said = state.said if state else ""
        return markup('<p class="doing" role="status">{said}</p>', said=said)
    stage = say(f"sources.{state.stage}")
    counts = f"{state.done} / {state.total}" if state.total else str(state.done or "")
    known = markup(' max="{total}" value="{done}"', total=state.total, done=state.done)
    return markup(
        '<p class="doing" role="status">{stage}</p><div class="progress">'
        '<progress aria-label="{stage}"{known}></progress> <bdi dir="ltr">{counts}</bdi></div>',
        stage=stage,
        known=known if state.total else "",
        counts=counts,
    )


def _problems(outcome: Outcome, say: Words) -> Markup:
    if outcome.fault:
        return fault_html(outcome.fault)
    if not outcome.problems:
        return Markup()
    return markup(
        '<div class="problems" role="alert"><p>{refused}</p><ul>{lines}</ul></div>',
        refused=say("sources.refused"),
        lines=joined(markup("<li>{line}</li>", line=each) for each in outcome.problems),
    )


def fault_html(fault: str) -> Markup:
    """One line of an error, which the program tells in English."""
    return markup('<p class="fault" role="alert">{fault}</p>', fault=isolated(fault))


def problem_html(name: str, why: Why | Literal["lost"], reason: str, say: Words) -> Markup:
    """A file and why it was not taken: what its reader says, or else in the page's language."""
    told = isolated(reason, "en") if why == "unread" else markup("{w}", w=say(f"sources.{why}"))
    return markup("{name}: {told}", name=isolated(name), told=told)


def named(key: Literal["added", "removed"], sources: tuple[str, ...], say: Words) -> str:
    """A line of text that names articles; "" for none."""
    if not sources:
        return say("sources.nothing") if key == "added" else ""
    names = ", ".join(f"\u2068{each}\u2069" for each in sources[:_MOST_NAMES])
    more = f" (+{len(sources) - _MOST_NAMES})" if len(sources) > _MOST_NAMES else ""
    return say(f"sources.{key}", names=names + more)
