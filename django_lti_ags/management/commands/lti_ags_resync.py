"""Send scores again, or ask about their files again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import CommandError
from django.db.models import Count

from django_lti_ags import scores
from django_lti_ags.management import choosing
from django_lti_ags.management.telling import TellingCommand
from django_lti_ags.models import DECIDABLE, RESTING, Score, SyncState
from django_lti_ags.sync.file_rows import with_files_to_follow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

_ARRIVED: Final = (SyncState.DELIVERED, SyncState.SUPERSEDED)
_BATCH: Final = 500


class Command(TellingCommand):
    """``manage.py lti_ags_resync``."""

    help = (
        "Send scores again: those that failed or are blocked, and with --delivered also those that the platform has accepted. "
        "It counts first, and asks on a terminal. All that is given must hold."
    )
    examples = """\
examples:
  manage.py lti_ags_resync --registration Campus --code score_refused --dry-run
      how many scores the platform refused
  manage.py lti_ags_resync --context 8d1f… --yes
      send what rests in a course, without asking
  manage.py lti_ags_resync --registration Campus --delivered --since 3d
      after the platform was restored from a backup of three days ago: it is asked about each score, and sent what it lost
  manage.py lti_ags_resync --registration Campus --files
      after Canvas granted the scope for files: it is asked about those that nobody could ask about
"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, and how."""
        super().add_arguments(parser)
        choosing.add_score_arguments(parser, (*DECIDABLE, *_ARRIVED))
        parser.add_argument(
            "--delivered",
            action="store_true",
            help="Also what was delivered: the platform is asked about each, and sent what it does not show; what a teacher changed stays.",
        )
        parser.add_argument(
            "--overwrite-teachers", action="store_true", help="With --delivered: ask nothing, and send over whatever the platform shows."
        )
        parser.add_argument(
            "--files",
            action="store_true",
            help="Send nothing: ask the platform again about files of these scores that failed, or that nobody could ask about.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Count, and send nothing.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, ask, send."""
        _check(options)
        chosen = _chosen(options)
        counts = dict(chosen.order_by().values_list("state").annotate(Count("pk")))
        total = sum(counts.values())
        told = ", ".join(f"{counts[state]} {state.label.lower()}" for state in SyncState if counts.get(state))
        self.tell(f"{total} {'score' if total == 1 else 'scores'}{': ' + told if told else ''}.")
        due = {"retried": 0, "sent_again": 0, "files_followed": 0}
        dry = bool(options["dry_run"])
        question = f"Ask about the files of {total} again?" if options["files"] else f"Send {total} again?"
        if total and not dry and not self.agreed(question, options):
            self.tell("Nothing was sent.")
            dry = True
        if total and not dry and options["files"]:
            due["files_followed"] = self._follow(chosen, total)
            files = due["files_followed"]
            self.tell(f"The platform is asked again about {files} {'file' if files == 1 else 'files'}.")
        elif total and not dry:
            due |= self._send(chosen, total, options)
            self.tell(f"{sum(due.values())} are due now.{_left(total - sum(due.values()), options)}")
        self.answer({"chosen": total, "states": counts, "dry_run": dry, **due})

    def _follow(self, chosen: QuerySet[Score], total: int) -> int:
        files = done = 0
        for some in _batches(chosen):
            pks = [pk for part in some for pk in part]
            files += scores.follow_files(Score.objects.filter(pk__in=pks))
            done += len(pks)
            self.progress(f"{done}/{total}")
        return files

    def _send(self, chosen: QuerySet[Score], total: int, options: dict[str, Any]) -> dict[str, int]:
        due = {"retried": 0, "sent_again": 0}
        done = 0
        for arrived, others in _batches(chosen):
            if arrived:
                rows = Score.objects.filter(pk__in=arrived)
                due["sent_again"] += scores.send_again(rows, overwrite_teachers=options["overwrite_teachers"])
            if others:
                due["retried"] += scores.retry(Score.objects.filter(pk__in=others))
            done += len(arrived) + len(others)
            self.progress(f"{done}/{total}")
        return due


def _check(options: dict[str, Any]) -> None:
    if options["overwrite_teachers"] and not options["delivered"]:
        raise CommandError("--overwrite-teachers belongs to --delivered.")
    if options["files"] and options["delivered"]:
        raise CommandError("--files sends nothing: leave --delivered out.")
    for state in _ARRIVED:
        if state in options["state"] and not options["files"] and not options["delivered"]:
            raise CommandError(f"--state {state.value} needs --delivered: the platform has accepted those scores.")


def _chosen(options: dict[str, Any]) -> QuerySet[Score]:
    rows = choosing.scores(options)
    if options["files"]:
        return rows.filter(with_files_to_follow())
    if options["state"]:
        return rows
    return rows.filter(state__in=[*RESTING, *((SyncState.DELIVERED,) if options["delivered"] else ())])


def _batches(chosen: QuerySet[Score]) -> Iterator[tuple[list[int], list[int]]]:
    """The chosen ones' keys, those that have arrived and the others; in steps that go on behind the last, since what was
    sent may be chosen again."""
    last = 0
    while some := list(chosen.filter(pk__gt=last).order_by("pk").values_list("pk", "state")[:_BATCH]):
        yield [pk for pk, state in some if state in _ARRIVED], [pk for pk, state in some if state not in _ARRIVED]
        last = some[-1][0]


def _left(left: int, options: dict[str, Any]) -> str:
    if not left:
        return ""
    why = "they changed meanwhile"
    if options["delivered"] and not options["overwrite_teachers"]:
        why += ", or the tool may not read the platform's results, so that nobody can ask (--overwrite-teachers sends them all the same)"
    return f" {left} stay as they are: {why}."
