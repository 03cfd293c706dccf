"""Rows that are found by their digest, or made, by however many workers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model

from django_lti_ags.ags.urls import origin
from django_lti_ags.models import Service
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.outbox_sql import insert_or_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

M = TypeVar("M", bound=Model)


def found_or_made(wanted: M, unique: Sequence[str], alias: str) -> M:
    """The row with the ``unique`` fields of ``wanted``; if there is none, ``wanted`` itself, stored."""
    rows: Any = type(wanted)._default_manager.using(alias).filter(**{name: getattr(wanted, name) for name in unique})
    found: M | None = rows.first()
    if found is None:
        insert_or_lock(type(wanted)._default_manager.using(alias), [wanted], unique=unique)
        found = rows.get()
    return found


def service_at(registration_id: int, url: str, alias: str) -> Service:
    """The service of a registration that answers at ``url``."""
    place = origin(url)
    wanted = Service(registration_id=registration_id, origin=place, origin_digest=digest(place))
    return found_or_made(wanted, ("registration", "origin_digest"), alias)
