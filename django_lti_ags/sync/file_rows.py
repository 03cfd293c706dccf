"""How far a platform is with a file that was handed in: the database's half."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from django_lti_ags import conf
from django_lti_ags.canvas.progress import SCOPE
from django_lti_ags.models import RESTING, Event, SubmittedFile, SyncState
from django_lti_ags.profiles.verdict import rejected
from django_lti_ags.sync import file_delivery
from django_lti_ags.sync.deliveries import Delivery
from django_lti_ags.sync.file_delivery import FileJob
from django_lti_ags.sync.jobs import ags_terms
from django_lti_ags.sync.outbox_sql import database_now, insert_many, insert_or_lock, locked, portions
from django_lti_ags.sync.recording import wake_on_commit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from django_lti_ags.ags.client import Client
    from django_lti_ags.canvas.progress import FileReceipt
    from django_lti_ags.models import Score
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.profiles.verdict import Verdict
    from django_lti_ags.sync.outbox import Outcome

_FIRST_LOOK: Final = timedelta(seconds=5)
"""A file takes the platform a while."""
_NOWHERE: Final = ("progress_elsewhere", "progress_lost")
"""Codes of files about which nobody can be asked, ever."""
FOLLOWABLE: Final = Q(state__in=RESTING) & ~Q(code__in=_NOWHERE)
"""The files about which the platform can be asked again."""
_ENDS: Final = ("gave_up", "server_error_persists")
_TOLD: Final = {SyncState.DELIVERED: "file_arrived", SyncState.FAILED: "file_failed"}
"""State → the name of the event."""


class FileDelivery(Delivery[SubmittedFile]):
    """The following of files."""

    fields: ClassVar = ("completion",)

    def rows(self) -> QuerySet[SubmittedFile]:
        """All files."""
        return SubmittedFile.objects.using(conf.get("database"))

    def talk(self, job: FileJob, client: Client) -> tuple[Verdict, bool]:
        """Ask how far it is."""
        return file_delivery.talk(job, client)

    def prepare(self, rows: Sequence[SubmittedFile], profile: Profile, *, start_by: float, probe: bool) -> list[FileJob]:
        """Claimed files of one service as jobs, with what their columns say now."""
        above = "score__line_item__context__deployment__registration__signing_key"
        placed = self.rows().select_related(above).in_bulk([row.pk for row in rows])
        return [_job(placed[row.pk], row, profile, start_by, probe=probe) for row in rows if row.pk in placed]

    def look_up(self, outcomes: Sequence[Outcome], alias: str) -> tuple[None, set[UUID]]:
        """Nothing above a file matters to it."""
        return None, set()

    def amend(self, row: SubmittedFile, outcome: Outcome, now: datetime, known: None) -> None:
        """Keep how far it is; say in a file's words that nobody asks any more."""
        row.completion = outcome.facts.get("completion", row.completion)
        if row.state == SyncState.FAILED and row.code in _ENDS:
            row.code = "file_given_up"

    def conclude(self, rows: Sequence[SubmittedFile], outcomes: Sequence[Outcome], now: datetime, alias: str) -> None:
        """Tell of what came to an end."""
        told = [_event(row, now) for row in rows if row.state in _TOLD]
        insert_many(Event.objects.using(alias), told)


def _job(placed: SubmittedFile, row: SubmittedFile, profile: Profile, start_by: float, *, probe: bool) -> FileJob:
    line_item = placed.score.line_item
    terms = ags_terms(row, line_item.context, profile, start_by=start_by, probe=probe)
    return FileJob(
        **terms,
        service_id=row.service_id,
        line_item_id=line_item.pk,
        scopes=tuple(line_item.scopes),
        url=row.url,
    )


def _event(row: SubmittedFile, now: datetime) -> Event:
    return Event(
        name=_TOLD[SyncState(row.state)],
        score_id=row.score_id,
        service_id=row.service_id,
        code=row.code,
        payload={"url": row.file_url},
        created_at=now,
    )


def follow(told: Iterable[tuple[Score, Outcome]], now: datetime, alias: str) -> None:
    """Begin to follow the files of scores that were accepted just now; their rows are locked."""
    found = [_file(score, receipt, outcome, now) for score, outcome in told for receipt in outcome.facts.get("files", ())]
    files = list({(row.score_id, row.url_digest): row for row in found}.values())  # one statement takes no row twice
    if files:
        _find_lost(files, alias)
        insert_or_lock(SubmittedFile.objects.using(alias), files, unique=("score", "url_digest"))
        insert_many(Event.objects.using(alias), [_event(row, now) for row in files if row.state in _TOLD])


def _find_lost(files: Sequence[SubmittedFile], alias: str) -> None:
    """Let go of "its answer was lost" where a later answer told of the same file."""
    named = [row for row in files if row.url]
    if named:
        lost = SubmittedFile.objects.using(alias).filter(score__in={row.score_id for row in named}, url="")
        lost.filter(url_digest__in={SubmittedFile.digest_of("", row.file_url) for row in named}).delete()


def _file(score: Score, receipt: FileReceipt, outcome: Outcome, now: datetime) -> SubmittedFile:
    unusable = _why_not(receipt, outcome.facts["scopes"])
    return SubmittedFile(
        score=score,
        service_id=score.service_id,
        url=receipt.progress_url,
        url_digest=SubmittedFile.digest_of(receipt.progress_url, receipt.url),
        file_url=receipt.url,
        title=receipt.title,
        created_at=now,
        state=SyncState.FAILED if unusable else SyncState.PENDING,
        due_at=None if unusable else now + _FIRST_LOOK,
        code=unusable.code if unusable else "",
        detail=unusable.detail if unusable else "",
        aged_from=now,
    )


def _why_not(receipt: FileReceipt, scopes: Sequence[str]) -> Verdict | None:
    """Why nobody can ask about it; None: the platform can be asked."""
    if not receipt.progress_url:
        return rejected("progress_lost", "")
    if receipt.is_elsewhere:
        return rejected("progress_elsewhere", receipt.progress_url)
    if SCOPE not in scopes:
        return rejected("missing_progress_scope", f"Granted: {', '.join(scopes) or 'nothing'}.")
    return None


def with_files_to_follow() -> Exists:
    """The condition on scores that :func:`follow_again` would do something for them."""
    # On the database of the scores that are asked for, not on the one that was configured when this was built.
    return Exists(QuerySet(SubmittedFile).filter(FOLLOWABLE, score=OuterRef("pk")))


def follow_again(scores: QuerySet[Score]) -> int:
    """Ask again about the files of ``scores`` that nobody asks about any more; returns how many are due."""
    alias = scores.db
    with transaction.atomic(using=alias):
        resting = SubmittedFile.objects.using(alias).filter(FOLLOWABLE, score__in=scores)
        mine = [row.pk for row in locked(resting.order_by("pk").only("pk"))]
        now = database_now(alias)
        again: dict[str, Any] = {"state": SyncState.PENDING, "due_at": now, "tries": 0, "code": "", "detail": "", "aged_from": now}
        wake_on_commit(alias)
        return sum(SubmittedFile.objects.using(alias).filter(pk__in=pks).update(**again) for pks in portions(mine))
