"""Worker processes that share an outbox: each is an engine of its own, as ``lti_ags_worker`` runs it.

``python -m benchmarks.workers`` is one of them: it gets ready, and then works through one line of its standard input after the
other (``go``), telling after each how many scores it delivered.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from django_lti_ags.sync.engine import Engine

if TYPE_CHECKING:
    from types import TracebackType


class Workers:
    """``many`` processes, started and warm."""

    def __init__(self, many: int, in_flight: int) -> None:
        environment = {**os.environ, "BENCH_IN_FLIGHT": str(in_flight)}
        command = [sys.executable, "-m", "benchmarks.workers"]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(many)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        for process in self._processes:
            process.communicate()

    def deliver(self) -> list[int]:
        """Have everything delivered that is due; how many scores each process took."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [int(process.stdout.readline()) for process in self._processes if process.stdout is not None]


def _work() -> None:
    engine = Engine()
    try:
        for _ in sys.stdin:
            print(engine.deliver_due().finished, flush=True)
    finally:
        engine.close()


if __name__ == "__main__":
    _work()
