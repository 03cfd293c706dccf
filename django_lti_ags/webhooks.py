"""Webhooks: addresses that hear what became of the scores which an API key sees (Standard Webhooks).

::

    endpoint, secret = webhooks.add(key, "https://tool.example/hooks/grades")  # the secret is shown now, and never again
    webhooks.disable(endpoint, reason="They move house")
    webhooks.enable(endpoint)
    webhooks.retry(WebhookDelivery.objects.filter(endpoint=endpoint))
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from django_lti_ags import conf, encryption
from django_lti_ags.ags.addresses import AddressGuard, AddressRefused
from django_lti_ags.ags.urls import DEFAULT_PORTS, check_url
from django_lti_ags.models import ApiKey, WebhookEndpoint, WebhookKind
from django_lti_ags.models.webhooks import SECRET_PREFIX
from django_lti_ags.sync import webhook_endpoints
from django_lti_ags.sync.outbox_sql import database_now
from django_lti_ags.sync.webhook_endpoints import retry

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["add", "check", "disable", "enable", "retry"]

_SECRET_BYTES: Final = 32
_EVERY: Final = tuple(WebhookKind.values)


@sensitive_variables("secret")
def add(api_key: ApiKey, url: str, kinds: Sequence[str] = _EVERY) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, ``whsec_`` and base64: with it the receiver checks who speaks. It hears of what happens from now on.

    Args:
        api_key: it hears of the scores that this key sees.
        url: where it is told, by POST.
        kinds: what it hears of: ``score.delivered``, ``score.failed``, ``score.blocked``.

    Raises:
        ValidationError: naming the field and the rule; nothing is stored.
    """
    check(api_key, url, kinds)
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
    chosen = [kind for kind in _EVERY if kind in kinds]
    endpoint = WebhookEndpoint.objects.create(api_key=api_key, url=url, kinds=chosen, secret_encrypted=encryption.encrypt(secret))
    return endpoint, secret


def check(api_key: ApiKey, url: str, kinds: Sequence[str]) -> None:
    """Accept what an endpoint can be made of.

    Raises:
        ValidationError: naming each field and its rule.
    """
    errors: dict[str, list[str]] = {}
    if not isinstance(api_key, ApiKey) or not api_key.pk or api_key.is_revoked:
        errors["api_key"] = [_("It must be a key that is not revoked.")]
    try:
        _check_address(url)
    except (ValueError, AddressRefused) as problem:
        errors["url"] = [_("This address cannot be used: %(problem)s.") % {"problem": problem}]
    if isinstance(kinds, str) or not kinds or not all(kind in _EVERY for kind in kinds):
        errors["kinds"] = [_("At least one of %(kinds)s, and nothing else.") % {"kinds": ", ".join(_EVERY)}]
    if errors:
        raise ValidationError(errors)


def disable(endpoint: WebhookEndpoint, *, reason: str) -> bool:
    """Tell it nothing from now on; what waits rests until it is enabled. False: it was disabled before, and keeps its reason.

    Raises:
        ValidationError: no reason given; it is kept, and shown to the next person.
    """
    if not isinstance(reason, str) or not reason.strip():
        raise ValidationError({"reason": [_("Say why: it is what the next person reads.")]})
    rows = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    return webhook_endpoints.disable(rows, reason.strip(), database_now(conf.get("database"))) != []


def enable(endpoint: WebhookEndpoint) -> bool:
    """Tell it again, beginning with what rested since; False: it was enabled.

    Raises:
        ValidationError: its key is revoked.
    """
    if ApiKey.objects.filter(pk=endpoint.api_key_id).exclude(revoked_at=None).exists():
        raise ValidationError({"api_key": [_("It must be a key that is not revoked.")]})
    return webhook_endpoints.enable(WebhookEndpoint.objects.filter(pk=endpoint.pk)) > 0


def _check_address(url: str) -> None:
    """What can be said of it without asking anybody; whom the name leads to is looked at with each message."""
    check_url(url)
    parts = urlsplit(url)
    guard = AddressGuard(conf.get("allowed_private_hosts"))
    guard.check_name(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])
