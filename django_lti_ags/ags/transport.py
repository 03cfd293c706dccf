"""One request, one answer, one record of both. Never raises for what a network or a server does.

One deadline over connect, TLS, status line, headers and body; a limit to the body; no redirects
(following a 302 turns a POST into a GET that looks delivered); no cookies.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from django_lti_ags.ags.addresses import AddressGuard, AddressRefused
from django_lti_ags.ags.connections import Connection
from django_lti_ags.ags.deadlines import Watchdog
from django_lti_ags.ags.environment import Environment
from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.pool import Pool
from django_lti_ags.ags.records import answered
from django_lti_ags.ags.resolving import Resolver, resolve
from django_lti_ags.ags.responses import Progress, TooLarge, read
from django_lti_ags.ags.urls import check_url

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from django_lti_ags.ags.deadlines import Watch

DEFAULT_DEADLINE_SECONDS: Final = 20.0
DEFAULT_MAX_BODY_BYTES: Final = 1_048_576


class _BadUrl(Exception):
    """The URL cannot be requested."""


class Transport:
    """Sends requests. Thread-safe; make one and share it.

    Args:
        deadline_seconds: the total time of an exchange.
        max_body_bytes: the longest answer that is read, after decompression.
        allowed_private_hosts: see :class:`~django_lti_ags.ags.addresses.AddressGuard`.
        pool_size: idle connections kept per origin.
        ca_bundle: a file or directory of certificate authorities; by default the environment's, or certifi's.
        resolver: turns a host and a port into addresses.

    Raises:
        ValueError: the environment's proxies or certificate authorities cannot be used; see :mod:`~django_lti_ags.ags.environment`.
    """

    def __init__(
        self,
        *,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        allowed_private_hosts: Collection[str] = (),
        pool_size: int = 8,
        ca_bundle: str | None = None,
        user_agent: str = "django-lti-ags",
        resolver: Callable[[str, int], list[str]] = resolve,
    ) -> None:
        self.deadline_seconds = deadline_seconds
        self._max_body_bytes = max_body_bytes
        self._user_agent = user_agent
        self._environment = Environment(ca_bundle)
        guard = AddressGuard(allowed_private_hosts)
        tls, names = self._environment.tls, Resolver(resolver)
        self._pool = Pool(pool_size, lambda target: Connection(target, guard, tls, names))
        self._watchdog = Watchdog()

    def close(self) -> None:
        """Close the idle connections and end the watchdog."""
        self._pool.close()
        self._watchdog.close()

    def send(
        self,
        kind: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        shown_body: str | None = None,
        secrets: Collection[str] = (),
    ) -> Exchange:
        """One request and its answer.

        Args:
            kind: what it is for; see :class:`~django_lti_ags.ags.exchange.Exchange`.
            method: GET, POST, PUT or DELETE.
            url: absolute.
            headers: further request headers.
            body: the request's bytes.
            shown_body: what the record shows instead of ``body``.
            secrets: texts that no record may hold, wherever a platform echoes them.
        """
        started_at, started = datetime.now(UTC), time.monotonic()
        sent_headers = {"User-Agent": self._user_agent, "Accept-Encoding": "identity", **(headers or {})}
        progress = Progress()
        failure, detail = self._attempt(method, url, sent_headers, body, progress, started + self.deadline_seconds)
        shown = shown_body if shown_body is not None else (body or b"").decode("utf-8", "replace")
        record = Exchange(kind=kind, method=method, url=url, request_headers=sent_headers, request_body=shown, started_at=started_at)
        record = answered(record, progress, failure, detail, secrets)
        return replace(record, duration_ms=(time.monotonic() - started) * 1000)

    def _attempt(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, progress: Progress, deadline: float
    ) -> tuple[Failure | None, str]:
        try:
            try:
                check_url(url)
            except ValueError as problem:
                raise _BadUrl(str(problem)) from None
            if self._exchange(method, url, headers, body, progress, deadline, fresh=False):
                self._exchange(method, url, headers, body, progress, deadline, fresh=True)
        except Exception as problem:  # noqa: BLE001 - every way that a network fails is an answer here
            return _classified(problem, progress)
        return None, ""

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, progress: Progress, deadline: float, *, fresh: bool
    ) -> bool:
        """One try. True: a kept connection turned out dead, and the request may be repeated, since it only reads."""
        connection = self._pool.take(self._environment.target(url), fresh=fresh)
        watch = self._watchdog.watch(connection, deadline)
        keep = False
        try:
            _connected(connection, watch, deadline)
            progress.sent = True
            connection.request(method, connection.request_target(url), body=body, headers={**headers, **connection.extra_headers()})
            response = connection.getresponse()
            read(response, progress, self._max_body_bytes)
            if watch.fired:
                # A shut socket reads like a file's end: what has no length looks whole.
                raise TimeoutError
            keep = not response.will_close
        except (OSError, http.client.HTTPException) as problem:
            if watch.fired:
                raise TimeoutError(f"no whole answer within {self.deadline_seconds:g} s") from None
            if connection.reused and method == "GET" and progress.status is None and not isinstance(problem, TimeoutError):
                return True
            raise
        finally:
            watch.end()
            if keep:
                self._pool.give_back(connection)
            else:
                connection.close()
        return False


class UsesTransport:
    """Whoever sends over a transport, and closes it if nobody else gave it: usable in a ``with`` statement."""

    def __init__(self, transport: Transport | None) -> None:
        self._transport = transport or Transport()
        self._own_transport = self._transport if transport is None else None

    def close(self) -> None:
        """Close the connections, if the transport is the client's own; a shared one is closed by whoever made it."""
        if self._own_transport is not None:
            self._own_transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _connected(connection: Connection, watch: Watch, deadline: float) -> None:
    connection.prepare(deadline)
    if connection.sock is None:
        connection.connect()
    watch.sock = connection.sock
    if watch.fired:
        raise TimeoutError
    connection.sock.settimeout(max(0.001, deadline - time.monotonic()))


def _classified(problem: Exception, progress: Progress) -> tuple[Failure, str]:
    detail = f"{type(problem).__name__}: {problem}" if not isinstance(problem, (_BadUrl, TooLarge, AddressRefused)) else str(problem)
    if isinstance(problem, TooLarge):
        return Failure.TOO_LARGE, detail
    if progress.sent:
        return Failure.NO_ANSWER, detail
    if isinstance(problem, _BadUrl):
        return Failure.BAD_URL, detail
    if isinstance(problem, AddressRefused):
        return Failure.ADDRESS_REFUSED, detail
    if isinstance(problem, socket.gaierror):
        return Failure.DNS, detail
    if isinstance(problem, ssl.SSLError):
        return Failure.TLS, detail
    return Failure.CONNECT, detail
