"""The wire's clients for our registrations: one transport, one token store, each key parsed once.

Loading an RSA key takes 33 ms and holds the interpreter; a new ``SSLContext`` 17 ms. So both are
made once per process and shared by every thread.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from django_lti_ags import conf, encryption
from django_lti_ags.ags.client import Client
from django_lti_ags.ags.tokens import Credentials
from django_lti_ags.ags.transport import Transport
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.sync.token_store import CacheTokenStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.tokens import TokenStore
    from django_lti_ags.models import Registration
    from django_lti_ags.profiles.base import Profile


class Clients:
    """Makes clients that share what is dear. Thread-safe."""

    def __init__(self, *, transport: Transport | None = None, token_store: TokenStore | None = None) -> None:
        self.transport = transport or make_transport()
        self.token_store = token_store or CacheTokenStore()

    def client(
        self,
        credentials: Credentials,
        scopes: Iterable[str],
        observe: Callable[[Exchange], None],
        profile: Profile,
        *,
        of_record: bool = False,
    ) -> Client:
        """A client whose exchanges go to ``observe``; making one costs nothing. ``of_record``: what it reads is shown to somebody."""
        return Client(
            credentials,
            scopes=scopes,
            transport=self.transport,
            token_store=self.token_store,
            observe=observe,
            token_refused=profile.token_refused_statuses,
            of_record=of_record,
        )

    def close(self) -> None:
        """Close every pooled connection."""
        self.transport.close()


def credentials_of(registration: Registration) -> Credentials:
    """What ``registration`` proves itself with.

    Raises:
        EncryptionError: its key cannot be decrypted, or is none.
    """
    key = registration.signing_key
    return Credentials(
        token_url=registration.token_url,
        client_id=registration.client_id,
        private_key=_parse(key.private_key_encrypted),
        key_id=key.kid,
        audience=registration.token_audience or None,
    )


@lru_cache(maxsize=256)
def _parse(private_key_encrypted: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(encryption.decrypt(private_key_encrypted).encode(), password=None)
    except ValueError:
        raise EncryptionError("A stored signing key is not a PEM private key.") from None
    if not isinstance(key, RSAPrivateKey):
        raise EncryptionError("A stored signing key is not an RSA key; LTI 1.3 signs with RS256.")
    return key


def make_transport() -> Transport:
    """A transport as ``LTI_AGS`` configures it."""
    settings = conf.load()
    return Transport(
        deadline_seconds=settings.send_deadline_seconds,
        max_body_bytes=settings.max_body_bytes,
        allowed_private_hosts=settings.allowed_private_hosts,
        pool_size=settings.threads_per_service,
    )


_lock = threading.Lock()
_shared: list[Clients] = []


def shared() -> Clients:
    """The process's clients, for calls outside the engine."""
    with _lock:
        if not _shared:
            _shared.append(Clients())
        return _shared[0]


def forget_shared() -> None:
    """Close the process's clients; the next call makes new ones, by the settings as they are then."""
    with _lock:
        while _shared:
            _shared.pop().close()
