"""How webhooks stand, by endpoint: what waits, what rests, who hears nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from django_lti_ags.models import OPEN, RESTING, WebhookDelivery, WebhookEndpoint
from django_lti_ags.sync.report import COUNTED_TO

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookStanding:
    """One endpoint that there is something to say of. Counts are of messages, and end one above ``COUNTED_TO``."""

    endpoint_id: int
    endpoint_uid: UUID
    host: str
    """Without the path, which may be a secret."""
    api_key: str
    """Its name."""
    waiting: int
    """To be sent, or being sent."""
    resting: int
    """Failed, or blocked since the endpoint is disabled."""
    disabled_at: datetime | None
    failing_since: datetime | None
    last_failure_code: str

    @property
    def is_bad(self) -> bool:
        """Whether a person has to look."""
        return bool(self.resting or self.disabled_at or self.failing_since)


def shown(count: int) -> str:
    """A count for people."""
    return f"{COUNTED_TO}+" if count > COUNTED_TO else str(count)


def standing(endpoints: QuerySet[WebhookEndpoint]) -> list[WebhookStanding]:
    """Those of ``endpoints`` where something waits or rests, or that are failing or disabled; of revoked keys none.

    One query, and one more for each count that is not zero.
    """
    own = WebhookDelivery.objects.using(endpoints.db).filter(endpoint=OuterRef("pk"))
    found = endpoints.filter(api_key__revoked_at=None).select_related("api_key").order_by("pk")
    found = found.annotate(has_open=Exists(own.filter(state__in=OPEN)), has_resting=Exists(own.filter(state__in=RESTING)))
    telling = Q(has_open=True) | Q(has_resting=True) | Q(disabled_at__isnull=False) | Q(failing_since__isnull=False)
    return [_standing(row) for row in found.filter(telling)]


def _standing(row: WebhookEndpoint) -> WebhookStanding:
    def count(states: tuple[str, ...]) -> int:
        messages = WebhookDelivery.objects.using(row._state.db).filter(endpoint=row.pk, state__in=states)
        return messages.order_by().values("pk")[: COUNTED_TO + 1].count()

    return WebhookStanding(
        endpoint_id=row.pk,
        endpoint_uid=row.uid,
        host=row.host,
        api_key=row.api_key.name,
        waiting=count(OPEN) if row.has_open else 0,  # type: ignore[attr-defined]
        resting=count(RESTING) if row.has_resting else 0,  # type: ignore[attr-defined]
        disabled_at=row.disabled_at,
        failing_since=row.failing_since,
        last_failure_code=row.last_failure_code,
    )
