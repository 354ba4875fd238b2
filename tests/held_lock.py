"""A process that holds the lock of a store."""

import subprocess
import sys
from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from rag.ingestion.lock import writing
with writing(Path(sys.argv[1]), "ingest of articles"):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder: Path) -> "subprocess.Popen[str]":
    """A process that holds the lock until its standard input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder
