"""What there is around the code: prompts, seeds and evals, and the cores of the machine.

The folders lie at the top of a checkout, and inside a wheel.
"""

import importlib
import math
import os
import sys
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def prompts_folder() -> Path:
    """The folder of Markdown prompts and answer frames."""
    return _folder("prompts")


def seeds_folder() -> Path:
    """The folder of the articles that come with the project."""
    return _folder("seeds")


def evals_folder() -> Path:
    """The folder of the evaluation: questions and the code that runs them."""
    return _folder("evals")


def evals_module(name: str) -> Any:
    """A module of evals/, such as "evals.runs", from wherever the folder lies."""
    place = str(evals_folder().parent)
    if place not in sys.path:
        # First, because other packages are called evals too.
        sys.path.insert(0, place)
    return importlib.import_module(name)


# --- cores


def usable_cores() -> int:
    """Cores that this process may use, by its affinity and its container's quota."""
    return max(1, math.ceil(min(len(_processors()), _quota())))


def physical_cores() -> int:
    """Of these as many as run at full speed at once: two threads of one core count once.

    llama.cpp's threads wait for each other after every layer, so a second thread
    on one core, or more threads than a container's quota allows, slow it down.
    """
    processors = _processors()
    if not hasattr(os, "sched_getaffinity"):  # macOS and Windows tell nothing of their cores
        return max(1, len(processors) // 2)
    return max(1, math.floor(min(len({_siblings(each) for each in processors}), _quota())))


def _processors() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 2))


def _siblings(processor: int) -> str:
    place = f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
    try:
        return Path(place).read_text("ascii")
    except OSError:
        return str(processor)


def _quota() -> float:
    """Processors that the container may keep busy; infinite where it has no limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return int(quota) / int(period)
    except (OSError, ValueError):  # no such file, or "max" for no quota
        return math.inf
