"""The story of a score, or of a live assessment, newest first: what was recorded, sent and answered, who decided what, and who was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin.api_keys import seeing_elsewhere
from django_lti_ags.admin.happenings import HAPPENINGS
from django_lti_ags.admin.readonly import advice_for, pretty, pretty_text
from django_lti_ags.models import RESTING, DeliveryAttempt, Event, LiveAssessment, Score, SyncState, WebhookDelivery
from django_lti_ags.profiles.verdict import Disposition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from django_lti_ags.admin.concealing import Concealer

ENTRIES: Final = 100
"""So many the page shows; the attempts and events have pages of their own."""

VERDICTS: Final[dict[str, Any]] = {
    Disposition.DELIVERED: _("Delivered."),
    Disposition.RETRY: _("Not delivered; it is tried again."),
    Disposition.REJECTED: _("Refused."),
    Disposition.SUPERSEDED: _("The platform shows another grade, which stays."),
    Disposition.AMBIGUOUS: _("Nobody knows whether it arrived; the platform is asked first."),
    Disposition.WITHHELD: _("Not sent: it must not be."),
}
_TROUBLE: Final = ("score_failed", "score_blocked", "submission_refused", "file_failed", "live_results_failed", "live_results_blocked")
_KINDS: Final[dict[str, Any]] = {
    DeliveryAttempt.Kind.TOKEN: _("Asked for an access token"),
    DeliveryAttempt.Kind.SCORE: _("Sent the score"),
    DeliveryAttempt.Kind.RESULTS: _("Asked what the platform shows"),
    DeliveryAttempt.Kind.PROGRESS: _("Asked how far a file is"),
    DeliveryAttempt.Kind.LIVE_ASSESSMENTS: _("Declared the assessment"),
    DeliveryAttempt.Kind.LIVE_RESULTS: _("Sent results, or asked which are there"),
}


_MAY_SEE_MESSAGES: Final = "lti_ags.view_webhookdelivery"
_LEADING: Final = ("recorded", "decision", "attempt", "event", "webhook")


class Entry(NamedTuple):
    """One thing that happened."""

    time: datetime
    kind: str
    """For the eye: recorded, attempt, event, decision, webhook."""
    title: str
    facts: Sequence[tuple[Any, str]] = ()
    code: str = ""
    verdict: Any = ""
    advice: str = ""
    detail: str = ""
    papers: Sequence[tuple[Any, list[tuple[Any, str]]]] = ()
    """What may be unfolded: the request, the answer."""
    trouble: bool = False
    pk: int = 0


class Story(NamedTuple):
    """The newest entries, and whether there are older ones."""

    entries: list[Entry]
    has_more: bool


def story(row: Score | LiveAssessment, concealer: Concealer, told: QuerySet[WebhookDelivery] | None = None) -> Story:
    """What happened to ``row``, and to the files of a score, newest first; five bounded queries at most.

    ``told``: of which messages to webhooks it may speak.
    """
    own = {row.attempt_field: row.pk}
    attempts = list(DeliveryAttempt.objects.filter(**own).order_by("-pk")[: ENTRIES + 1])
    if isinstance(row, Score):
        attempts += DeliveryAttempt.objects.filter(progress__score=row.pk).order_by("-pk")[: ENTRIES + 1]
    events = list(Event.objects.filter(**own).order_by("-pk")[: ENTRIES + 1])
    found = [_of_attempt(attempt, concealer) for attempt in attempts]
    found += [_of_event(event, concealer) for event in events]
    found += [*_decisions(row, concealer), *_recorded(row)]
    if isinstance(row, Score) and told is not None:
        found += [_of_message(message, concealer) for message in told.filter(score=row.pk).order_by("-pk")[: ENTRIES + 1]]
    found.sort(key=_order, reverse=True)
    return Story(found[:ENTRIES], len(found) > ENTRIES)


def messages_shown(request: HttpRequest) -> QuerySet[WebhookDelivery]:
    """The messages to webhooks that whoever asks may see, without what they say."""
    rows = WebhookDelivery.objects.select_related("endpoint__api_key").defer("body")
    return rows.exclude(endpoint__api_key__in=seeing_elsewhere(request)) if request.user.has_perm(_MAY_SEE_MESSAGES) else rows.none()


def _order(entry: Entry) -> tuple[datetime, int, int]:
    """By time; within a millisecond, which is all that SQLite's clock tells, by what leads to what."""
    return entry.time.replace(microsecond=entry.time.microsecond // 1000 * 1000), _LEADING.index(entry.kind), entry.pk


def _recorded(row: Score | LiveAssessment) -> Iterator[Entry]:
    if row.version > 1:
        yield Entry(row.created_at, "recorded", gettext("The tool recorded the first version"))
        yield Entry(row.recorded_at, "recorded", gettext("The tool recorded version %(version)s") % {"version": row.version})
    else:
        yield Entry(row.recorded_at, "recorded", gettext("The tool recorded it"))


def _of_event(event: Event, concealer: Concealer) -> Entry:
    payload = event.payload if isinstance(event.payload, dict) else {}
    reason = payload.get("reason") or (
        concealer.address(str(payload["url"])) if event.name.startswith("file_") and "url" in payload else ""
    )
    title = str(HAPPENINGS.get(event.name, capfirst(event.name.replace("_", " "))))
    return Entry(
        event.created_at,
        "event",
        title,
        facts=_version(event.version),
        code=event.code,
        detail=concealer.text(str(reason)),
        advice=advice_for(event.code) if event.name in (*_TROUBLE, "score_superseded") else "",
        trouble=event.name in _TROUBLE,
        pk=event.pk,
    )


def _of_message(message: WebhookDelivery, concealer: Concealer) -> Entry:
    """One entry for all tries; of the endpoint only whose it is, and the host."""
    rests = message.state in RESTING
    if message.state == SyncState.DELIVERED:
        title = gettext("A webhook heard of it")
    else:
        title = gettext("A webhook did not hear of it") if rests else gettext("A webhook is to hear of it")
    return Entry(
        message.delivered_at or message.created_at,
        "webhook",
        title,
        facts=[
            (_("endpoint"), f"{message.endpoint.api_key.name}, {message.endpoint.host}"),
            (_("kind"), message.get_kind_display()),
            (_("tries"), str(message.tries)),
        ],
        code=message.code,
        advice=advice_for(message.code) if rests else "",
        detail=concealer.text(message.detail),
        trouble=rests,
        pk=message.pk,
    )


def _decisions(row: Score | LiveAssessment, concealer: Concealer) -> list[Entry]:
    kind = ContentType.objects.get_for_model(row, for_concrete_model=True)
    made = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).select_related("user").order_by("-pk")[:ENTRIES]
    return [
        Entry(
            entry.action_time,
            "decision",
            gettext("%(user)s decided") % {"user": entry.user},
            detail=concealer.text(str(entry.get_change_message())),
        )
        for entry in made
    ]


def _of_attempt(attempt: DeliveryAttempt, concealer: Concealer) -> Entry:
    return Entry(
        attempt.started_at,
        "attempt",
        gettext("Abandoned: the worker stopped while it was sending")
        if attempt.abandoned
        else str(_KINDS.get(attempt.kind, attempt.get_kind_display())),
        facts=_facts(attempt, concealer),
        code=attempt.code,
        verdict=VERDICTS.get(attempt.disposition, ""),
        advice=advice_for(attempt.code),
        detail=concealer.text(attempt.detail),
        papers=[] if attempt.abandoned and not attempt.url else _papers(attempt, concealer),
        trouble=attempt.abandoned or attempt.status is None or attempt.status >= 400,
        pk=attempt.pk,
    )


def _facts(attempt: DeliveryAttempt, concealer: Concealer) -> list[tuple[Any, str]]:
    found = _version(attempt.version)
    if attempt.status is not None:
        found.append((_("answer"), f"{attempt.status} {concealer.text(attempt.reason)}".strip()))
    if attempt.failure:
        found.append((_("no usable answer"), attempt.failure))
    if not attempt.abandoned:
        found.append((_("duration"), gettext("%(count)s ms") % {"count": round(attempt.duration_ms)}))
    return found


def _version(version: int | None) -> list[tuple[Any, str]]:
    return [] if version is None else [(_("version"), str(version))]


def _papers(attempt: DeliveryAttempt, concealer: Concealer) -> list[tuple[Any, list[tuple[Any, str]]]]:
    asked = [
        (_("address"), f"{attempt.method} {concealer.address(attempt.url)}"),
        (_("headers"), pretty(concealer.value(attempt.request_headers))),
        (_("body"), pretty_text(concealer.body(attempt.request_body))),
    ]
    told = [
        (_("headers"), pretty(concealer.value(attempt.response_headers))),
        (_("body"), pretty_text(concealer.body(attempt.response_body))),
    ]
    papers: list[tuple[Any, list[tuple[Any, str]]]] = [(_("Request"), asked)]
    return papers if attempt.status is None else [*papers, (_("Answer"), told)]
