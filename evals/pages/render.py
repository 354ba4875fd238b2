"""Templates and values become HTML.

Texts of articles, questions and models are escaped by jinja2, nothing is a link, and a content
security policy lets the page load nothing and run nothing but its own script.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.pages.case import VERDICTS, evidence_in, segments, stages, ways
from evals.table import AIMS
from rag.errors import InputError

_HERE = Path(__file__).resolve().parent


def render(template: str, script: str = "", **values: Any) -> str:
    """The page of a template of this folder; `script` names its script there."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": number, "signed": _signed, "name": _name, "commit": _commit,
        "segments": segments, "ways": ways, "stages": stages,
    }  # fmt: skip
    environment.globals |= {"evidence_in": evidence_in, "VERDICTS": VERDICTS, "AIMS": AIMS}
    style, script = _asset("page.css"), _asset(script) if script else ""
    hashes = {"style_hash": _hash(style), "script_hash": _hash(script)}
    return environment.get_template(template).render(style=style, script=script, **hashes, **values)


def write_page(html: str, path: Path) -> None:
    """Write the page; raises InputError that names a path where that cannot be."""
    try:
        path.write_text(html, encoding="utf-8", errors="replace", newline="\n")
    except OSError as fault:
        raise InputError(f"{path} cannot be written: {fault.strerror}") from None


def number(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _name(name: str) -> str:
    return name.replace("_", " ")


def _commit(commit: str) -> str:
    """A commit as short as it can be, and still dirty if it is."""
    name, dash, dirty = commit.partition("-")
    return f"{name[:12]}{dash}{dirty}"


def _asset(name: str) -> str:
    return f"\n{(_HERE / name).read_text(encoding='utf-8')}"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
