"""What an operator decides about a registration: send nothing for now, send again; and where its launches may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction

from django_lti_ags import conf, signals
from django_lti_ags.ags.urls import check_url, names_parameter
from django_lti_ags.profiles.verdict import by_hand
from django_lti_ags.sync import blocks
from django_lti_ags.sync.announcing import after_commit
from django_lti_ags.sync.blocks import resume
from django_lti_ags.sync.outbox_sql import database_now

if TYPE_CHECKING:
    from django_lti_ags.models import Registration

__all__ = ["check_launches_to", "pause", "resume"]


def check_launches_to(url: str) -> None:
    """Accept an address that launches can be handed over to, with ``ltik=…`` added to its query.

    Raises:
        ValueError: what is wrong with it.
    """
    check_url(url)
    if "#" in url:
        raise ValueError(f"{url[:200]!r} has a fragment (#…), which a launch would not be redirected to: name the page without it")
    if names_parameter(url, "ltik"):
        raise ValueError(f"{url[:200]!r} has a parameter ltik already, which is each launch's own: leave it out")


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
