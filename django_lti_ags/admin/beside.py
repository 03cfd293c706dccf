"""What the page "Grade sync" says beside the scores: live assessments and webhooks, where there is anything to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from django_lti_ags.admin.api_keys import seeing_elsewhere
from django_lti_ags.models import WebhookEndpoint
from django_lti_ags.scoping import scoped
from django_lti_ags.sync import live_report, webhook_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from django_lti_ags.models import Registration
    from django_lti_ags.sync.report import SyncReport
    from django_lti_ags.sync.webhook_report import WebhookStanding


class Line(NamedTuple):
    """One place, what is told of it, and the page that has more."""

    place: str
    told: str
    url: str
    is_bad: bool


def lines(request: HttpRequest, measured: SyncReport, chosen: Registration | None, site: str) -> list[Line]:
    """Of what whoever asks may see; ``site``: the admin's name."""
    found = list(_live(measured, site)) if request.user.has_perm("lti_ags.view_liveassessment") else []
    if request.user.has_perm("lti_ags.view_webhookendpoint"):
        found += _webhooks(request, chosen, site)
    return found


def _live(measured: SyncReport, site: str) -> Iterator[Line]:
    standing = live_report.standing([one.service_id for one in measured.services])
    for one in measured.services:
        if one.service_id in standing:
            counts = standing[one.service_id]
            told = gettext("Live assessments: %(waiting)d wait, %(resting)d failed or are blocked")
            query = urlencode({"service__registration__id__exact": one.registration_id})
            yield Line(
                f"{one.registration}, {one.service}",
                told % {"waiting": counts.waiting, "resting": counts.resting},
                f"{reverse(f'{site}:lti_ags_liveassessment_changelist')}?{query}",
                is_bad=bool(counts.resting),
            )


def _webhooks(request: HttpRequest, chosen: Registration | None, site: str) -> Iterator[Line]:
    # As the list of endpoints shows them.
    endpoints = scoped(WebhookEndpoint.objects.all(), request, "api_key__registrations").exclude(api_key__in=seeing_elsewhere(request))
    if chosen is not None:
        endpoints = endpoints.filter(api_key__registrations=chosen)
    for one in webhook_report.standing(endpoints):
        address = reverse(f"{site}:lti_ags_webhookendpoint_change", args=[one.endpoint_id])
        yield Line(f"{one.api_key}, {one.host}", _told(one), address, is_bad=one.is_bad)


def _told(one: WebhookStanding) -> str:
    told = gettext("Webhook: %(waiting)s messages wait, %(resting)s failed or are blocked") % {
        "waiting": webhook_report.shown(one.waiting),
        "resting": webhook_report.shown(one.resting),
    }
    if one.disabled_at:
        return told + "; " + gettext("it is disabled")
    return told + "; " + gettext("failing: %(code)s") % {"code": one.last_failure_code} if one.failing_since else told
