"""Every stored secret encrypted anew, when the encryption key changes: signing keys, courses' service keys, launches that
were handed over, webhooks' secrets, and what Canvas' REST API is asked with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from django_lti_ags import conf, encryption
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.models import ApiLaunch, CanvasCredential, ServiceKey, SigningKey, WebhookEndpoint
from django_lti_ags.sync.outbox_sql import locked, upsert_by_pk

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

_WINDOW: Final = 200


@dataclass(slots=True)
class Rotated:
    """What a re-encryption did, in secrets."""

    rotated: int = 0
    current: int = 0
    """Encrypted with the newest encryption key already."""
    unreadable: list[str] = field(default_factory=list)
    """What no configured encryption key can read, and stays as it is: the ``kid``, the service key's or the launch's uid, the Canvas, or
    the webhook's address."""


def rotate_encryption(told: Callable[[Rotated], None] = lambda done: None) -> Rotated:
    """Encrypt every secret with the newest of ``LTI_AGS["ENCRYPTION_KEYS"]``, some at a time; may be run again.

    Every process must know the newest key before: one that does not cannot sign any more. ``told`` is called after each portion.
    """
    alias: str = conf.get("database")
    done = Rotated()
    _rotate(SigningKey.objects.using(alias), "private_key_encrypted", lambda key: key.kid, done, told)
    _rotate(ServiceKey.objects.using(alias), "key_encrypted", lambda key: f"service key {key.uid}", done, told)
    _rotate(WebhookEndpoint.objects.using(alias), "secret_encrypted", lambda endpoint: endpoint.url, done, told)
    launches = ApiLaunch.objects.using(alias).exclude(claims_encrypted="")
    _rotate(launches, "claims_encrypted", lambda launch: f"launch {launch.uid}", done, told)
    credentials = CanvasCredential.objects.using(alias)
    _rotate(credentials, "secret_encrypted", lambda one: f"{one.base_url} ({one.client_id or one.kind})", done, told)
    return done


def _rotate(rows: QuerySet[Any], column: str, name: Callable[[Any], str], done: Rotated, told: Callable[[Rotated], None]) -> None:
    ordered, last = rows.order_by("pk"), 0
    while pks := list(ordered.filter(pk__gt=last).values_list("pk", flat=True)[:_WINDOW]):
        last = pks[-1]
        with transaction.atomic(using=rows.db):
            changed = [row for row in locked(ordered.filter(pk__in=pks)) if _rotated(row, column, name, done)]
            if changed:
                upsert_by_pk(rows, changed, fields=[column])
        told(done)


def _rotated(row: Any, column: str, name: Callable[[Any], str], done: Rotated) -> bool:
    if encryption.is_current(getattr(row, column)):
        done.current += 1
        return False
    try:
        setattr(row, column, encryption.rotate(getattr(row, column)))
    except EncryptionError:
        done.unreadable.append(name(row))
        return False
    done.rotated += 1
    return True
