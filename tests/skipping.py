"""What a test does where this machine lacks something that it needs."""

import os
from typing import NoReturn

import pytest

IN_CI = bool(os.environ.get("CI"))
"""Where nothing may be skipped. Read here, before any fixture changes the environment."""

NO_CHROMIUM = "Chromium is not installed; on Debian: apt-get install chromium"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip a test that cannot run here; in CI that is a failure."""
    if IN_CI:
        pytest.fail(f"{reason} (in CI nothing may be skipped)")
    pytest.skip(reason)
