"""How long fresh processes take, and how much memory."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from evals.metrics import percentile
from evals.performance.page import Table, fine, whole
from evals.performance.timing import tell
from rag.embedding.cross_encoder import WEIGHTS_FILE

STARTS = 3
"""Fresh processes of each command."""
_QUESTION = "what was 2023 bilateral trade?"
_PROVED = "\n[1] "
"""What is printed before the first quote of an answer."""
# What another process took must be asked of a small one between: of a large one, a child has
# its parent's memory for a moment, and the system counts that.
_WATCH = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({
    "seconds": seconds,
    "megabytes": peak * (1 if sys.platform == "darwin" else 1024) / 1e6,
    "code": done.returncode,
    "output": done.stdout.decode("utf-8", "replace"),
    "errors": done.stderr.decode("utf-8", "replace"),
}))
"""
_PACKAGES = WEIGHTS_FILE.resolve().parents[1]
"""The folder that `rag` is imported from."""
_CLI = "import sys; from rag.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Process:
    """One run of a command in a fresh process."""

    seconds: float
    megabytes: float
    """The most memory that was resident, mapped files included."""
    output: str


def start(command: Sequence[str], folder: Path, **settings: str) -> Process:
    """Run Python with these arguments in a folder, with these settings and no others.

    Raises click's exception when it fails.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAG_", "OPENAI_"))}
    # The folder holds no .env, and so the package need not be beside it.
    path = os.pathsep.join(filter(None, [str(_PACKAGES), kept.get("PYTHONPATH")]))
    watch = [sys.executable, "-c", _WATCH, sys.executable, *command]
    done = subprocess.run(
        watch,
        cwd=folder,
        env={**kept, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **settings},
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    if told["code"] != 0:
        raise click.ClickException(f"{shlex.join(command)} failed: {told['errors'].strip()}")
    return Process(told["seconds"], told["megabytes"], told["output"])


def starts(folder: Path, store: Path) -> dict[tuple[str, str], list[Process]]:
    """Fresh processes by what they did and the command that did it.

    Raises click's exception when an answer is not proved.
    """

    def cli(command: str) -> tuple[str, list[str]]:
        return f'rag {command} "{_QUESTION}"', ["-c", _CLI, command, _QUESTION]

    empty = [folder / f"empty{number}" for number in range(STARTS)]
    plans = [
        ("import", 'python -c "import rag"', ["-c", "import rag"], [store] * STARTS),
        ("hits", *cli("search"), [store] * STARTS),
        ("proved answer, the store empty", *cli("ask"), empty),
        ("proved answer", *cli("ask"), [store] * STARTS),
    ]
    found = {}
    for what, shown, arguments, stores in plans:
        tell(f"starting processes: {what}")
        runs = [start(arguments, folder, RAG_STORE=str(each), RAG_MODEL="none") for each in stores]
        if "answer" in what and not all(_PROVED in run.output for run in runs):
            raise click.ClickException(f"the answer was not proved: {runs[0].output.strip()}")
        found[what, f"RAG_MODEL=none {shown}" if "answer" in what else shown] = runs
    return found


def start_table(processes: Mapping[tuple[str, str], Sequence[Process]]) -> Table:
    """Seconds and memory by what a fresh process did."""
    rows = [("what", "processes", "median s", "peak MB", "command")]
    for (what, command), runs in processes.items():
        seconds = percentile([each.seconds for each in runs], 0.5)
        peak = percentile([each.megabytes for each in runs], 0.5)
        rows.append((what, whole(len(runs)), fine(seconds), whole(peak), f"`{command}`"))
    return Table(
        "Start-up",
        "From the start of a fresh process to its end, with the store filled before unless it "
        "is said to be empty; an empty one is filled from the articles first. Peak MB is the "
        "most memory that was resident, mapped files included.",
        tuple(rows),
    )
