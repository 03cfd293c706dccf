"""The demo: one command, and launches turn into grades."""

import signal
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from example_project.demo.check import check
from example_project.demo.places import DemoFailed, free_port, new_directory, remove_leftovers
from example_project.demo.processes import Family, Interrupted
from example_project.demo.stopping import stop_on_signal, stop_with_starter

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
        stopping = stop_on_signal()
        stop_with_starter(stopping)
        try:
            self._run(options, stopping)
        except DemoFailed as problem:
            raise CommandError(str(problem)) from None
        except Interrupted:
            if options["check"]:  # neither agreed nor differed
                raise CommandError("Interrupted.", returncode=130) from None
            self.stdout.write("Everything is stopped.")
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)

    def _run(self, options: dict[str, Any], stopping: threading.Event) -> None:
        tool_port = free_port(options["tool_port"], "--tool-port")
        lms_port = free_port(options["lms_port"], "--lms-port")
        if tool_port == lms_port:
            raise DemoFailed(f"The tool and the LMS cannot both have port {tool_port}. Choose another one: --lms-port {tool_port + 1}")
        remove_leftovers()
        with new_directory() as directory:
            family = Family(Path(directory), {"lms": lms_port, "tool": tool_port}, stopping)
            try:
                family.run("setup")
                family.start("lms")
                family.wait_until_up("lms")  # first, alone: of two demos that want the same ports, one gets both
                family.start("tool")
                family.start("worker")
                family.wait_until_up("tool")
                self._live(family, checking=options["check"])
            finally:
                family.end()

    def _live(self, family: Family, *, checking: bool) -> None:
        tool_url, lms_url = (f"http://127.0.0.1:{family.ports[role]}" for role in ("tool", "lms"))
        if checking:
            self.stdout.write(check(lms_url, family.stopping))
            return
        self.stdout.write(
            f"\n  The LMS      {lms_url}/   log in as a student, open the quiz, hand it in; then look at the gradebook"
            f"\n  The tool     {tool_url}/"
            f"\n  Its admin    {tool_url}/admin/   name {ADMIN}, password {ADMIN}"
            f"\n\n  Ctrl-C stops everything.\n"
        )
        sys.stdout.flush()
        while True:
            family.pause(0.3)
            family.check()
