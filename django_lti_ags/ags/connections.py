"""Connections and their pool: checked addresses, one shared TLS context, idle ones dropped in time."""

from __future__ import annotations

import http.client
import os
import select
import socket
import ssl
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]

import certifi

from django_lti_ags.ags.addresses import AddressRefused
from django_lti_ags.ags.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.ags.addresses import AddressGuard

_IDLE_SECONDS: Final = 30.0
"""Servers drop idle connections after a minute or so; a POST into a half-closed one would have no clear end."""
_PORTS: Final = {"http": 80, "https": 443}


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses, as text."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the origin's host and port, and the proxy on the way, if there is one."""

    scheme: str
    host: str
    port: int
    proxy: str = ""


class Environment:
    """Proxies and certificate authorities, read once: looking them up costs more than a request."""

    def __init__(self, ca_bundle: str | None = None) -> None:
        self._proxies = getproxies()
        bundle = ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or certifi.where()
        self.tls = ssl.create_default_context(cafile=bundle)

    def target(self, url: str) -> Target:
        """Where ``url`` is requested from."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or _PORTS[parts.scheme]
        proxy = self._proxies.get(parts.scheme) or self._proxies.get("all") or ""
        if proxy and proxy_bypass_environment(f"{host}:{port}", self._proxies):
            proxy = ""
        return Target(parts.scheme, host, port, proxy if "://" in proxy or not proxy else f"http://{proxy}")


class Connection(http.client.HTTPConnection):
    """One connection to a target. ``opened`` says whether a request can have gone out on it."""

    response_class = Response
    sock: Any

    def __init__(self, target: Target, guard: AddressGuard, tls: ssl.SSLContext, resolver: Callable[[str, int], list[str]]) -> None:
        self.target = target
        self._guard = guard
        self._tls = tls
        self._resolver = resolver
        self.deadline = 0.0
        self.idle_since = 0.0
        self.reused = False
        proxy = urlsplit(target.proxy)
        super().__init__(proxy.hostname or target.host, proxy.port or (_PORTS["http"] if target.proxy else target.port))
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
            # The proxy was chosen by the operator; what it is asked for must still not be a private address.
            _check_literal(self._guard, self.target)
            return socket.create_connection((self.host, self.port), timeout=self._remaining())
        problem: OSError | None = None
        addresses = self._resolver(self.host, self.port)
        for tried, address in enumerate(addresses):
            try:
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
            return url
        parts = urlsplit(url)
        path = url[url.index(parts.netloc, len(parts.scheme)) + len(parts.netloc) :].partition("#")[0]
        return path if path.startswith("/") else f"/{path}"

    def extra_headers(self) -> dict[str, str]:
        """What a plain proxy wants to be told with each request."""
        return self._proxy_headers if self.target.proxy and self.target.scheme == "http" else {}

    def is_stale(self) -> bool:
        """Whether the server has closed it, or says something nobody asked for."""
        if self.sock is None or time.monotonic() - self.idle_since > _IDLE_SECONDS:
            return True
        try:
            return bool(select.select([self.sock], [], [], 0)[0])
        except (OSError, ValueError):
            return True


def _check_literal(guard: AddressGuard, target: Target) -> None:
    try:
        address = socket.inet_ntoa(socket.inet_aton(target.host))  # also 127.1, 0x7f.1 and 2130706433, as a proxy's resolver reads them
    except OSError:
        address = target.host
    try:
        guard.check(target.host, target.port, address)
    except AddressRefused:
        raise
    except ValueError:
        return  # a name: the proxy resolves it


def _proxy_headers(user: str | None, password: str | None) -> dict[str, str]:
    if not user:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return {"Proxy-Authorization": "Basic " + b64encode(pair.encode()).decode()}


class Pool:
    """Idle connections per target: bounded, the newest first, the old dropped."""

    def __init__(self, size: int, make: Callable[[Target], Connection]) -> None:
        self._size = size
        self._make = make
        self._idle: dict[Target, list[Connection]] = {}
        self._lock = threading.Lock()

    def take(self, target: Target, *, fresh: bool = False) -> Connection:
        """A live idle connection, or a new one that is not connected yet."""
        while not fresh:
            with self._lock:
                idle = self._idle.get(target)
                connection = idle.pop() if idle else None
            if connection is None:
                break
            if not connection.is_stale():
                connection.reused = True
                return connection
            connection.close()
        return self._make(target)

    def give_back(self, connection: Connection) -> None:
        """Keep ``connection`` for the next request, if there is room."""
        connection.idle_since = time.monotonic()
        with self._lock:
            idle = self._idle.setdefault(connection.target, [])
            if len(idle) < self._size:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            connections = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
        for connection in connections:
            connection.close()
