"""All that is sent, in the order in which it is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.sync.file_rows import FileDelivery
from django_lti_ags.sync.line_item_rows import LineItemDelivery
from django_lti_ags.sync.live_rows import LiveDelivery
from django_lti_ags.sync.score_rows import ScoreDelivery
from django_lti_ags.sync.webhook_rows import WebhookOutDelivery

if TYPE_CHECKING:
    from django_lti_ags.sync.deliveries import Delivery

KINDS: Final[tuple[type[Delivery[Any]], ...]] = (LineItemDelivery, ScoreDelivery, LiveDelivery, FileDelivery, WebhookOutDelivery)
"""Columns first: scores wait for them. Files and webhooks last: no score waits for those."""
