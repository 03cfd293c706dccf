"""How a declared column comes to be at the platform: the wire's half, without a database.

Always searched for before it is made, so that one made by an earlier try, by another deployment of
the tool, or with a copy of the course is found again (AGS 2.0, 3.2.4). What is found more than once
is reported, not guessed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags.types import LineItem as WireLineItem
from django_lti_ags.ags.urls import check_url
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, MissingScope, NotStarted
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict, ambiguous, rejected
from django_lti_ags.sync.outbox import Outcome, skew_of

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import datetime

    from django_lti_ags.ags.client import Client
    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.tokens import Credentials
    from django_lti_ags.profiles.base import Profile
    from django_lti_ags.sync.clients import Clients

logger = logging.getLogger(__name__)

_NOT_STARTED: Final = Verdict(code="not_started", disposition=Disposition.RETRY, reach=Reach.SERVICE)
_LATE_SECONDS: Final = 30.0
"""A creation that had no clear answer may still be under way: so long is waited before the column is searched for."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItemJob:
    """One claimed column with everything that finding or making it needs."""

    line_item_id: int
    lease_token: uuid.UUID
    version: int
    wire_timestamp: datetime
    service_id: int
    context_id: int
    registration_id: int
    container_url: str
    scopes: tuple[str, ...]
    credentials: Credentials | None
    profile: Profile
    wanted: WireLineItem
    withheld: Verdict | None = None
    start_by: float = 0.0
    probe: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def send(job: LineItemJob, clients: Clients) -> Outcome:
    """Find the column, or make it; raises nothing."""
    if job.withheld is not None or job.credentials is None:
        return outcome_of(job, job.withheld or _NOT_STARTED)
    exchanges: list[Exchange] = []
    try:
        client = clients.client(job.credentials, job.scopes, exchanges.append, job.profile)
        verdict = _find(job, client) or _make(job, client)
    except Exception:
        told = {"row_id": job.line_item_id, "service_id": job.service_id}
        logger.exception("Making line item %s failed inside the worker", job.line_item_id, extra=told)
        verdict = Verdict(code="internal_error", disposition=Disposition.RETRY)
    return outcome_of(job, verdict, tuple(exchanges))


def not_started(job: LineItemJob) -> Outcome:
    """The outcome of a job that no thread took up."""
    return outcome_of(job, _NOT_STARTED)


def outcome_of(job: LineItemJob, verdict: Verdict, exchanges: Sequence[Exchange] = ()) -> Outcome:
    """``verdict`` as the outcome of ``job``."""
    return Outcome(
        pk=job.line_item_id,
        lease_token=job.lease_token,
        version=job.version,
        wire_timestamp=job.wire_timestamp,
        service_id=job.service_id,
        verdict=verdict,
        exchanges=exchanges,
        clock_skew_seconds=skew_of(exchanges),
        facts={
            **job.facts,
            "line_item_id": job.line_item_id,
            "context_id": job.context_id,
            "registration_id": job.registration_id,
            "probe": job.probe,
        },
    )


def _find(job: LineItemJob, client: Client) -> Verdict | None:
    """None: it is not there."""
    told_apart_by = {"resource_link_id": job.wanted.resource_link_id, "resource_id": job.wanted.resource_id, "tag": job.wanted.tag}
    filters: dict[str, Any] = {name: value for name, value in told_apart_by.items() if value}
    try:
        listed = client.list_line_items(job.container_url, **filters, start_by=job.start_by)
    except NotStarted:
        return _NOT_STARTED
    except MissingScope as problem:
        return rejected("missing_line_item_scope", str(problem), Reach.LINE_ITEM)
    except InvalidAnswer as failed:
        return Verdict(code="line_items_unreadable", disposition=Disposition.RETRY, detail=failed.problem)
    except ExchangeFailed as failed:
        return _about_the_container(job.profile.judge(failed.exchange))
    # Some platforms pass over a filter that they do not know; and without a tag is another column than with one.
    found = [item for item in listed if all((getattr(item, name) or "") == (value or "") for name, value in told_apart_by.items())]
    if not found:
        return None
    if len(found) > 1:
        shown = ", ".join(str(item.id) for item in found[:_SHOWN])
        return rejected("line_item_ambiguous", f"{len(found)} columns match: {shown}", Reach.LINE_ITEM)
    return _taken(job, found[0], "line_item_found")


def _make(job: LineItemJob, client: Client) -> Verdict:
    if SCOPE_LINE_ITEM not in job.scopes:
        return rejected("missing_line_item_scope", f"Granted: {', '.join(job.scopes)}.", Reach.LINE_ITEM)
    try:
        made = client.create_line_item(job.container_url, job.wanted, start_by=job.start_by)
    except NotStarted:
        return _NOT_STARTED
    except InvalidAnswer as failed:
        return _later(ambiguous("line_items_unreadable", failed.problem))
    except ExchangeFailed as failed:
        verdict = _about_the_container(job.profile.judge(failed.exchange))
        return _later(verdict) if verdict.disposition is Disposition.AMBIGUOUS else verdict
    return _taken(job, made, "line_item_made")


def _taken(job: LineItemJob, item: WireLineItem, code: str) -> Verdict:
    try:
        check_url(item.id or "")
    except ValueError as problem:
        return _later(ambiguous("line_items_unreadable", f"The column's id cannot be used: {problem}"))
    job.facts["item"] = item
    return Verdict(code=code, disposition=Disposition.DELIVERED)


def _later(verdict: Verdict) -> Verdict:
    return replace(verdict, retry_after_seconds=max(_LATE_SECONDS, verdict.retry_after_seconds or 0.0))


def _about_the_container(verdict: Verdict) -> Verdict:
    """A refusal by the container concerns this column; in a score's words it would mislead."""
    if verdict.disposition is Disposition.REJECTED and verdict.reach in (Reach.SCORE, Reach.LINE_ITEM):
        return rejected("line_item_refused", verdict.detail, Reach.LINE_ITEM)
    return verdict
