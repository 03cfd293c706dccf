"""Clients of Canvas' REST API for our registrations, over what is stored for them.

They share the process's connections, and their tokens are kept as AGS' are: encrypted in the cache, one fetch at a
time over all processes. A client costs nothing to make, and asks the database nothing: it may go to another thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_lti_ags import conf
from django_lti_ags.canvas import Client, DeveloperKeyToken, TokenSource, UserToken
from django_lti_ags.exceptions import NoCanvasCredential
from django_lti_ags.models import CanvasCredential, CanvasCredentialKind
from django_lti_ags.sync.clients import shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.tokens import TokenStore
    from django_lti_ags.models import Registration
    from django_lti_ags.sync.clients import Clients


def client_for(
    registration: Registration,
    *,
    clients: Clients | None = None,
    observe: Callable[[Exchange], None] | None = None,
    start_by: float | None = None,
    patience_seconds: float = 0.0,
) -> Client:
    """A client of the registration's Canvas.

    Args:
        registration: whose credential is used.
        clients: whose connections and tokens; by default the process's.
        observe: is given each exchange, token requests too, when it ends.
        start_by: the ``time.monotonic()`` after which no request of its calls goes out.
        patience_seconds: how long a call may wait, all in all, when Canvas says that there were too many requests. 0 for durable
            work: there the service is let alone, by its throttle and its circuit, and the row comes back later.

    Raises:
        NoCanvasCredential: none is stored; the message says how to store one.
        EncryptionError: it cannot be decrypted.
    """
    return client_with(credential_of(registration), clients=clients, observe=observe, start_by=start_by, patience_seconds=patience_seconds)


def client_with(
    credential: CanvasCredential,
    *,
    clients: Clients | None = None,
    observe: Callable[[Exchange], None] | None = None,
    start_by: float | None = None,
    patience_seconds: float = 0.0,
) -> Client:
    """As :func:`client_for`, where the credential is at hand."""
    used = clients or shared()
    tokens = tokens_of(credential, used.token_store)
    return Client(
        credential.base_url,
        tokens,
        transport=used.transport,
        observe=observe,
        start_by=start_by,
        patience_seconds=patience_seconds,
    )


def credential_of(registration: Registration) -> CanvasCredential:
    """What is stored for ``registration``.

    Raises:
        NoCanvasCredential: nothing is.
    """
    found = CanvasCredential.objects.using(conf.get("database")).filter(registration=registration).first()
    if found is None:
        raise NoCanvasCredential(str(registration))
    return found


def tokens_of(credential: CanvasCredential, store: TokenStore) -> TokenSource:
    """Where the credential's access tokens come from.

    Raises:
        EncryptionError: it cannot be decrypted.
    """
    secret = credential.secret
    if credential.kind == CanvasCredentialKind.USER_TOKEN:
        return UserToken(secret["access_token"])
    return DeveloperKeyToken(credential.client_id, secret["client_secret"], secret["refresh_token"], store=store)
