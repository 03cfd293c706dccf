"""What fails, by kind: scores in trouble, grouped by registration, code and what the platform says.

Read are only scores in trouble, and of those the newest: the cost does not grow with what is well.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db.models import Max, Min, Q
from django.db.models.functions import Substr

from django_lti_ags.admin.concealing import without
from django_lti_ags.admin.readonly import advice_for
from django_lti_ags.models import RESTING, DeliveryAttempt, Score, Service, SyncState
from django_lti_ags.models.identity import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from django_lti_ags.models import Registration

READ: Final = 10_000
"""So many of the newest scores in trouble are grouped."""
SHOWN: Final = 100
"""So many groups the page shows, the largest first."""
IN_TROUBLE: Final = Q(state__in=RESTING) | (Q(state=SyncState.PENDING) & Q(code__gt=""))
_READ_OF_ONE: Final = 1000
"""So many characters are read of what a platform said of a score; it is cut shorter once nothing in it tells who the learner is."""
_MESSAGE: Final = 300
_SAMPLED: Final = 20
"""A group's times come from the attempts at so many of its oldest and of its newest scores."""
_VARYING: Final = re.compile(
    r"(?P<url>https?://[^\s\"'<>]+)"
    r"|(?P<mail>[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?P<id>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b(?=[a-z]*\d)[0-9a-z]{16,}\b|\b0x[0-9a-f]+\b|\b[0-9a-f]{8,}\b)"
    r"|(?P<number>\d+)",
    re.IGNORECASE,
)
_MARKS: Final = {"url": "‹url›", "mail": "‹mail›", "id": "‹id›", "number": "#"}


class Group(NamedTuple):
    """Scores that fail alike."""

    key: str
    registration: Registration
    code: str
    message: str
    advice: str
    size: int
    sample: int
    """The key of the newest of them."""
    first_seen: datetime
    last_seen: datetime


class Groups(NamedTuple):
    """The largest groups, and what they were made from."""

    groups: list[Group]
    read: int
    is_whole: bool
    """Whether every score in trouble was read."""
    all_shown: bool


class _Row(NamedTuple):
    pk: int
    service_id: int
    code: str
    message: str
    user_id: str
    recorded_at: datetime


def normalised(message: str, user_id: str = "") -> str:
    """``message`` without what differs from one score to the next: the learner's id, addresses, ids, numbers."""
    text = _VARYING.sub(lambda found: _MARKS[found.lastgroup or "number"], without(message, user_id, "‹learner›"))
    return " ".join(text.split())[:_MESSAGE]


def grouped(troubled: QuerySet[Score]) -> Groups:
    """The groups among ``troubled``, which whoever asks may see."""
    rows, members = _members(troubled)
    largest = sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    registrations = _registrations(rows)
    shown = largest[:SHOWN]
    times = _times([some for _, some in shown])
    groups = [_group(identity, some, registrations[some[0].service_id], time) for (identity, some), time in zip(shown, times, strict=True)]
    return Groups(groups, min(len(rows), READ), len(rows) <= READ, len(shown) == len(largest))


def members_of(troubled: QuerySet[Score], key: str) -> list[int]:
    """The keys of the scores of one group; none if nothing fails like that any more."""
    _, members = _members(troubled)
    return next(([row.pk for row in some] for identity, some in members.items() if _key(identity) == key), [])


def _members(troubled: QuerySet[Score]) -> tuple[list[_Row], dict[tuple[int, str, str], list[_Row]]]:
    # All services, by name: the index of states and codes has the service between them.
    everywhere = troubled.filter(IN_TROUBLE, service__in=list(Service.objects.values_list("pk", flat=True)))
    newest = everywhere.order_by("-pk").annotate(told=Substr("detail", 1, _READ_OF_ONE))
    fields = ("pk", "service_id", "code", "told", "user_id", "recorded_at")
    rows = [_Row(*values) for values in newest.values_list(*fields)[: READ + 1]]
    registrations = {service: registration.pk for service, registration in _registrations(rows).items()}
    members = defaultdict(list)
    for row in rows[:READ]:
        members[registrations[row.service_id], row.code, normalised(row.message, row.user_id)].append(row)
    return rows, members


def _registrations(rows: Iterable[_Row]) -> dict[int, Registration]:
    services = Service.objects.filter(pk__in={row.service_id for row in rows}).select_related("registration")
    return {service.pk: service.registration for service in services}


def _key(identity: tuple[int, str, str]) -> str:
    return digest(*(str(part) for part in identity))


def _group(identity: tuple[int, str, str], rows: Sequence[_Row], registration: Registration, times: tuple[datetime, datetime]) -> Group:
    _, code, message = identity
    first, last = times
    return Group(_key(identity), registration, code, message, advice_for(code), len(rows), rows[0].pk, first, last)


def _times(groups: Sequence[Sequence[_Row]]) -> list[tuple[datetime, datetime]]:
    """When each group was first and last seen: by its attempts, or, where they are gone, by when its scores were recorded."""
    ends = [_ends(rows) for rows in groups]
    wanted = {row.pk for some in ends for row in some}
    found = DeliveryAttempt.objects.filter(score__in=wanted).exclude(code="").order_by().values_list("score", "code")
    seen = {(pk, code): (first, last) for pk, code, first, last in found.annotate(Min("started_at"), Max("started_at"))}
    times = []
    for some in ends:
        spans = [seen.get((row.pk, row.code), (row.recorded_at, row.recorded_at)) for row in some]
        times.append((min(first for first, _ in spans), max(last for _, last in spans)))
    return times


def _ends(rows: Sequence[_Row]) -> list[_Row]:
    by_age = sorted(rows, key=lambda row: row.recorded_at)
    return [*by_age[:_SAMPLED], *by_age[_SAMPLED:][-_SAMPLED:]]
