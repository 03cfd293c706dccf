"""One pass of delivery, for cron."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_lti_ags.sync.engine import deliver_due


class Command(BaseCommand):
    """``manage.py lti_ags_deliver``."""

    help = "Send every score that is due now, then end. Where a worker runs, this is not needed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How much, and for how long."""
        parser.add_argument("--limit", type=int, help="Send at most so many scores.")
        parser.add_argument("--seconds", type=float, help="Start nothing new after so many seconds.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver, and say what came of it."""
        for name in ("limit", "seconds"):
            if options[name] is not None and options[name] <= 0:
                raise CommandError(f"--{name} must be above zero, not {options[name]}.")
        report = deliver_due(options["limit"], options["seconds"])
        told = ", ".join(f"{count} {code}" for code, count in sorted(report.codes.items()))
        self.stdout.write(f"{report.finished} finished{': ' + told if told else ''}")
