"""Runs the program's commands one after the other and keeps what they tried to reach or write.

`python tests/watched.py FOLDER` runs them, where it can in a network of its own in which every
look-up of a name is answered here; the folder then holds what `Watch.read` reads:

    commands.json    what each command returned and printed
    names.txt        names that were looked up, by whatever code
    audit/           names and addresses beyond this machine that Python code wanted, and what it
                     wrote
    *.strace         calls of the system that reach or write something, of native code too
"""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.request import urlopen

CHAT_SECONDS = 25
"""How long the page is up: an uploader of a library waits some 15 seconds before its first call."""
_RAG = [sys.executable, "-c", "from rag.cli import main; main()"]
_CHILD = "watched child"
_CALLS = "connect,sendto,sendmsg,sendmmsg,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2"

AUDIT = """
import ipaddress, os, sys

LOG = os.environ["WATCH_AUDIT"]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def note(name, line):
    with open(os.path.join(LOG, name), "a", encoding="utf-8", errors="replace") as log:
        log.write(f"{line}\\n")

def watch(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        refuse(args[1][0] if isinstance(args[1], tuple) else None)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        refuse(args[0])
    elif (event == "open" and args[2] & WRITES) or event == "os.mkdir":
        if isinstance(args[0], (str, bytes)) and not os.fsdecode(args[0]).startswith(LOG):
            note("files.txt", os.path.abspath(os.fsdecode(args[0])))

def refuse(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return
    try:
        inside = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        inside = False
    if not inside:
        note("names.txt", host)
        raise OSError(f"{host} is not this machine")

sys.addaudithook(watch)
"""


@dataclass(frozen=True, slots=True)
class Watch:
    """What commands did while they were watched."""

    folder: Path
    returned: Mapping[str, tuple[int, str]]
    """Of each command its exit status and what it printed, errors included."""

    @classmethod
    def read(cls, folder: Path) -> "Watch":
        """What `run` kept in a folder."""
        kept = json.loads((folder / "commands.json").read_text("utf-8"))
        return cls(folder, kept)

    def wanted(self) -> list[str]:
        """Every name and address beyond this machine that anything asked for, sorted."""
        return sorted(
            {*self._lines("names.txt"), *self._lines("audit/names.txt"), *self._addresses()}
        )

    def written(self) -> list[str]:
        """Every path that was made or opened for writing, sorted; what lies in the home anyway."""
        left = [path for path in home(self.folder).rglob("*") if not path.is_dir()]
        return sorted({*map(str, left), *self._lines("audit/files.txt"), *self._opened()})

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text("utf-8").splitlines() if path.exists() else []

    def _traced(self) -> Iterator[str]:
        for path in self.folder.glob("*.strace"):
            yield from path.read_text("utf-8", "replace").splitlines()

    def _addresses(self) -> Iterator[str]:
        for line in self._traced():
            for four, six in re.findall(
                r'inet_addr\("([^"]+)"|inet_pton\(AF_INET6, "([^"]+)"', line
            ):
                if not ip_address(four or six).is_loopback:
                    yield four or six

    def _opened(self) -> Iterator[str]:
        place = re.compile(r'(?:\d+|AT_FDCWD)<([^>]*)>, "([^"]*)"')
        for line in self._traced():
            call = re.match(r"\d+ +(\w+)\(", line)
            if not call or call[1] in ("connect", "sendto", "sendmsg", "sendmmsg"):
                continue
            if call[1].startswith("open") and not re.search("O_WRONLY|O_RDWR|O_CREAT", line):
                continue
            found = place.findall(line) or [("", path) for path in re.findall('"([^"]*)"', line)]
            yield from (os.path.normpath(os.path.join(*each)) for each in found)


def home(folder: Path) -> Path:
    """The home that watched commands have."""
    return folder / "home"


def watch(folder: Path, *arguments: str) -> Watch:
    """Run this file on a folder, in a network of its own where that can be had."""
    program = [*network_of_its_own(), sys.executable, __file__, str(folder), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]
    return Watch.read(folder)


def network_of_its_own() -> list[str]:
    """The beginning of a command that gets one; empty where none can be had."""
    for options in (["--user", "--map-root-user"], []):
        program = ["unshare", *options, "--net", "--mount", "--"]
        with suppress(OSError, subprocess.TimeoutExpired):
            if not subprocess.run([*program, "true"], capture_output=True, timeout=10).returncode:
                return program
    return []


# --- within the network


def run(folder: Path, arguments: Sequence[str]) -> None:
    """Run what is to be watched, and keep what came of it."""
    _answer_look_ups(folder)
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(AUDIT, "utf-8")
    for name in ("home", "tmp", "here", "audit"):
        (folder / name).mkdir()
    returned = _one(folder, arguments) if arguments else _every_command(folder)
    (folder / "commands.json").write_text(json.dumps(returned))


def _one(folder: Path, arguments: Sequence[str]) -> dict[str, tuple[int, str]]:
    return {_CHILD: _finish(_start(folder, "child", [sys.executable, *arguments]))}


def _every_command(folder: Path) -> dict[str, tuple[int, str]]:
    """`rag ingest`, then `ask` and `eval run` while `chat` is up."""
    port = _free_port()

    def rag(name: str, *arguments: str) -> "subprocess.Popen[str]":
        return _start(folder, name, [*_RAG, *arguments], RAG_PORT=str(port))

    returned = {"ingest": _finish(rag("ingest", "ingest"))}
    chat = rag("chat", "chat")
    page = _page(port)
    begun = time.monotonic()
    returned["ask"] = _finish(rag("ask", "ask", "What is the price of wheat?"))
    out = str(folder / "here" / "run")
    returned["eval"] = _finish(rag("eval", "eval", "run", "--limit", "1", "--out", out))
    time.sleep(max(0.0, begun + CHAT_SECONDS - time.monotonic()))
    chat.send_signal(signal.SIGINT)
    status, printed = _finish(chat)
    return {**returned, "chat": (status, f"{page}\n{printed}")}


def _start(
    folder: Path, name: str, command: Sequence[str], **settings: str
) -> "subprocess.Popen[str]":
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(home(folder)),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": os.pathsep.join([str(folder / "site"), str(Path(__file__).parents[1])]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "WATCH_AUDIT": str(folder / "audit"),
        "RAG_STORE": str(folder / "store"),
        "RAG_MODEL": "none",
        **settings,
    }
    return subprocess.Popen(
        [*_traced(folder / f"{name}.strace"), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder / "here",
        env=environment,
    )


def _traced(log: Path) -> list[str]:
    """What traces a command, as its child so that signals reach the command; may be nothing."""
    program = ["strace", "-D", "-f", "-qq", "-y", "-s", "512", "--seccomp-bpf"]
    program += ["-e", "signal=none", "-e", f"trace={_CALLS}", "-o", str(log)]
    if shutil.which("strace"):
        with suppress(OSError, subprocess.TimeoutExpired):
            if not subprocess.run([*program, "true"], capture_output=True, timeout=10).returncode:
                return program
    log.unlink(missing_ok=True)
    return []


def _finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    try:
        printed, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, printed


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def _page(port: int) -> str:
    """The head of the page, once it is served."""
    for _ in range(300):
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/", timeout=5) as reply:
            return str(reply.status)
        time.sleep(0.1)
    return "the page is not served"


# --- look-ups


def _answer_look_ups(folder: Path) -> None:
    """Keep every name that is looked up, in a network that holds nothing but this machine."""
    if {name for _, name in socket.if_nameindex()} != {"lo"}:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sH14x", b"lo", 1)
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS
    for name, text in (("resolv.conf", "nameserver 127.0.0.1"), ("nsswitch.conf", "hosts: dns")):
        (folder / name).write_text(f"{text}\n", "utf-8")
        if Path("/etc", name).exists():
            subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    threading.Thread(target=_refuse_names, args=(server, folder / "names.txt"), daemon=True).start()


def _refuse_names(server: socket.socket, log: Path) -> None:
    while True:
        asked, sender = server.recvfrom(4096)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{_name(asked)}\n")
        # No such name: the same question, marked as a reply of that kind.
        server.sendto(asked[:2] + b"\x81\x83" + asked[4:6] + bytes(6) + asked[12:], sender)


def _name(query: bytes) -> str:
    """The name that a query of DNS asks for."""
    parts, place = [], 12
    while place < len(query) and (size := query[place]):
        parts.append(query[place + 1 : place + 1 + size].decode("ascii", "replace"))
        place += 1 + size
    return ".".join(parts)


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2:])
