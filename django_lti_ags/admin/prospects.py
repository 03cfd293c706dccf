"""What happens to a score next, and why: the sentence that answers "where is this learner's grade?"."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timeuntil
from django.utils.translation import gettext

from django_lti_ags.admin.readonly import advice_for
from django_lti_ags.models import OPEN, RESTING, SyncState
from django_lti_ags.models.line_items import WANTED

if TYPE_CHECKING:
    from datetime import datetime

    from django_lti_ags.admin.concealing import Concealer
    from django_lti_ags.models import LiveAssessment, Score

_AT_ONCE: Final = timedelta(minutes=5)
"""A score that was due so long ago has no worker that takes it."""


class Prospect(NamedTuple):
    """What stands above a score, and what comes next."""

    obstacles: list[tuple[str, str]]
    """Why nothing is sent now, from the top down: what it is, and what a person can do."""
    next_step: str
    """When it is tried again, or why it is not."""


def prospect(score: Score, now: datetime, concealer: Concealer) -> Prospect:
    """As things stand at ``now``, the database's clock."""
    return Prospect(_obstacles(score, now, concealer) if score.state in (*OPEN, *RESTING) else [], next_step(score, now))


def waits_for(score: Score, now: datetime, concealer: Concealer) -> str:
    """The same in one field: the obstacles, else the next step; blank only for what is settled."""
    if score.state not in (*OPEN, *RESTING):
        return ""
    found = prospect(score, now, concealer)
    return " ".join(f"{what} {advice}".strip() for what, advice in found.obstacles) or found.next_step


def _obstacles(score: Score, now: datetime, concealer: Concealer) -> list[tuple[str, str]]:
    found = []
    registration, line_item, service = score.registration, score.line_item, score.service
    if registration.is_paused:
        told = gettext("Since %(time)s the registration %(name)s is paused.") % {
            "name": registration,
            "time": _time(registration.paused_at),
        }
        reason = concealer.text(registration.paused_reason)
        found.append((f"{told} {reason}".strip(), advice_for(registration.paused_code)))
    for row, told in (
        (line_item.context, gettext("Since %(time)s the course %(name)s is blocked: %(code)s.")),
        (line_item, gettext("Since %(time)s the line item %(name)s is blocked: %(code)s.")),
    ):
        if row.block_code:
            facts = {"name": row, "time": _time(row.blocked_at), "code": row.block_code}
            found.append((told % facts, advice_for(row.block_code)))
    if not line_item.url:
        found.append((gettext("The line item %(name)s is not at the platform yet.") % {"name": line_item}, _column_advice(line_item.code)))
    if score.state in OPEN and service.closed_until is not None:
        if service.closed_until > now:
            told = gettext("%(service)s does not answer as it should: it is asked again at %(time)s, in %(wait)s.")
        else:
            told = gettext("%(service)s does not answer as it should: it is asked again now, by one score first.")
        facts = {"service": str(service), "time": _time(service.closed_until), "wait": timeuntil(service.closed_until, now)}
        found.append((told % facts, advice_for(service.last_failure_code)))
    return found


def _column_advice(code: str) -> str:
    return advice_for(code) or advice_for(WANTED)


def next_step(score: Score | LiveAssessment, now: datetime) -> str:
    """When it is tried again, or why it is not."""
    if score.state in OPEN and score.due_at is not None:
        return _of_an_open_one(score, score.due_at, now)
    if score.state == SyncState.FAILED:
        return gettext("Nothing happens by itself any more: it goes out when somebody retries it, or when the tool records it again.")
    if score.state == SyncState.BLOCKED:
        return gettext("It rests until what blocks it is gone, somebody retries it, or the tool records it again.")
    if score.state == SyncState.CANCELLED:
        return gettext("Nothing: a person decided that it is not sent. Recording it again brings it back.")
    if score.state == SyncState.SUPERSEDED:
        return gettext("Nothing: the platform shows another grade, and that one stays. Recording the score again replaces it.")
    return gettext("Nothing: the platform has it.")


def _of_an_open_one(score: Score | LiveAssessment, due_at: datetime, now: datetime) -> str:
    facts = {"time": _time(due_at), "wait": timeuntil(due_at, now)}
    if score.state == SyncState.SENDING:
        if due_at > now:
            return gettext("A worker is sending it. If that worker dies, another one takes over at %(time)s, in %(wait)s.") % facts
        return gettext("The worker that was sending it has not come back. The next one asks the platform what it holds, then goes on.")
    if score.registration.is_paused:
        return gettext("Nothing until the registration is resumed.")
    if due_at > now:
        return gettext("It is due at %(time)s, in %(wait)s.") % facts
    if now - due_at > _AT_ONCE:
        return gettext("Since %(time)s it has been due. Is a worker running?") % facts
    return gettext("It is due now: the next free worker takes it.")


def _time(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else ""
