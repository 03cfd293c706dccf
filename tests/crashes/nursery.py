"""Forks workers that are cheap to make and real to kill: one process loads Django, its children are the workers.

Run as a program it reads a JSON object per line from its input, starts a child for each, and answers
with the child's pid. When its input ends, so do its children.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent.parent
_WRITES = ("INSERT", "UPDATE", "DELETE")


class Nursery:
    """The parent's side."""

    def __init__(self, database: str, **lti_ags: Any) -> None:
        self.pids: set[int] = set()
        self._lock = threading.Lock()
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "LTI_AGS_TEST_DATABASE_NAME": database,
            "LTI_AGS_TEST_CHANGES": json.dumps(lti_ags),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes.nursery"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        for pid in list(self.pids):
            self.kill(pid)
        self._process.communicate()

    def start(self, do: str, **how: Any) -> int:
        """A child that runs :func:`worker` or :func:`one_pass`; its pid."""
        with self._lock:
            self._process.stdin.write(json.dumps({"do": do, **how}) + "\n")
            self._process.stdin.flush()
            pid = int(self._process.stdout.readline())
        self.pids.add(pid)
        return pid

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to a child that may be gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def kill(self, pid: int) -> None:
        """kill -9."""
        self.pids.discard(pid)
        self.signal(pid, signal.SIGKILL)

    def wait(self, pid: int, seconds: float = 60) -> None:
        """Until the child has ended."""
        until = time.monotonic() + seconds
        while is_there(pid):
            if time.monotonic() > until:
                self.kill(pid)
                raise TimeoutError(f"child {pid} did not end")
            threading.Event().wait(0.01)
        self.pids.discard(pid)


def is_there(pid: int) -> bool:
    """Whether the process lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def worker(how: dict[str, Any]) -> None:
    """A worker, until SIGTERM; ``port``: reach the database there."""
    from django.db import connection

    if "port" in how:
        connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": str(how["port"])}
    from django_lti_ags.sync.worker import Worker

    made = Worker()
    signal.signal(signal.SIGTERM, lambda *args: threading.Thread(target=made.stop).start())
    made.run()


def one_pass(how: dict[str, Any]) -> None:
    """One pass, killed before or after its ``write``-th write; without one it tells in the file ``tell`` how many there are."""
    from django.db import connection

    from django_lti_ags.sync.engine import deliver_due

    writes = 0

    def count(execute, sql, parameters, many, context):
        nonlocal writes
        if not sql.lstrip().upper().startswith(_WRITES):
            return execute(sql, parameters, many, context)
        writes += 1
        if how.get("write") == writes and how["when"] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = execute(sql, parameters, many, context)
        if how.get("write") == writes:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    with connection.execute_wrapper(count):
        deliver_due()
    if "tell" in how:
        Path(how["tell"]).write_text(str(writes))


def main() -> None:
    """The nursery's own loop."""
    import django
    from django.conf import settings

    django.setup()
    settings.LTI_AGS = settings.LTI_AGS | json.loads(os.environ["LTI_AGS_TEST_CHANGES"])
    from django_lti_ags.sync import engine  # noqa: F401 - loaded once, for all children

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the children are nobody's zombies
    children = []
    for line in sys.stdin:
        how = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(how)
        children.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _child(how: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(0)
    status = 1
    try:
        {"worker": worker, "pass": one_pass}[how["do"]](how)
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
