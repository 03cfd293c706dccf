"""How delivery stands: for people, for probes, for programs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django_lti_ags.durations import spoken
from django_lti_ags.management.given import span_seconds
from django_lti_ags.management.registered import HOW, registered
from django_lti_ags.management.telling import FOUND, TellingCommand
from django_lti_ags.models import Registration, Service, WebhookEndpoint
from django_lti_ags.sync import webhook_report
from django_lti_ags.sync.live_report import LiveStanding, standing
from django_lti_ags.sync.report import Condition, ServiceReport, SyncReport, measure
from django_lti_ags.sync.webhook_report import WebhookStanding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_HEADINGS = ("platform", "condition", "waiting", "due", "sending", "blocked", "failed", "24 h", "oldest", "median", "95 %")
_COUNTS = ("waiting", "due", "sending", "blocked", "failed", "delivered")
_LEFT = 2
"""The first columns hold words, and are set to the left."""


class Command(TellingCommand):
    """``manage.py lti_ags_status``."""

    help = (
        "Show how delivery stands at every platform, the worst first: what waits, what rests, how old the oldest due score is, how "
        "long deliveries take, what is paused and why. It only reads, and stays quick whatever the tables hold."
    )
    examples = """
examples:
  manage.py lti_ags_status
      a table, for people
  manage.py lti_ags_status --fail-if-oldest 15m --fail-if-paused
      for a probe: exit code 3 if a score has been due for more than 15 minutes, or a registration is paused
  */5 * * * *  manage.py lti_ags_status --fail-if-oldest 1h > /tmp/grades || mail -s "Grades are late" ops < /tmp/grades
      from cron
  manage.py lti_ags_status --json --registration "Campus North"
      one registration, for programs; a count of counted_to + 1 stands for "more"

Scores of paused registrations do not count as late: --fail-if-paused tells of them. The table is printed either way.
exit codes: 0 all is well; 1 it could not be found out; 2 wrong arguments; 3 a threshold is passed
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to look at, and when to complain."""
        super().add_arguments(parser)
        parser.add_argument("--registration", metavar="NAME", help=f"Only this one: its {HOW}.")
        parser.add_argument(
            "--fail-if-oldest", metavar="AGE", type=span_seconds, help="Exit with 3 if a score has been due for longer: 90s, 15m, 2h, 1d."
        )
        parser.add_argument("--fail-if-paused", action="store_true", help="Exit with 3 if a registration is paused.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, tell, complain."""
        named = options["registration"]
        chosen = None if named is None else registered(named)
        services = Service.objects.all() if chosen is None else Service.objects.filter(registration=chosen)
        measured = measure(services)
        registrations = Registration.objects.all() if chosen is None else Registration.objects.filter(pk=chosen.pk)
        problems = list(_problems(measured, list(registrations.exclude(paused_at=None)), options))
        live = standing([one.service_id for one in measured.services])
        endpoints = WebhookEndpoint.objects.all()
        hooks = webhook_report.standing(endpoints if chosen is None else endpoints.filter(api_key__registrations=chosen))
        self._tell(measured)
        for one in measured.services:
            if one.service_id in live:
                counts = live[one.service_id]
                self.tell(
                    f"  {one.registration}, {one.service}: live assessments: {counts.waiting} waiting, {counts.resting} failed or blocked"
                )
        for endpoint in hooks:
            self.tell(f"  {_of_webhook(endpoint)}")
        for problem in problems:
            self.tell(f"! {problem}")
        webhooks = [{name: _plain(value) for name, value in asdict(one).items()} for one in hooks]
        self.answer({**_as_data(measured, live), "webhooks": webhooks, "problems": problems})
        if problems:
            sys.exit(FOUND)

    def _tell(self, measured: SyncReport) -> None:
        if not measured.services:
            self.tell("Nothing can be sent yet: no launch has said where. Register a platform (lti_ags_register), then launch the tool.")
            return
        for line in _table([_HEADINGS, *(_cells(one, measured) for one in measured.services)]):
            self.tell(line)
        for one in measured.services:
            if one.condition is not Condition.WELL:
                self.tell(f"  {one.registration}: {_why(one)}")
        if measured.worker_is_silent:
            self.tell("! Scores are due, and no worker seems to run: start lti_ags_worker.")


def _problems(measured: SyncReport, paused: Sequence[Registration], options: dict[str, Any]) -> Iterator[str]:
    oldest, allowed = measured.oldest_due_seconds, options["fail_if_oldest"]
    if allowed is not None and oldest is not None and oldest > allowed:
        yield f"A score has been due for {spoken(oldest)}, more than {spoken(allowed)}."
    if options["fail_if_paused"]:
        for registration in paused:
            yield f"{registration} is paused: {registration.paused_reason or registration.paused_code}"


def _cells(one: ServiceReport, measured: SyncReport) -> tuple[str, ...]:
    counts = [getattr(one, name) for name in _COUNTS]
    shown = [f"{measured.counted_to}+" if count > measured.counted_to else str(count) for count in counts]
    spans = [one.oldest_due_seconds, one.p50_seconds, one.p95_seconds]
    name = f"{one.registration}, {one.service}"
    return (name, one.condition.name.lower(), *shown, *("-" if span is None else spoken(span) for span in spans))


def _of_webhook(one: WebhookStanding) -> str:
    why = ""
    if one.disabled_at:
        why = f"; disabled since {_at(one.disabled_at)}"
    elif one.failing_since:
        why = f"; failing since {_at(one.failing_since)} ({one.last_failure_code})"
    counts = f"{webhook_report.shown(one.waiting)} waiting, {webhook_report.shown(one.resting)} failed or blocked"
    return f"{one.api_key}, webhook at {one.host}: {counts}{why}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[position]) for row in rows) for position in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if position < _LEFT else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _why(one: ServiceReport) -> str:
    if one.paused_at:
        return f"paused since {_at(one.paused_at)}: {one.paused_reason or one.paused_code}"
    if one.closed_until and one.failing_since:
        return f"failing since {_at(one.failing_since)} ({one.last_failure_code}); next probe {_at(one.closed_until)}"
    if one.closed_until:
        return f"nothing is sent before {_at(one.closed_until)} ({one.last_failure_code})"
    if one.failing_since:
        return f"failing since {_at(one.failing_since)} ({one.last_failure_code})"
    return f"throttled: {max(1, int(one.concurrency or 1))} at once"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _as_data(measured: SyncReport, live: Mapping[int, LiveStanding]) -> dict[str, Any]:
    services = [
        asdict(one) | {"condition": one.condition.name.lower(), "live_assessments": asdict(live.get(one.service_id, LiveStanding()))}
        for one in measured.services
    ]
    return {
        "at": measured.at.isoformat(),
        "counted_to": measured.counted_to,
        "sampled_at": measured.sampled_at and measured.sampled_at.isoformat(),
        "worker_is_silent": measured.worker_is_silent,
        "oldest_due_seconds": measured.oldest_due_seconds,
        "services": [{name: _plain(value) for name, value in one.items()} for one in services],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
