"""What Canvas' REST API is asked with, per registration: kept encrypted, replaced, forgotten.

::

    canvas_credentials.store_user_token(registration, base_url="https://school.instructure.com", access_token=token)
    canvas_credentials.store_developer_key(
        registration, base_url="https://school.instructure.com", client_id=key_id, client_secret=secret, refresh_token=refresh
    )
    canvas_credentials.forget(registration)

Live assessments that rest for want of a credential go on as soon as one is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.db import transaction

from django_lti_ags import conf
from django_lti_ags.ags.addresses import AddressGuard
from django_lti_ags.canvas.arguments import check_base_url
from django_lti_ags.canvas.tokens import DeveloperKeyToken, UserToken
from django_lti_ags.exceptions import InvalidCanvasArgument
from django_lti_ags.models import CanvasCredential, CanvasCredentialKind
from django_lti_ags.models.canvas_credentials import sealed
from django_lti_ags.sync import live_revival

if TYPE_CHECKING:
    from django_lti_ags.models import Registration

__all__ = ["check_address", "forget", "store_developer_key", "store_user_token"]

_HTTP: Final = 80
_HTTPS: Final = (
    'must begin with https://: a token goes there. For a Canvas on your own network list its host in LTI_AGS["ALLOWED_PRIVATE_HOSTS"]'
)


def store_user_token(registration: Registration, *, base_url: str, access_token: str) -> CanvasCredential:
    """Ask Canvas with a token that a user made there; it takes the place of what was stored.

    Args:
        registration: whose Canvas it is.
        base_url: Canvas' address alone, such as ``https://school.instructure.com``: the one under which launches name its line items.
        access_token: as Canvas shows it (Account → Settings → New Access Token). It may do what its user may.

    Raises:
        InvalidCanvasArgument: one of them cannot be used; nothing was stored.
    """
    UserToken(access_token)
    return _store(registration, base_url, CanvasCredentialKind.USER_TOKEN, "", {"access_token": access_token})


def store_developer_key(
    registration: Registration, *, base_url: str, client_id: str, client_secret: str, refresh_token: str
) -> CanvasCredential:
    """Ask Canvas with a developer key that a user has authorised; it takes the place of what was stored.

    Args:
        registration: whose Canvas it is.
        base_url: Canvas' address alone, such as ``https://school.instructure.com``: the one under which launches name its line items.
        client_id: the id of the API developer key; it is another than the LTI key's.
        client_secret: its key.
        refresh_token: what the user's authorisation brought.

    Raises:
        InvalidCanvasArgument: one of them cannot be used; nothing was stored.
    """
    DeveloperKeyToken(client_id, client_secret, refresh_token)
    secret = {"client_secret": client_secret, "refresh_token": refresh_token}
    return _store(registration, base_url, CanvasCredentialKind.DEVELOPER_KEY, client_id, secret)


def check_address(base_url: Any) -> str:
    """Canvas' address as it is stored. Tokens go there, so it is https, unless an operator listed the host as one of their own network.

    Raises:
        InvalidCanvasArgument: naming ``base_url`` and the rule.
    """
    found = check_base_url(base_url)
    parts = urlsplit(found)
    if parts.scheme != "https" and not AddressGuard(conf.get("allowed_private_hosts")).lists(parts.hostname or "", parts.port or _HTTP):
        raise InvalidCanvasArgument("base_url", base_url, _HTTPS)
    return found


def forget(registration: Registration) -> bool:
    """Keep no credential for ``registration``; False: there was none. At Canvas it stays good until somebody deletes it there."""
    return CanvasCredential.objects.filter(registration=registration).delete()[0] > 0


def _store(registration: Registration, base_url: str, kind: str, client_id: str, secret: dict[str, str]) -> CanvasCredential:
    values = {
        "base_url": check_address(base_url),
        "kind": kind,
        "client_id": client_id,
        "secret_encrypted": sealed(secret),
    }
    alias: str = conf.get("database")
    with transaction.atomic(using=alias):
        stored, _ = CanvasCredential.objects.using(alias).update_or_create(registration=registration, defaults=values)
        live_revival.revive_with_credential(registration, alias)
    return stored
