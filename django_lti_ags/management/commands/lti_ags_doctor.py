"""Examine registrations: what keeps grades from being delivered, and who can change it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from django_lti_ags.doctor import Finding, Side, Status, examine
from django_lti_ags.management.given import check_place
from django_lti_ags.management.registered import HOW, registered
from django_lti_ags.management.telling import FOUND, TellingCommand
from django_lti_ags.models import Registration

_SIDES = {Side.TOOL: "in this tool", Side.PLATFORM: "at the platform, by its administrator"}


class Command(TellingCommand):
    """``manage.py lti_ags_doctor``."""

    help = (
        "Examine a registration over the real wire: keys and key sets, audience, token, scopes, clocks, a column, its results, and what is "
        "stored for Canvas' REST API. It writes no grade, at the platform or here. Each failure says what to change, and on which side."
    )
    examples = """examples:
  manage.py lti_ags_doctor Campus
  manage.py lti_ags_doctor https://lms.example/10000000000042 --tool-url https://tool.example/lti
  manage.py lti_ags_doctor --all --json

Exit code 3: something keeps grades from being delivered."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, and what is known of the tool."""
        super().add_arguments(parser)
        parser.add_argument("registration", nargs="?", metavar="REGISTRATION", help=f"Its {HOW}.")
        parser.add_argument("--all", action="store_true", help="Every registration, one after the other.")
        parser.add_argument(
            "--tool-url", default="", help="Where the tool's LTI addresses are, as platforms see them; its key set is fetched."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine, and tell."""
        rows = _chosen(options["registration"], every=options["all"])
        if options["tool_url"]:
            try:
                check_place(options["tool_url"])
            except ValueError as problem:
                raise CommandError(f"--tool-url: {problem}.") from None
        answers, failed = [], 0
        for row in rows:
            findings = self._examined(row, options["tool_url"])
            failed += any(finding.status is Status.FAIL for finding in findings)
            answers.append({"registration": row.pk, "name": str(row), "findings": [finding.as_dict() for finding in findings]})
        self.tell(f"{len(rows)} examined, {failed} with failures.")
        self.answer({"registrations": answers, "failed": failed})
        if failed:
            raise SystemExit(FOUND)

    def _examined(self, row: Registration, tool_url: str) -> list[Finding]:
        self.tell(f"{row}: {row.issuer}, client_id {row.client_id}")
        findings = []
        self.progress("asking …")
        for finding in examine(row, tool_url=tool_url):
            findings.append(finding)
            self.tell(f"  {finding.status.upper():8}{finding.check:18}{finding.seen}")
            if finding.todo and finding.side:
                self.tell(f"{'':28}→ {finding.todo} ({_SIDES[finding.side]})")
            self.progress(f"after {finding.check} …")
        self.tell("")
        return findings


def _chosen(given: str | None, *, every: bool) -> list[Registration]:
    if (given is None) != every:
        raise CommandError("Name one registration, or choose --all.")
    rows = Registration.objects.select_related("signing_key")
    found = list(rows.order_by("pk")) if given is None else [rows.get(pk=registered(given).pk)]
    if not found:
        raise CommandError("There is no registration yet. Add one: manage.py lti_ags_register")
    return found
