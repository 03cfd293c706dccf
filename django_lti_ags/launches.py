"""Launches that are handed over to a tool in another language: kept for a day, found again by what the tool was given.

::

    kept, ltik = launches.keep(message_launch)  # the ltik goes to the tool, once; only its hash is kept
    kept = launches.find(ltik)  # None: unknown or expired
    launches.service_key(kept.context)  # good outside launches, and does not expire
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from django_lti_ags import conf, encryption
from django_lti_ags.ags.vocabulary import SCOPE_SCORE
from django_lti_ags.models import ApiLaunch, Context, ServiceKey
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.launch_claims import read_claims, read_user_id
from django_lti_ags.sync.launch_facts import raw_of, told_of
from django_lti_ags.sync.launched import column, course, keep_newest
from django_lti_ags.sync.outbox_sql import database_now
from django_lti_ags.sync.recording import outbox_alias
from django_lti_ags.sync.services import found_or_made, service_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.line_items import MessageLaunch

__all__ = ["context_of", "find", "keep", "service_key"]

LIFETIME: Final = timedelta(hours=24)
_SECRET_BYTES: Final = 32
_LONGEST: Final = 200
"""No secret of ours is longer: what is, is not hashed."""


@sensitive_variables()
def keep(launch: MessageLaunch | Mapping[str, Any]) -> tuple[ApiLaunch, str]:
    """Keep a verified launch for a day; the row, and the *ltik* by which the tool asks for it.

    What the launch says of the course and its column is made or brought up to date, as :func:`line_items.from_launch` does; a launch
    without grades is kept, too.

    Raises:
        UnknownRegistration, MalformedLaunch, LaunchRefused: as :func:`line_items.from_launch`.
    """
    claims = read_claims(launch)
    raw = launch if not hasattr(launch, "get_launch_data") else launch.get_launch_data()
    user_id, as_it_came = read_user_id(raw), raw_of(raw)
    ltik = secrets.token_urlsafe(_SECRET_BYTES)
    alias = outbox_alias()
    with transaction.atomic(using=alias):
        context = course(claims, alias)
        if claims.line_item_url and SCOPE_SCORE in claims.scopes:
            column(context, service_at(context.deployment.registration_id, claims.line_item_url, alias), claims, alias)
        elif claims.has_service:
            keep_newest(claims, alias)
        now = database_now(alias)
        kept = ApiLaunch(ltik_hash=digest(ltik), context=context, user_id=user_id, created_at=now, expires_at=now + LIFETIME)
        kept.told = told_of(raw, claims, context)
        kept.claims_encrypted = encryption.encrypt(as_it_came) if as_it_came else ""
        kept.save(using=alias)
    return kept, ltik


@sensitive_variables("ltik")
def find(ltik: str) -> ApiLaunch | None:
    """The launch with this ltik, if it has not expired."""
    if not _possible(ltik):
        return None
    kept = ApiLaunch.objects.select_related("context__deployment__registration__signing_key").filter(ltik_hash=digest(ltik)).first()
    return kept if kept is not None and kept.expires_at > timezone.now() else None


@sensitive_variables("text")
def service_key(context: Context) -> str:
    """The service key of ``context``, made if there is none yet.

    Raises:
        EncryptionError: it is there, and no configured encryption key reads it.
    """
    alias: str = conf.get("database")
    found = ServiceKey.objects.using(alias).filter(context=context).first()
    if found is None:
        text = secrets.token_urlsafe(_SECRET_BYTES)
        wanted = ServiceKey(context=context, key_hash=digest(text), key_encrypted=encryption.encrypt(text))
        with transaction.atomic(using=alias):
            found = found_or_made(wanted, ("context",), alias)
    return found.text


@sensitive_variables("text")
def context_of(text: str) -> Context | None:
    """The course that this service key speaks for; None: it is nobody's."""
    if not _possible(text):
        return None
    rows = ServiceKey.objects.select_related("context__deployment__registration__signing_key").filter(key_hash=digest(text))
    found = rows.first()
    return None if found is None else found.context


def _possible(text: str) -> bool:
    return bool(text) and len(text) <= _LONGEST and text.isascii()
