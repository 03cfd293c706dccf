"""Send live assessments' results again, or take them back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db.models import Count, Q

from django_lti_ags import live_assessments
from django_lti_ags.management import choosing
from django_lti_ags.management.telling import TellingCommand
from django_lti_ags.models import DECIDABLE, RESTING, LiveAssessment, SyncState
from django_lti_ags.profiles.advice import ADVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet

_BATCH: Final = 200
_SHOWN: Final = 20
_WAITING: Final = Count("results", filter=Q(results__state=SyncState.PENDING))
_ASIDE: Final = Count("results", filter=Q(results__state=SyncState.FAILED))


class Command(TellingCommand):
    """``manage.py lti_ags_canvas_live``."""

    help = (
        "Send the results of Canvas' live assessments again: of those that failed or are blocked, with what was set aside. Canvas is asked "
        "about each that may have arrived, so none counts twice. It shows them first, and asks on a terminal. All that is given must hold."
    )
    examples = """\
examples:
  manage.py lti_ags_canvas_live --registration Campus --dry-run
      which assessments rest, and why
  manage.py lti_ags_canvas_live --code canvas_token_refused --yes
      after a new credential was stored: send what waited for it, without asking
  manage.py lti_ags_canvas_live --assessment 8d1f… --cancel "They left the course"
      take back what was set aside, and what still waits
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, and what to do with them."""
        super().add_arguments(parser)
        choosing.add_live_arguments(parser, DECIDABLE)
        parser.add_argument("--cancel", metavar="REASON", help="Do not send them: take back what Canvas does not have. The reason is kept.")
        parser.add_argument("--dry-run", action="store_true", help="Show them, and change nothing.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show, ask, act."""
        reason = options["cancel"]
        if reason is not None and not reason.strip():
            raise CommandError("--cancel: say why; it is what the next person reads.")
        chosen = _chosen(options)
        total = chosen.count()
        self.tell(f"{total} {'live assessment' if total == 1 else 'live assessments'}.")
        shown = list(_counted(chosen[:_SHOWN]))
        for row in shown:
            self.tell(
                f"  {row['uid']}  {row['title']}: {row['state']} ({row['code'] or '-'}), {row['waiting']} waiting, {row['aside']} set aside"
            )
        if total > _SHOWN:
            self.tell(f"  … and {total - _SHOWN} more")
        for code in sorted({row["code"] for row in shown if row["code"] in ADVICE}):
            self.tell(f"  {code}: {ADVICE[code]}")
        done = 0 if options["dry_run"] or not total else self._act(chosen, total, options)
        self.answer({"chosen": total, "assessments": shown, "dry_run": options["dry_run"], "cancelled" if reason else "due": done})

    def _act(self, chosen: QuerySet[LiveAssessment], total: int, options: dict[str, Any]) -> int:
        reason = options["cancel"]
        if not self.agreed(f"{'Take back' if reason else 'Send'} {total}{'' if reason else ' again'}?", options):
            self.tell("Nothing was changed.")
            return 0
        done = 0
        for rows in _batches(chosen):
            done += _decided(rows, reason)
            self.progress(f"{done}/{total}")
        left = f" {total - done} stay as they are: they changed meanwhile." if done < total else ""
        self.tell(f"{done} {'are taken back' if reason else 'are due now'}.{left}")
        return done


def _decided(rows: Sequence[LiveAssessment], reason: str | None) -> int:
    if reason is None:
        return live_assessments.retry(rows)
    try:
        return live_assessments.cancel(rows, reason=reason)
    except ValidationError as problem:
        raise CommandError(f"--cancel: {'; '.join(problem.messages)}") from problem


def _chosen(options: dict[str, Any]) -> QuerySet[LiveAssessment]:
    rows = choosing.live_assessments(options)
    return rows if options["state"] else rows.filter(state__in=RESTING)


def _counted(rows: QuerySet[LiveAssessment]) -> Iterator[dict[str, Any]]:
    counted = LiveAssessment.objects.filter(pk__in=[row.pk for row in rows]).annotate(waiting=_WAITING, aside=_ASIDE).order_by("pk")
    for row in counted:
        yield {
            "uid": str(row.uid),
            "title": row.title,
            "key": row.key,
            "course_id": row.course_id,
            "state": row.state,
            "code": row.code,
            "detail": row.detail,
            "waiting": row.waiting,
            "aside": row.aside,
        }


def _batches(chosen: QuerySet[LiveAssessment]) -> Iterator[list[LiveAssessment]]:
    last = 0
    while some := list(chosen.filter(pk__gt=last)[:_BATCH]):
        last = some[-1].pk
        yield some
