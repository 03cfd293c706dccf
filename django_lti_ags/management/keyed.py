"""Which API key, or webhook endpoint, is meant."""

from __future__ import annotations

from uuid import UUID

from django.core.management.base import CommandError

from django_lti_ags.models import ApiKey, WebhookEndpoint
from django_lti_ags.sync.launch_claims import storable


def api_key(given: str) -> ApiKey:
    """The key with this prefix or uid.

    Raises:
        CommandError: there is none, or more than one.
    """
    found = list(ApiKey.objects.filter(prefix=given.strip())) if storable(given) else []
    uid = _uid(given)
    if not found and uid is not None:
        found = list(ApiKey.objects.filter(uid=uid))
    if len(found) > 1:
        raise CommandError(f"Several keys have the prefix {given!r}; give the uid of one: {', '.join(str(key.uid) for key in found)}.")
    if not found:
        raise CommandError(f"There is no API key {given!r}: its prefix is what stands between the underscores. List them: lti_ags_apikey")
    return found[0]


def endpoint(given: str) -> WebhookEndpoint:
    """The endpoint with this address or uid.

    Raises:
        CommandError: there is none, or more than one.
    """
    rows = WebhookEndpoint.objects.select_related("api_key")
    # A database may take "a" for "A".
    found = [row for row in rows.filter(url=given.strip()) if row.url == given.strip()] if storable(given) else []
    uid = _uid(given)
    if not found and uid is not None:
        found = list(rows.filter(uid=uid))
    if len(found) > 1:
        raise CommandError(f"Several endpoints have this address; give the uid of one: {', '.join(str(row.uid) for row in found)}.")
    if not found:
        raise CommandError(f"There is no webhook endpoint {given!r}. List them: lti_ags_webhook")
    return found[0]


def _uid(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None
