"""Servers as people run them: a process each, on a free port of 127.0.0.1, ended with all its children."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.example.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
WSGI, ASGI = "tests.servers.applications:wsgi", "tests.servers.applications:asgi"
_GUNICORN = ["-m", "gunicorn", WSGI, "--bind=127.0.0.1:{port}", "--workers=2", "--threads=4", "--graceful-timeout=2"]
_UVICORN = ["-m", "uvicorn", ASGI, "--host=127.0.0.1", "--port={port}", "--lifespan=off", "--log-level=warning"]
COMMANDS = {
    "gunicorn": _GUNICORN,
    "uwsgi": ["uwsgi", "--http-socket=127.0.0.1:{port}", f"--module={WSGI}", "--need-app", "--master", "--die-on-term", "--threads=8"],
    "waitress": ["-m", "waitress", "--listen=127.0.0.1:{port}", "--threads=8", WSGI],
    "uvicorn": [*_UVICORN, "--http=h11"],
    "uvicorn-httptools": [*_UVICORN, "--http=httptools"],
    "hypercorn": ["-m", "hypercorn", ASGI, "--bind=127.0.0.1:{port}"],
    "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "-v", "0", ASGI],
    "runserver": ["-m", "django", "runserver", "127.0.0.1:{port}", "--noreload", "--skip-checks", "--settings=tests.servers.settings"],
}
THREADS = {"gunicorn": 4, "uwsgi": 8, "waitress": 8}
"""How many requests a process answers at once; the others begin a thread for each."""
ONLY_DECODED = frozenset({"runserver"})
"""Those that do not tell the path as it came."""
WITHOUT_CHUNKS = frozenset({"uwsgi", "runserver"})
"""Those that cannot tell where a body without a length ends."""


@dataclass
class Process:
    """A server that runs."""

    name: str
    port: int
    log: Path
    popen: subprocess.Popen

    def said(self) -> str:
        """What it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        """End it, and whatever it began."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(10)
        self._signal(signal.SIGKILL)
        self.popen.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)


def start(name: str, command: list[str], directory: Path, database: str = "", port: int = 0) -> Process:
    """A process that listens on ``{port}`` of its command, once it does; ``port``: it is in its configuration."""
    port = port or free_port()
    environment = os.environ | {"LTI_AGS_TEST_DATABASE_NAME": database, "PYTHONUNBUFFERED": "1", "TMPDIR": str(directory)}
    arguments = [part.replace("{port}", str(port)) for part in command]
    log = directory / f"{name}.log"
    with log.open("ab") as said:
        popen = subprocess.Popen(
            [sys.executable, *arguments] if arguments[0] == "-m" else [_program(arguments[0]), *arguments[1:]],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process(name, port, log, popen)
    try:
        _until_it_listens(process)
    except BaseException:
        process.end()
        raise
    return process


def _program(name: str) -> str:
    """Where it is; without it the tests fail, they are not skipped."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin")
    assert found, f"No {name}: install your distribution's (.ci/run says which packages)."
    return found


def _until_it_listens(process: Process) -> None:
    until, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while time.monotonic() < until:
        assert process.popen.poll() is None, process.said()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", process.port), timeout=5):
            return
        pause.wait(0.05)
    raise AssertionError(f"{process.name} did not come up\n{process.said()}")
