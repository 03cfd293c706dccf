"""Where a demo lives: two ports, and a directory that goes when it ends, or when the next one begins."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Final

_MARK: Final = "lti-ags-demo"
_HIGHEST_PORT: Final = 65535


class DemoFailed(Exception):
    """The demo cannot go on; the message says why, and what to do."""


def free_port(port: int, option: str) -> int:
    """``port``, if it is free; 0 chooses one.

    Raises:
        DemoFailed: it is taken, or no port.
    """
    if not 0 <= port <= _HIGHEST_PORT:
        raise DemoFailed(f"{port} is no port: {option} takes a number from 1 to {_HIGHEST_PORT}, or 0 for any that is free.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            raise DemoFailed(unusable(port, option, problem)) from None
        return int(probe.getsockname()[1])


def unusable(port: int, option: str, problem: OSError) -> str:
    """What to tell of a port that could not be bound."""
    perhaps = " Perhaps another demo runs there." if problem.errno == errno.EADDRINUSE else ""
    another = port + 10 if 1024 <= port <= _HIGHEST_PORT - 10 else 8010
    return f"Port {port} on 127.0.0.1 cannot be used ({problem.strerror}).{perhaps} Choose another one: {option} {another}"


def new_directory() -> tempfile.TemporaryDirectory[str]:
    """A temporary directory, whose name says whose it is."""
    return tempfile.TemporaryDirectory(prefix=f"{_owner()}-{os.getpid()}-")


def remove_leftovers() -> None:
    """Remove the directories of demos that were killed: only this machine's and this user's, whose process is gone."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_MARK}-*"):
        owner, _, process = directory.name.rpartition("-")[0].rpartition("-")
        if owner == _owner() and process.isdecimal() and not _lives(int(process)) and not directory.is_symlink():
            shutil.rmtree(directory, ignore_errors=True)


def _owner() -> str:
    # Containers may share a temporary directory, but not their process numbers.
    return f"{_MARK}-{platform.node()}-{os.getuid()}"


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
