"""How a declared column comes to be at the platform: the wire's half, without a database.

Always searched for before it is made, so that one made by an earlier try, by another deployment of
the tool, or with a copy of the course is found again (AGS 2.0, 3.2.4). What is found more than once
is reported, not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.ags.types import LineItem as WireLineItem
from django_lti_ags.ags.urls import check_url
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, MissingScope, NotStarted
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict, ambiguous, rejected
from django_lti_ags.sync.jobs import NOT_STARTED, Job

if TYPE_CHECKING:
    from django_lti_ags.ags.client import Client

_LATE_SECONDS: Final = 30.0
"""A creation that had no clear answer may still be under way: so long is waited before the column is searched for."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItemJob(Job):
    """One claimed column."""

    container_url: str
    wanted: WireLineItem


def talk(job: LineItemJob, client: Client) -> tuple[Verdict, bool]:
    """Find the column, or make it; the verdict, and False: no question is left open that a Result could settle."""
    return _find(job, client) or _make(job, client), False


def _find(job: LineItemJob, client: Client) -> Verdict | None:
    """None: it is not there."""
    told_apart_by = {"resource_link_id": job.wanted.resource_link_id, "resource_id": job.wanted.resource_id, "tag": job.wanted.tag}
    filters: dict[str, Any] = {name: value for name, value in told_apart_by.items() if value}
    try:
        listed = client.list_line_items(job.container_url, **filters, start_by=job.start_by)
    except NotStarted:
        return NOT_STARTED
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
        return NOT_STARTED
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
