"""What an operator decides about a registration: send nothing for now, send again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction

from django_lti_ags import conf, signals
from django_lti_ags.profiles.verdict import by_hand
from django_lti_ags.sync import blocks
from django_lti_ags.sync.announcing import after_commit
from django_lti_ags.sync.blocks import resume
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from django_lti_ags.models import Registration

__all__ = ["pause", "resume"]


def pause(registration: Registration, *, reason: str) -> bool:
    """Send nothing for ``registration`` until it is resumed; what is recorded meanwhile waits, and does not age.

    Returns False if it is paused already; that pause and its reason stay.

    Raises:
        ValidationError: no reason given; it is kept, and shown to the next person.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why: it is what the next person reads."})
    alias: str = conf.get("database")
    with transaction.atomic(using=alias):
        verdict = by_hand(reason.strip())
        paused = blocks.pause(registration.pk, verdict, database_now(alias), alias)
        if paused:
            after_commit(alias, signals.registration_paused, registration_id=registration.pk, code=verdict.code)
    return paused
