"""The demo: one command, and launches turn into grades."""

import os
import signal
import sys
import tempfile
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from example_project.demo.check import check
from example_project.demo.processes import DemoFailed, Family, free_port, wait_until_up

ADMIN = "admin"


class Command(BaseCommand):
    """``manage.py demo``."""

    help = "Run the example tool, a simulated LMS and the delivery worker, until Ctrl-C."
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, and whether a person looks."""
        parser.add_argument("--tool-port", type=int, default=8000, help="The tool's port (default 8000; 0: any free one).")
        parser.add_argument("--lms-port", type=int, default=8001, help="The LMS' port (default 8001; 0: any free one).")
        parser.add_argument("--check", action="store_true", help="Let every student go all the way, compare the gradebook, and end.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run everything, and end everything."""
        stopping = _stop_on_signal()
        self.starter = os.getppid()
        try:
            self._run(options, stopping)
        except DemoFailed as problem:
            raise CommandError(str(problem)) from None
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    def _run(self, options: dict[str, Any], stopping: threading.Event) -> None:
        tool_port = free_port(options["tool_port"], "--tool-port")
        lms_port = free_port(options["lms_port"], "--lms-port")
        if tool_port == lms_port:
            raise DemoFailed(f"The tool and the LMS cannot both have port {tool_port}. Choose another one: --lms-port {tool_port + 1}")
        with tempfile.TemporaryDirectory(prefix="lti-ags-demo-") as directory:
            environment = {
                "DJANGO_SETTINGS_MODULE": "example_project.settings",
                "DEMO_DIRECTORY": directory,
                "DEMO_TOOL_PORT": str(tool_port),
                "DEMO_LMS_PORT": str(lms_port),
            }
            family = Family(environment)
            try:
                self._live(family, tool_port, lms_port, stopping, checking=options["check"])
            finally:
                family.end()
        if not options["check"]:
            self.stdout.write("Everything is stopped.")

    def _live(self, family: Family, tool_port: int, lms_port: int, stopping: threading.Event, *, checking: bool) -> None:
        tool_url, lms_url = f"http://127.0.0.1:{tool_port}", f"http://127.0.0.1:{lms_port}"
        family.run("setup")
        for role in ("lms", "tool", "worker"):
            family.start(role)
        wait_until_up(f"{lms_url}/", family, stopping)
        wait_until_up(f"{tool_url}/lti/jwks.json", family, stopping)
        if checking:
            self.stdout.write(check(lms_url, stopping))
            return
        self.stdout.write(
            f"\n  The LMS      {lms_url}/   log in as a student, open the quiz, hand it in; then look at the gradebook"
            f"\n  The tool     {tool_url}/"
            f"\n  Its admin    {tool_url}/admin/   name {ADMIN}, password {ADMIN}"
            f"\n\n  Ctrl-C stops everything.\n"
        )
        sys.stdout.flush()
        while not stopping.wait(0.3) and os.getppid() == self.starter:
            family.check()  # and the loop ends when whoever started the demo is gone


def _stop_on_signal() -> threading.Event:
    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        # A second Ctrl-C changes nothing: everybody is being ended already.
        stopping.set()

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
    return stopping
