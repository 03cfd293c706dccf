"""One connection: to a checked address, through a proxy if there is one, with the shared TLS context."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from django_lti_ags.ags.addresses import AddressRefused
from django_lti_ags.ags.responses import Response
from django_lti_ags.ags.urls import DEFAULT_PORTS

if TYPE_CHECKING:
    from django_lti_ags.ags.addresses import AddressGuard
    from django_lti_ags.ags.environment import Target
    from django_lti_ags.ags.resolving import Resolver

_IDLE_SECONDS: Final = 30.0
"""Servers drop idle connections after a minute or so; a POST into a half-closed one would have no clear end."""


class Connection(http.client.HTTPConnection):
    """One connection to a target. ``opened`` says whether a request can have gone out on it."""

    response_class = Response
    sock: Any

    def __init__(self, target: Target, guard: AddressGuard, tls: ssl.SSLContext, resolver: Resolver) -> None:
        self.target = target
        self._guard = guard
        self._tls = tls
        self._resolver = resolver
        self.deadline = 0.0
        self.idle_since = 0.0
        self.reused = False
        self.made_before = 0
        """How often the pool had been closed when it was made."""
        proxy = urlsplit(target.proxy)
        super().__init__(proxy.hostname or target.host, proxy.port or (DEFAULT_PORTS["http"] if target.proxy else target.port))
        self._proxy_headers = _proxy_headers(proxy.username, proxy.password)
        if target.proxy and target.scheme == "https":
            self.set_tunnel(target.host, target.port, headers=self._proxy_headers)

    def connect(self) -> None:
        """Connect to an address that passed the guard.

        Raises:
            AddressRefused: none passed.
            OSError: nobody answered.
        """
        self.sock = self._open()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.target.proxy and self.target.scheme == "https":
            self._tunnel()  # type: ignore[attr-defined]
        if self.target.scheme == "https":
            # Handshake last: the watchdog must find the wrapped socket, the plain one is detached.
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.target.host, do_handshake_on_connect=False)
            self.sock.do_handshake()

    def _open(self) -> socket.socket:
        if self.target.proxy:
            # The proxy was chosen by the operator; what it is asked for must still not be inside.
            self._guard.check_name(self.target.host, self.target.port)
        problem: OSError | None = None
        addresses = self._resolver.addresses(self.host, self.port, self._remaining())
        for tried, address in enumerate(addresses):
            try:
                if not self.target.proxy:
                    self._guard.check(self.host, self.port, address)
                # A share of the time each: of a host's two addresses, the IPv6 one often stays silent.
                return socket.create_connection((address, self.port), timeout=self._remaining() / (len(addresses) - tried))
            except OSError as failed:
                problem = problem if isinstance(problem, AddressRefused) else failed
        raise problem or OSError(f"{self.host} has no address")

    def _remaining(self) -> float:
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the deadline passed before a connection came about")
        return remaining

    def prepare(self, deadline: float) -> None:
        """Get ready for a request that ends by ``deadline``."""
        self.deadline = deadline
        if self.sock is not None:
            self.sock.settimeout(self._remaining())

    def request_target(self, url: str) -> str:
        """What stands in the request line."""
        if self.target.proxy and self.target.scheme == "http":
            return url.partition("#")[0]
        parts = urlsplit(url)
        path = url[url.index(parts.netloc, len(parts.scheme)) + len(parts.netloc) :].partition("#")[0]
        return path if path.startswith("/") else f"/{path}"

    def extra_headers(self) -> dict[str, str]:
        """The host, and what a plain proxy wants to be told with each request."""
        # http.client would tell this class's default port, 80, from the target's: "Host: lms.example:443".
        host = {"Host": self.target.authority}
        return host | self._proxy_headers if self.target.proxy and self.target.scheme == "http" else host

    def is_old(self) -> bool:
        """Whether nobody has used it for so long that the server may be about to close it."""
        return time.monotonic() - self.idle_since > _IDLE_SECONDS

    def is_stale(self) -> bool:
        """Whether it is old, the server has closed it, or says something nobody asked for."""
        if self.sock is None or self.is_old():
            return True
        try:
            return bool(select.select([self.sock], [], [], 0)[0])
        except (OSError, ValueError):
            return True


def _proxy_headers(user: str | None, password: str | None) -> dict[str, str]:
    if not user:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return {"Proxy-Authorization": "Basic " + b64encode(pair.encode()).decode()}
