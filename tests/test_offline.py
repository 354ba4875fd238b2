"""The program reports nothing to anyone, and writes nowhere but in folders of its own."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from watched import Watch, home, network_of_its_own, watch

from rag.settings import APP

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="watches by Linux's own means"),
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """What `rag ingest`, `ask`, `eval run` and half a minute of `chat` did."""
    return watch(tmp_path_factory.mktemp("offline"))


def own_folders(watched: Watch) -> tuple[str, ...]:
    user = home(watched.folder)
    inside = (user / ".local/share" / APP, user / ".cache" / APP)
    given = (watched.folder / name for name in ("store", "tmp", "here", "audit"))
    # Gradio completes its package when it is first imported, and git looks whether files of a
    # checkout were changed, which a run of the evaluation notes.
    others = (Path(sysconfig.get_path("purelib"), "gradio"), Path(__file__).parents[1] / ".git")
    return (*(f"{folder}/" for folder in (*inside, *given, *others)), "/dev/", "/proc/")


def outside(watched: Watch) -> list[str]:
    """Paths that were written and belong to no folder of ours, nor lead to one."""
    own = own_folders(watched)
    return [
        path
        for path in watched.written()
        if not f"{path}/".startswith(own) and not any(name.startswith(f"{path}/") for name in own)
    ]


def test_every_command_did_its_work(seen: Watch) -> None:
    statuses = {name: status for name, (status, _) in seen.returned.items()}
    assert statuses == {"ingest": 0, "ask": 3, "eval": 0, "chat": 0}, seen.returned
    assert seen.returned["chat"][1].startswith("200\n")


def test_nothing_beyond_this_machine_is_looked_up_or_contacted(seen: Watch) -> None:
    assert seen.wanted() == []


def test_nothing_is_written_outside_of_our_own_folders(seen: Watch) -> None:
    assert (seen.folder / "store" / "current.json").is_file()
    assert outside(seen) == []


def test_the_switches_are_set_whatever_they_were(tmp_path: Path) -> None:
    told = "import os, sys, rag; print(*map(os.environ.get, sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", told, *SWITCHES],
        env={**os.environ, **dict.fromkeys(SWITCHES, "0")},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == list(SWITCHES.values())


# --- the watch itself


def test_the_watch_sees_what_python_reaches_for_and_writes(tmp_path: Path) -> None:
    program = (
        "import pathlib, socket\n"
        "pathlib.Path.home().joinpath('device').write_text('id')\n"
        "try: socket.create_connection(('192.0.2.1', 9))\n"
        "except OSError: pass\n"
        "socket.getaddrinfo('python.example', 443)"
    )
    watched = watch(tmp_path, "-c", program)
    assert {"192.0.2.1", "python.example"} <= set(watched.wanted())
    assert outside(watched) == [str(home(tmp_path) / "device")]


def test_the_watch_sees_what_native_code_looks_up(tmp_path: Path) -> None:
    if not network_of_its_own():
        pytest.skip("no network of its own can be had here")
    program = "import ctypes; ctypes.CDLL(None).gethostbyname(b'native.example')"
    assert watch(tmp_path, "-c", program).wanted() == ["native.example"]
