"""How live assessment results are sent: the database's half.

What goes on the wire is marked as in doubt before it does; a finish takes that back from all that it knows of. So whatever
breaks off in between, and whatever is recorded meanwhile, the next claim finds what Canvas must be asked about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django_lti_ags import conf
from django_lti_ags.canvas import LiveAssessment as WireAssessment
from django_lti_ags.canvas import LiveAssessmentResult as WireResult
from django_lti_ags.exceptions import EncryptionError, InvalidCanvasArgument, NoCanvasCredential
from django_lti_ags.models import LiveAssessment, LiveResult, SyncState
from django_lti_ags.profiles.canvas_rest import USER_NOT_IN_COURSE
from django_lti_ags.profiles.verdict import Disposition, Verdict, rejected
from django_lti_ags.sync import announcing, live_delivery
from django_lti_ags.sync.attempts import clean_text
from django_lti_ags.sync.canvas_clients import client_for
from django_lti_ags.sync.deliveries import Delivery
from django_lti_ags.sync.jobs import shared_terms
from django_lti_ags.sync.live_delivery import LiveJob, Progress
from django_lti_ags.sync.outbox_sql import upsert_by_pk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.canvas import Client
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.outbox import Outcome

BATCH: Final = 50
"""So many results go in one request at most."""
_WRITTEN: Final = ("state", "in_doubt", "canvas_id", "code", "detail", "delivered_at")


class LiveDelivery(Delivery[LiveAssessment]):
    """The delivery of live assessments and their results."""

    fields: ClassVar = ("canvas_id", "declared_at", "delivered_at", "aged_from")

    def rows(self) -> QuerySet[LiveAssessment]:
        """All assessments."""
        return LiveAssessment.objects.using(conf.get("database"))

    def client(self, job: LiveJob) -> Client:
        """Canvas' REST API, with what is stored for the registration."""
        if job.connected is None:
            raise ValueError(f"Live assessment {job.pk} has nothing that it could be sent with.")
        return job.connected

    def talk(self, job: LiveJob, client: Client) -> tuple[Verdict, bool]:
        """Declare it, ask about what is in doubt, and send the rest."""
        return live_delivery.talk(job, client)

    def prepare(self, rows: Sequence[LiveAssessment], profile: Profile, *, start_by: float, probe: bool) -> list[LiveJob]:
        """Claimed assessments of one service as jobs, each with a batch that is in doubt from now on."""
        placed = self.rows().select_related("context__deployment__registration").in_bulk([row.pk for row in rows])
        # An assessment may have been deleted since, and its results with it.
        return [self._job(placed[row.pk], row, profile, start_by, probe=probe) for row in rows if row.pk in placed]

    def _job(self, placed: LiveAssessment, row: LiveAssessment, profile: Profile, start_by: float, *, probe: bool) -> LiveJob:
        alias = self.rows().db
        batch = _batch(row, alias)
        exchanges: list[Exchange] = []
        terms = shared_terms(row, placed.context, profile, start_by=start_by, probe=probe) | self._connection(placed, exchanges, start_by)
        try:
            results = {one.pk: WireResult(user=one.user_id, passed=one.passed, assessed_at=one.assessed_at) for one in batch}
        except InvalidCanvasArgument as problem:
            # Somebody wrote the row past the public API. It must not stop the worker.
            results, terms["withheld"] = {}, rejected("live_results_refused", str(problem))
        job = LiveJob(
            **terms,
            exchanges=exchanges,
            service_id=row.service_id,
            course_id=row.course_id,
            assessment=_assessment(row),
            results=results,
            known=_known(row, batch, alias),
            progress=Progress(doubtful={one.pk for one in batch if one.in_doubt}, arrived={}, refused=set()),
            facts={"title": row.title, "outcome_id": row.outcome_id},
        )
        job.facts["progress"], job.facts["batch"] = job.progress, [one.pk for one in batch]
        if job.withheld is None:
            _results(row, alias).filter(pk__in=job.results, state=SyncState.PENDING).update(in_doubt=True)
        return job

    def _connection(self, placed: LiveAssessment, exchanges: list[Exchange], start_by: float) -> dict[str, Any]:
        registration = placed.context.deployment.registration
        try:
            client = client_for(registration, clients=self.clients, observe=exchanges.append, start_by=start_by)
        except NoCanvasCredential:
            return {"connected": None, "withheld": Verdict(code="canvas_credential_missing", disposition=Disposition.WITHHELD)}
        except (EncryptionError, InvalidCanvasArgument) as problem:
            unusable = Verdict(code="canvas_credential_unusable", disposition=Disposition.WITHHELD, detail=str(problem))
            return {"connected": None, "withheld": unusable}
        return {"connected": client}

    def look_up(self, outcomes: Sequence[Outcome], alias: str) -> tuple[None, set[UUID]]:
        """Nothing: no block stands above an assessment."""
        return None, set()

    def amend(self, row: LiveAssessment, outcome: Outcome, now: datetime, known: None) -> None:
        """Write what became of the batch, and go on with the next one."""
        progress: Progress = outcome.facts["progress"]
        _note_declared(row, outcome, now)
        results = list(_results(row, self.rows().db).filter(pk__in=outcome.facts["batch"], state=SyncState.PENDING).order_by("pk"))
        for result in results:
            _note(result, progress, outcome.verdict.detail, now)
        if results:
            upsert_by_pk(LiveResult.objects.using(self.rows().db), results, fields=_WRITTEN)
        if progress.arrived:
            row.delivered_at = now
        row.unsettled = bool(progress.doubtful)
        if outcome.verdict.disposition is Disposition.DELIVERED or outcome.verdict.code == USER_NOT_IN_COURSE:
            self._go_on(row, now)

    def _go_on(self, row: LiveAssessment, now: datetime) -> None:
        """Send what else waits; where nothing does, rest by what was set aside."""
        states = set(_results(row, self.rows().db).exclude(state__in=_DONE).order_by().values_list("state", flat=True).distinct())
        if SyncState.PENDING in states or row.declared_at is None:
            row.state, row.due_at, row.aged_from, row.tries = SyncState.PENDING, now, now, 0
            row.code = row.detail = ""
        elif SyncState.FAILED in states:
            row.state, row.due_at = SyncState.FAILED, None
            row.code = USER_NOT_IN_COURSE
        else:
            row.state, row.due_at = SyncState.DELIVERED, None

    def conclude(self, rows: Sequence[LiveAssessment], outcomes: Sequence[Outcome], now: datetime, alias: str) -> None:
        """Tell of what came to rest."""
        announcing.tell_live(rows, now, alias)


_DONE: Final = (SyncState.DELIVERED, SyncState.CANCELLED)


def _results(row: LiveAssessment, alias: str) -> QuerySet[LiveResult]:
    return LiveResult.objects.using(alias).filter(assessment=row.pk)


def _batch(row: LiveAssessment, alias: str) -> list[LiveResult]:
    """What is in doubt, and nothing else; otherwise the oldest that wait."""
    waiting = _results(row, alias).filter(state=SyncState.PENDING).order_by("pk")
    return list(waiting.filter(in_doubt=True)) or list(waiting[:BATCH])


def _known(row: LiveAssessment, batch: Sequence[LiveResult], alias: str) -> frozenset[str]:
    users = {one.user_digest for one in batch if one.in_doubt}
    if not users:
        return frozenset()
    there = _results(row, alias).filter(user_digest__in=users, state=SyncState.DELIVERED)
    return frozenset(there.values_list("canvas_id", flat=True))


def _assessment(row: LiveAssessment) -> WireAssessment:
    told = row.canvas_id if row.declared_at is not None else ""
    return WireAssessment(key=row.key, title=row.title, outcome=row.outcome_id or None, id=told)


def _note_declared(row: LiveAssessment, outcome: Outcome, now: datetime) -> None:
    declared = outcome.facts.get("declared")
    if declared is None:
        return
    row.canvas_id = clean_text(declared)
    # It may have been declared anew meanwhile.
    same = (row.title, row.outcome_id) == (outcome.facts["title"], outcome.facts["outcome_id"])
    row.declared_at = now if declared and same else None


def _note(result: LiveResult, progress: Progress, detail: str, now: datetime) -> None:
    result.in_doubt = result.pk in progress.doubtful
    if result.pk in progress.arrived:
        result.state, result.delivered_at = SyncState.DELIVERED, now
        result.canvas_id = clean_text(progress.arrived[result.pk])
    elif result.pk in progress.refused:
        result.state, result.code, result.detail = SyncState.FAILED, USER_NOT_IN_COURSE, detail
