"""Compare columns with what their platforms show."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import CommandError

from django_lti_ags import results
from django_lti_ags.exceptions import LtiAgsError, NoLineItem
from django_lti_ags.management import choosing
from django_lti_ags.management.telling import FOUND, TellingCommand
from django_lti_ags.models import Agreement, LineItem
from django_lti_ags.results import Policy, Reconciliation
from django_lti_ags.sync.resending import MOST_TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

_ORDER = list(Agreement)
_PORTION: Final = 100


class Command(TellingCommand):
    """``manage.py lti_ags_reconcile``."""

    help = (
        "Read what the platform shows in some columns, and compare it with the tool's scores. Without --policy resend nothing is sent. "
        "Exit code 0: all is in order, but for teachers' own changes; 3: something is missing or differs; 1: a column could not be read."
    )
    examples = """\
examples:
  manage.py lti_ags_reconcile --registration Campus
      how every column of a platform stands
  manage.py lti_ags_reconcile --line-item 0b0c… --policy resend --dry-run
      how many scores of a column would be sent again
  manage.py lti_ags_reconcile --context 8d1f… --policy resend
      send again what is missing or differs in a course; what a teacher changed stays
  manage.py lti_ags_reconcile --line-item 0b0c… --policy resend --overwrite-teachers
      also what a teacher changed
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, and what then."""
        super().add_arguments(parser)
        choosing.add_place_arguments(parser)
        parser.add_argument(
            "--policy",
            choices=[policy.value for policy in Policy],
            default=Policy.REPORT.value,
            help="report (the default) only tells; resend makes due what is missing or differs.",
        )
        parser.add_argument("--dry-run", action="store_true", help="With resend: tell what would be sent again, and send nothing.")
        parser.add_argument("--overwrite-teachers", action="store_true", help="With resend: also what a teacher changed.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare one column after the other; one that cannot be read does not stop the others."""
        if options["overwrite_teachers"] and options["policy"] != Policy.RESEND:
            raise CommandError("--overwrite-teachers belongs to --policy resend.")
        line_items = choosing.line_items(options)
        total = line_items.count()
        if not total:
            raise CommandError("There is no such column: what you chose does not go together.")
        found: list[Reconciliation] = []
        failed: list[tuple[LineItem, str]] = []
        skipped = 0
        for position, line_item in enumerate(_one_by_one(line_items), 1):
            try:
                found.append(self._reconcile(line_item, f"{position}/{total} {line_item}", options))
            except NoLineItem as problem:
                skipped += 1
                self.tell(f"{line_item.uid}  {line_item}: skipped. {problem}")
            except LtiAgsError as problem:
                failed.append((line_item, str(problem)))
                self.tell(f"{line_item.uid}  {line_item}: not compared. {problem}")
            else:
                self.tell(_line(found[-1]))
        if skipped == total:
            raise CommandError("Nothing was compared: none of these columns has been made at the platform yet.")
        self._sum_up(found, failed, skipped)

    def _reconcile(self, line_item: LineItem, where: str, options: dict[str, Any]) -> Reconciliation:
        return results.reconcile(
            line_item,
            policy=options["policy"],
            dry_run=options["dry_run"],
            overwrite_teachers=options["overwrite_teachers"],
            progress=lambda read: self.progress(f"{where}: {read} learners read"),
        )

    def _sum_up(self, found: list[Reconciliation], failed: list[tuple[LineItem, str]], skipped: int) -> None:
        counts: Counter[Agreement] = Counter()
        for one in found:
            counts.update(one.counts)
        self.tell(f"{len(found)} compared: {_told(counts)}.")
        self.answer(
            {
                "line_items": [_json(one) for one in found],
                "failed": [{"line_item": str(line_item.uid), "label": str(line_item), "problem": problem} for line_item, problem in failed],
                "skipped": skipped,
                "counts": {agreement.value: counts[agreement] for agreement in _ORDER if counts[agreement]},
            }
        )
        if failed:
            raise CommandError(f"{len(failed)} of {len(found) + len(failed)} columns could not be read.")
        if not all(one.is_in_order for one in found):
            sys.exit(FOUND)


def _one_by_one(line_items: QuerySet[LineItem]) -> Iterator[LineItem]:
    """In portions, each read to its end: SQLite lets nobody write beside a half-read answer once somebody else has written."""
    last = 0
    while some := list(line_items.filter(pk__gt=last)[:_PORTION]):
        yield from some
        last = some[-1].pk


def _line(one: Reconciliation) -> str:
    line = f"{one.line_item.uid}  {one.line_item}: {_told(one.counts)}"
    if one.policy is Policy.RESEND:
        line += f"; {one.chosen} would be sent again" if one.dry_run else f"; {one.resent} sent again"
    if one.submissions_refused:
        line += f"; {one.submissions_refused} of the failed are delivered, and only an earlier submission was refused"
    if one.spent:
        line += f"; {one.spent} left alone: sent again {MOST_TIMES} times since they were recorded, and still not shown"
    return line + "."


def _told(counts: Any) -> str:
    return ", ".join(f"{counts[agreement]} {agreement.label.lower()}" for agreement in _ORDER if counts.get(agreement)) or "no learners"


def _json(one: Reconciliation) -> dict[str, Any]:
    return {
        "line_item": str(one.line_item.uid),
        "label": str(one.line_item),
        "policy": one.policy.value,
        "dry_run": one.dry_run,
        "read": one.read,
        "counts": {agreement.value: one.counts[agreement] for agreement in _ORDER if one.counts.get(agreement)},
        "would_resend": one.chosen,
        "resent": one.resent,
        "left_alone": one.spent,
        "submissions_refused": one.submissions_refused,
        "in_order": one.is_in_order,
        "compared_at": one.compared_at.isoformat(),
    }
