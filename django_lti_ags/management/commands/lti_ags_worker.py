"""The delivery worker."""

import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from django_lti_ags.sync.engine import Report
from django_lti_ags.sync.worker import Worker


class Command(BaseCommand):
    """``manage.py lti_ags_worker``."""

    help = "Deliver scores until SIGTERM or SIGINT; then let what is in flight end. Several workers share the work."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        worker = Worker(on_pass=self._tell)

        def stop(signum: int, frame: FrameType | None) -> None:
            # In a thread: the signal may have come while the main one holds the lock of what is to be set.
            threading.Thread(target=worker.stop).start()

        previous = {name: signal.signal(name, stop) for name in (signal.SIGTERM, signal.SIGINT)}
        self.stdout.write("Delivering. Stop with SIGTERM or Ctrl-C.")
        try:
            worker.run()
        finally:
            for name, handler in previous.items():
                signal.signal(name, handler)
        self.stdout.write("Stopped.")

    def _tell(self, report: Report) -> None:
        if report.finished:
            told = ", ".join(f"{count} {code}" for code, count in sorted(report.codes.items()))
            self.stdout.write(f"{report.finished} finished: {told}")
