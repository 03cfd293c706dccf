"""Blocks and pauses: a refusal that concerns more than one score is stored where it belongs, and lifted from there.

Locks are always taken from the top down (registration, context, line item, scores). What the engine
blocks or finds made passes over rows that somebody else holds; what a person or a launch lifts waits for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import F, Q

from django_lti_ags import conf, signals
from django_lti_ags.models import RESTING, Context, Event, LineItem, LiveAssessment, Registration, Score, SyncState
from django_lti_ags.models.line_items import WANTED
from django_lti_ags.sync.announcing import after_commit
from django_lti_ags.sync.outbox_sql import database_now, locked, portions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from django_lti_ags.profiles.verdict import Verdict


GONE: Final = "line_item_gone"
_OWN_RESTS: Final = (WANTED, "likely_delivered", "would_erase")
"""Codes of scores that rest for a reason of their own, not under a block."""


def block(blocked: QuerySet[LineItem] | QuerySet[Context], verdict: Verdict, now: datetime) -> bool:
    """Store the block on ``blocked``, a line item or a context, unless it carries one; False: somebody else has it locked just now."""
    row = locked(blocked, skip=True).first()
    if row is None:
        return not blocked.exists()
    if not row.block_code:
        row.block_code, row.blocked_at = verdict.code, now
        row.save(using=blocked.db, update_fields=["block_code", "blocked_at"])
    return True


def hold(scores: QuerySet[Score], verdict: Verdict) -> int:
    """Let the waiting ones of ``scores`` rest under a block that was just stored."""
    due = Q(state=SyncState.PENDING) | Q(state=SyncState.BLOCKED, code=WANTED)
    waiting = [row.pk for row in locked(scores.filter(due).only("pk"), skip=True)]
    resting = {"state": SyncState.BLOCKED, "due_at": None, "code": verdict.code, "detail": verdict.detail}
    return sum(scores.filter(pk__in=pks).update(**resting) for pks in portions(waiting))


def lift(line_items: QuerySet[LineItem], *, code: str | None = None) -> int:
    """Lift the blocks of ``line_items`` and of their contexts (only those with ``code``, if given); re-queue what rested under them."""
    alias = line_items.db
    wanted = Q() if code is None else Q(block_code=code)
    with transaction.atomic(using=alias):
        pks = list(line_items.values_list("pk", flat=True))
        contexts = Context.objects.using(alias).filter(line_items__in=pks)
        context_pks = sorted(set(contexts.filter(wanted).exclude(block_code="").values_list("pk", flat=True)))
        codes = {row.block_code for row in locked(Context.objects.using(alias).filter(pk__in=context_pks).order_by("pk"))}
        Context.objects.using(alias).filter(pk__in=context_pks).update(block_code="", blocked_at=None)
        below = LineItem.objects.using(alias).filter(Q(pk__in=pks) | Q(context__in=context_pks))
        own = list(locked(below.filter(wanted).exclude(block_code="").order_by("pk")))
        codes |= {row.block_code for row in own}
        LineItem.objects.using(alias).filter(pk__in=[row.pk for row in own]).update(block_code="", blocked_at=None)
        _look_again([row for row in own if row.block_code == GONE and row.declared_digest], alias)
        want_again(below)
        scores = Score.objects.using(alias).filter(line_item__in=below, state=SyncState.BLOCKED)
        # Two refusals at once leave one block: what rests under the other goes with it.
        return requeue_all(scores.filter(code__in=codes) if code is not None else scores.exclude(code__in=_OWN_RESTS))


def lock_columns(scores: QuerySet[Score]) -> None:
    """Lock the line items of ``scores``: who changes many scores of a column does it alone."""
    pks = sorted(set(scores.order_by().values_list("line_item", flat=True)))
    for some in portions(pks):
        list(locked(LineItem.objects.using(scores.db).filter(pk__in=some).order_by("pk").only("pk")))


def _look_again(gone: Sequence[LineItem], alias: str) -> None:
    """A declared column that is gone from the platform is looked for, or made, anew: no launch will bring its URL."""
    wanted = {"url": "", "url_digest": None, "opened_at": None, "state": SyncState.BLOCKED, "due_at": None}
    LineItem.objects.using(alias).filter(pk__in=[row.pk for row in gone]).update(**wanted)


def want_again(line_items: QuerySet[LineItem]) -> int:
    """Look for, or make, those of ``line_items`` that rest without being at the platform."""
    now = database_now(line_items.db)
    resting = line_items.filter(url="", state__in=RESTING)
    return resting.update(state=SyncState.PENDING, due_at=now, tries=0, code="", detail="", aged_from=now)


def arrived(line_item_id: int, alias: str) -> bool:
    """Send what waited for a column to be made; False: a recorder holds some of it, which must be looked for again."""
    waiting = Score.objects.using(alias).filter(line_item=line_item_id, state=SyncState.BLOCKED, code=WANTED)
    with transaction.atomic(using=alias):
        free = [row.pk for row in locked(waiting.order_by("user_digest").only("pk"), skip=True)]
        return _make_due(portions(free), alias) == len(free) and not waiting.exists()


def requeue_all(scores: QuerySet[Score]) -> int:
    """Make every resting one of ``scores`` due now; returns how many."""
    return _make_due(in_order(scores), scores.db)


def _make_due(some: Sequence[Sequence[int]], alias: str) -> int:
    now = database_now(alias)
    fresh = {"state": SyncState.PENDING, "due_at": now, "tries": 0, "code": "", "detail": "", "aged_from": now}
    return sum(Score.objects.using(alias).filter(pk__in=pks).update(**fresh) for pks in some)


def in_order(scores: QuerySet[Score]) -> list[Sequence[int]]:
    """The pks of ``scores``, locked as recorders lock them, in portions that any database takes as parameters.

    Their columns first: InnoDB locks rows in the order of whatever index it chooses, so the scores alone would deadlock.
    """
    lock_columns(scores)
    ordered = locked(scores.order_by("line_item", "user_digest"))
    return portions([row.pk for row in ordered.only("pk")])


def pause(registration_id: int, verdict: Verdict, now: datetime, alias: str) -> bool:
    """Stop sending for a registration, unless it is stopped already; returns whether this call did it."""
    running = Registration.objects.using(alias).filter(pk=registration_id, paused_at=None)
    paused = running.update(paused_at=now, paused_code=verdict.code, paused_reason=verdict.detail) == 1
    if paused:
        payload = {"registration": registration_id, "detail": verdict.detail}
        told = {"registration_id": registration_id, "code": verdict.code, "payload": payload, "created_at": now}
        Event.objects.using(alias).create(name="registration_paused", **told)
    return paused


def resume(registration: Registration) -> bool:
    """Send for a registration again; what waited is due now, and the pause does not count as its age."""
    alias: str = conf.get("database")
    with transaction.atomic(using=alias):
        row = locked(Registration.objects.using(alias).filter(pk=registration.pk)).get()
        if row.paused_at is None:
            return False
        now = database_now(alias)
        waiting = Score.objects.using(alias).filter(service__in=row.services.using(alias), state=SyncState.PENDING)
        for pks in in_order(waiting):
            some = waiting.filter(pk__in=pks)
            some.filter(aged_from__lt=row.paused_at).update(aged_from=F("aged_from") + (now - row.paused_at))
            some.filter(recorded_at__gte=row.paused_at).update(aged_from=now)
        for model in (LineItem, LiveAssessment):
            others = model.objects.using(alias).filter(service__in=row.services.using(alias), state=SyncState.PENDING)
            others.filter(aged_from__lte=row.paused_at).update(aged_from=F("aged_from") + (now - row.paused_at))
        payload = {"registration": row.pk, "paused_code": row.paused_code}
        told = {"registration": row, "code": row.paused_code, "payload": payload, "created_at": now}
        Event.objects.using(alias).create(name="registration_resumed", **told)
        after_commit(alias, signals.registration_resumed, registration_id=row.pk, code=row.paused_code)
        row.paused_at, row.paused_code, row.paused_reason = None, "", ""
        row.save(using=alias, update_fields=["paused_at", "paused_code", "paused_reason"])
    return True
