"""Projects made of what the documentation says, to the letter: files as it shows them, commands as it gives them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 60
_BLOCK = re.compile(r"(?:(At the end of|A new file|Instead of what is in) `([^`]+)`[^\n]*:\n\n)?```(\w+)\n(.*?)```", re.DOTALL)
_APART = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "LTI_AGS_TEST_DATABASE_NAME")


@dataclass(frozen=True)
class Block:
    """A block of a page: what is to be done with it, with which file, and its text."""

    how: str
    file: str
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        return self.text.splitlines() if self.language == "sh" else []


def blocks(page: str) -> list[Block]:
    """A page's blocks in order. A shown file says where it belongs; anything else is for the shell, or no part of the project."""
    return [Block(*found) for found in _BLOCK.findall(page)]


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5):
        return True
    return False


def wait_until(condition, what: str) -> None:
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, what
        pause.wait(0.1)


@dataclass
class Project:
    """A directory in which the documentation's reader works, with this checkout installed."""

    directory: Path
    servers: dict[str, subprocess.Popen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {name: value for name, value in os.environ.items() if name not in _APART} | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "no_proxy": "127.0.0.1",
        }

    def write(self, block: Block) -> None:
        """Do with a shown file as the page says."""
        path = self.directory / block.file
        if block.how == "At the end of":
            assert path.is_file(), f"{block.file} is not there yet"
            path.write_text(path.read_text() + "\n" + block.text)
            return
        assert path.is_file() is (block.how == "Instead of what is in"), block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)

    def run(self, command: str) -> str:
        """A command of the shell, to its end; what it printed."""
        done = subprocess.run(
            ["bash", "-euc", command], cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, command: str, url: str = "") -> None:
        """A command that goes on until the end; with ``url``, return when that answers."""
        with (self.directory / "servers.log").open("ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.directory,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.servers[command] = process
        if url:
            wait_until(lambda: process.poll() is not None or answers(url), f"{command} did not come up")
            assert process.poll() is None, self.logs()

    def logs(self) -> str:
        """What the servers printed."""
        return (self.directory / "servers.log").read_text()

    def stop(self, command: str) -> None:
        """End what :meth:`start` began; runserver has a child of its own."""
        process = self.servers.pop(command)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """End everything that was started."""
        for command in list(self.servers):
            self.stop(command)
