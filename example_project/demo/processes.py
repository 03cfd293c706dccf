"""Child processes that never outlive their parent.

Each child reads its standard input, a pipe that only the parent holds open: when the parent ends,
however it ends, the pipe closes and the child goes. No signal has to arrive for that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from example_project.demo.places import DemoFailed

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).resolve().parent.parent.parent
_END_SECONDS: Final = 12.0
_UP_SECONDS: Final = 60.0


class Interrupted(Exception):
    """Somebody wants the demo to stop before it has done its work."""


@dataclass
class Family:
    """The children, ended together."""

    directory: Path
    ports: dict[str, int]
    """The role that serves, and where."""
    stopping: threading.Event
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, role: str) -> None:
        """Start the process of a role."""
        # A session of its own, and until it has that, no ear for the terminal: Ctrl-C is for the parent, who ends everybody in good order.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        try:
            self.children[role] = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "django", "demo_process", role],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def run(self, role: str) -> None:
        """Run the process of a role to its end.

        Raises:
            DemoFailed: it failed.
            Interrupted: the demo is to stop; what began is ended with the others.
        """
        self.start(role)
        while (code := self.children[role].poll()) is None:
            self.pause(0.05)
        del self.children[role]
        if code != 0:
            raise DemoFailed(f"The {role} step failed with exit code {code}; what it said stands above.")

    def wait_until_up(self, role: str) -> None:
        """Wait until the process of a role has its port: that somebody answers there does not say that it is ours.

        Raises:
            DemoFailed: it did not in time, or a process ended.
            Interrupted: the demo is to stop.
        """
        deadline = time.monotonic() + _UP_SECONDS
        while not ready_mark(self.directory, role).exists():
            self.check()
            self.pause(0.05)
            if time.monotonic() > deadline:
                raise DemoFailed(f"The {role} was not there within {_UP_SECONDS:g} seconds.")

    def check(self) -> None:
        """Make sure that everybody is still there.

        Raises:
            DemoFailed: somebody ended.
            Interrupted: the demo is to stop.
        """
        self.pause(0)
        for role, child in self.children.items():
            if child.poll() is not None:
                raise DemoFailed(f"The {role} ended by itself with exit code {child.returncode}; what it said stands above.")

    def pause(self, seconds: float) -> None:
        """Let ``seconds`` go by.

        Raises:
            Interrupted: the demo is to stop.
        """
        if self.stopping.wait(seconds):
            raise Interrupted

    def end(self) -> None:
        """Let everybody go, the worker first; whoever does not is killed."""
        for child in reversed(self.children.values()):
            if child.stdin is not None:
                with contextlib.suppress(OSError):
                    child.stdin.close()
        deadline = time.monotonic() + _END_SECONDS
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.children.clear()

    def _environment(self) -> dict[str, str]:
        ports = {f"DEMO_{role.upper()}_PORT": str(port) for role, port in self.ports.items()}
        # The processes talk to each other; a proxy would not find them, or would be somebody else's machine.
        direct = ",".join(filter(None, (os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), "127.0.0.1,localhost")))
        fixed = {"DJANGO_SETTINGS_MODULE": "example_project.settings", "DEMO_DIRECTORY": str(self.directory)}
        return {**os.environ, **fixed, **ports, "no_proxy": direct, "NO_PROXY": direct}


def ready_mark(directory: Path, role: str) -> Path:
    """The file by which a child says that it has its port."""
    return directory / f"{role}.ready"


def end_with_parent(stop: Callable[[], None]) -> None:
    """Call ``stop`` when the parent is gone; for the child's main thread to call once."""

    def watch() -> None:
        # Not sys.stdin: a thread that holds its lock when the interpreter ends is a fatal error.
        while os.read(0, 1024):
            continue
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()
