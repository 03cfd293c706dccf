"""Forget a learner's live results. In them a learner is the number that Canvas has for the user, not the launch's ``sub``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from django_lti_ags.models import LiveAssessment, LiveResult, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.profiles.canvas_rest import USER_NOT_IN_COURSE
from django_lti_ags.sync.outbox_sql import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ASSESSMENTS = 200


def forget(registrations: Sequence[int], user_id: str, alias: str, *, dry_run: bool) -> Iterator[tuple[int, int]]:
    """Delete the results of a learner, or count them; some assessments at a time, how many there were, and how many were being sent."""
    rows = LiveAssessment.objects.using(alias).filter(context__deployment__registration__in=registrations).order_by("pk")
    last = 0
    while pks := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:_ASSESSMENTS]):
        last = pks[-1]
        yield _forget_in(pks, user_id, alias, dry_run=dry_run)


def _forget_in(pks: Sequence[int], user_id: str, alias: str, *, dry_run: bool) -> tuple[int, int]:
    with transaction.atomic(using=alias):
        mine = LiveResult.objects.using(alias).filter(assessment__in=pks, user_digest=digest(user_id))
        concerned = sorted(set(mine.values_list("assessment", flat=True)))
        # As everybody does who changes results: so no finish brings back what goes here.
        list(locked(LiveAssessment.objects.using(alias).filter(pk__in=concerned).order_by("pk")).only("pk"))
        found = mine.count()
        being_sent = mine.filter(in_doubt=True, state=SyncState.PENDING, assessment__state=SyncState.SENDING).count()
        if not dry_run:
            mine.delete()
            _settle(concerned, alias)
    return found, being_sent


def _settle(pks: Sequence[int], alias: str) -> None:
    """Where all that was set aside was theirs, nothing wants a person any more."""
    aside = LiveResult.objects.using(alias).filter(assessment__in=pks, state=SyncState.FAILED).values_list("assessment", flat=True)
    done = set(pks) - set(aside)
    resting = LiveAssessment.objects.using(alias).filter(pk__in=done, state=SyncState.FAILED, code=USER_NOT_IN_COURSE)
    resting.update(state=SyncState.DELIVERED, code="live_results_there", detail="")
