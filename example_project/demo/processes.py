"""Child processes that never outlive their parent.

Each child reads its standard input, a pipe that only the parent holds open: when the parent ends,
however it ends, the pipe closes and the child goes. No signal has to arrive for that.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT: Final = Path(__file__).resolve().parent.parent.parent
_END_SECONDS: Final = 12.0


class DemoFailed(Exception):
    """The demo cannot go on; the message says why, and what to do."""


@dataclass
class Family:
    """The children, ended together."""

    environment: Mapping[str, str]
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, role: str) -> None:
        """Start the process of a role."""
        # A session of its own: Ctrl-C reaches the parent only, who ends everybody in good order.
        self.children[role] = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "django", "demo_process", role],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, role: str) -> None:
        """Run the process of a role to its end.

        Raises:
            DemoFailed: it failed.
        """
        self.start(role)
        code = self.children.pop(role).wait()
        if code != 0:
            raise DemoFailed(f"The {role} step failed with exit code {code}; what it said stands above.")

    def check(self) -> None:
        """Make sure that everybody is still there.

        Raises:
            DemoFailed: somebody ended.
        """
        for role, child in self.children.items():
            if child.poll() is not None:
                raise DemoFailed(f"The {role} ended by itself with exit code {child.returncode}; what it said stands above.")

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


def end_with_parent(stop: Callable[[], None]) -> None:
    """Call ``stop`` when the parent is gone; for the child's main thread to call once."""

    def watch() -> None:
        while sys.stdin.buffer.read(1024):
            continue
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def free_port(port: int, option: str) -> int:
    """``port``, if it is free; 0 chooses one.

    Raises:
        DemoFailed: it is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as problem:
            raise DemoFailed(
                f"Port {port} on 127.0.0.1 cannot be used ({problem}). Perhaps an earlier demo still runs there. "
                f"Choose another one: {option} {port % 60000 + 10}"
            ) from None
        return int(probe.getsockname()[1])


def wait_until_up(url: str, family: Family, stopping: threading.Event, seconds: float = 60.0) -> None:
    """Wait until ``url`` answers.

    Raises:
        DemoFailed: it did not in time, or a process ended.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not stopping.is_set():
        family.check()
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own process
                return
        except (urllib.error.URLError, OSError):
            stopping.wait(0.1)
    if not stopping.is_set():
        raise DemoFailed(f"{url} did not answer within {seconds:g} seconds.")
