"""What the figures depend on: this machine, and what else it is doing."""

import os
import platform
import time
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

BUSY = 0.5
"""Busy cores from which on something else takes the processor."""
_LOOK = 3.0
"""Seconds for which that is looked at before the start."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on."""

    day: str
    cores: int
    processor: str
    python: str
    onnxruntime: str
    load: float
    """Cores that were busy in the seconds before the start."""


def machine(load: float) -> Machine:
    """What is known of this machine."""
    return Machine(
        day=date.today().isoformat(),
        cores=os.cpu_count() or 1,
        processor=_processor(),
        python=platform.python_version(),
        onnxruntime=version("onnxruntime"),
        load=load,
    )


def busy_cores() -> float:
    """Cores that are busy while this process waits; the load average where that is not told."""
    try:
        before = _ticks()
        time.sleep(_LOOK)
        used, idle = (b - a for a, b in zip(before, _ticks(), strict=True))
    except (OSError, ValueError):
        return os.getloadavg()[0]
    return (os.cpu_count() or 1) * used / max(used + idle, 1)


def _ticks() -> tuple[int, int]:
    """What all processors have worked and waited, in ticks of the system's clock."""
    ticks = [
        int(word) for word in Path("/proc/stat").read_text("utf-8").split("\n")[0].split()[1:9]
    ]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, idle


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
