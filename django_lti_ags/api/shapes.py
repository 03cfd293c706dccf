"""What a client is told: LTIAAS' shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_lti_ags import conf
from django_lti_ags.ags.types import wire_number, wire_time
from django_lti_ags.ags.urls import results_url, with_query
from django_lti_ags.models import Score
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.settling import Held, margin_of, shows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from django_lti_ags.ags.types import LineItem as WireLineItem
    from django_lti_ags.ags.types import Result as WireResult
    from django_lti_ags.models import LineItem
    from django_lti_ags.profiles.base import Profile


def line_item(item: WireLineItem) -> dict[str, Any]:
    """A line item. What the platform calls null is left out: AGS 2.0 gives it no meaning there, and LTIAAS' fields are texts or absent."""
    return {name: value for name, value in item.as_shown().items() if value is not None}


def line_items(items: Sequence[WireLineItem], others: Mapping[str, str]) -> dict[str, Any]:
    """``{"lineItems", "next"?, "prev"?, "first"?, "last"?}``."""
    return {"lineItems": [line_item(item) for item in items], **others}


def scores(row: LineItem, results: Sequence[WireResult], others: Mapping[str, str], profile: Profile, now: datetime) -> dict[str, Any]:
    """``{"scores", "next"?, …}`` of a page of results.

    AGS results have no time, and LTIAAS wants one: when our score was sent that the platform shows, or else when it was read.
    """
    wanted = [digest(result.user_id) for result in results]
    rows = Score.objects.using(conf.get("database")).filter(line_item=row, user_digest__in=wanted)
    ours = {score.user_digest: score for score in rows}
    told = [_score(row, result, ours.get(digest(result.user_id)), profile, now) for result in results]
    return {"scores": told, **others}


def _score(row: LineItem, result: WireResult, ours: Score | None, profile: Profile, now: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {
        # A platform must give one (AGS 2.0, 3.3.4). Of one that does not: where this result is read.
        "id": result.id or with_query(results_url(row.url), [("user_id", result.user_id)]),
        "userId": result.user_id,
        "scoreOf": row.url,
        "timestamp": wire_time(_sent_at(ours, result, profile) or now),
    }
    if result.result_score is not None:
        told["resultScore"] = wire_number(result.result_score)
    told["resultMaximum"] = wire_number(result.result_maximum)
    if result.comment is not None:
        told["comment"] = result.comment
    return told


def _sent_at(ours: Score | None, result: WireResult, profile: Profile) -> datetime | None:
    if ours is None or ours.delivered_version is None:
        return None
    held = Held(score_given=ours.delivered_given, score_maximum=ours.delivered_maximum, comment=ours.delivered_comment)
    if not shows(held, result, margin_of(result, profile), clips=profile.clips):
        return None
    return ours.wire_timestamp if ours.wire_version == ours.delivered_version else ours.delivered_at
