"""The worker: the engine in a loop, until it is told to stop."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from django.db import InterfaceError, OperationalError, connections

from django_lti_ags import conf
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.sync.engine import Report

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS: Final = 30.0


class Worker:
    """Delivers until :meth:`stop`; outlives a database that goes away for a while. Samples how it goes, in between."""

    def __init__(self, engine: Engine | None = None, *, on_pass: Callable[[Report], None] | None = None) -> None:
        self._engine = engine or Engine(between=Sampler())
        self._stopping = threading.Event()
        self._on_pass = on_pass

    def stop(self) -> None:
        """Let what is in flight end, hand the rest back, and return from :meth:`run`. Safe from a signal handler."""
        self._stopping.set()
        self._engine.stop()

    def run(self) -> None:
        """Deliver, look again every ``LTI_AGS["POLL_SECONDS"]``, until told to stop."""
        alias: str = conf.get("database")
        pause = poll = float(conf.get("poll_seconds"))
        try:
            while True:
                try:
                    report = self._engine.deliver_due()
                except (OperationalError, InterfaceError) as problem:
                    logger.warning("The database is not there (%s); looking again in %.1f s", type(problem).__name__, pause)
                    connections[alias].close()
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                except Exception:
                    # Whatever it is, other scores wait: the leases run out, and the log says why.
                    logger.exception("A pass failed; looking again in %.1f s", pause)
                    connections[alias].close()
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                else:
                    pause = poll
                    if self._on_pass is not None:
                        self._on_pass(report)
                if self._stopping.wait(pause):
                    return
        finally:
            self._engine.close()
