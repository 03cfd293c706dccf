"""What the process's environment says of the way out: proxies and certificate authorities."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]

import certifi

from django_lti_ags.ags.addresses import is_loopback
from django_lti_ags.ags.urls import DEFAULT_PORTS

_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the origin's host and port, and the proxy on the way, if there is one."""

    scheme: str
    host: str
    port: int
    proxy: str = field(default="", repr=False)
    """Its URL, which may hold a password."""

    @property
    def authority(self) -> str:
        """The ``Host`` header: without the scheme's own port (RFC 9110, 4.2), which some servers take for another host."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == DEFAULT_PORTS[self.scheme] else f"{shown}:{self.port}"


class Environment:
    """Proxies and certificate authorities, read once: looking them up costs more than a request.

    Raises:
        ValueError: a proxy is not an http:// one, or the certificate authorities cannot be read.
    """

    def __init__(self, ca_bundle: str | None = None) -> None:
        found = getproxies()
        self._no_proxy = found.get("no", "")
        self._proxies = {scheme: _proxy(scheme, found) for scheme in DEFAULT_PORTS}
        self.tls = _tls(ca_bundle)

    def target(self, url: str) -> Target:
        """Where ``url`` is requested from. This machine is never asked of a proxy, which would ask itself."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        proxy = self._proxies[parts.scheme]
        if proxy and (is_loopback(host) or proxy_bypass_environment(f"{host}:{port}", {"no": self._no_proxy})):
            proxy = ""
        return Target(parts.scheme, host, port, proxy)


def _proxy(scheme: str, found: dict[str, str]) -> str:
    name = scheme if found.get(scheme) else "all"
    proxy = found.get(name) or ""
    if not proxy:
        return ""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    # The value is not shown: it may hold a password.
    if parts.scheme != "http":
        raise ValueError(f"{name}_proxy names a {parts.scheme}:// proxy; only http:// ones are spoken to (https goes through their tunnel)")
    try:
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"{name}_proxy names no host and port, such as http://proxy.campus.example:3128")
    return parts.geturl()


def _tls(ca_bundle: str | None) -> ssl.SSLContext:
    name, bundle = "ca_bundle", ca_bundle or ""
    for variable in _BUNDLES:
        if not bundle:
            name, bundle = variable, os.environ.get(variable) or ""
    path = Path(bundle or certifi.where())
    if not path.exists():
        raise ValueError(f"{name}: {path} is neither a file nor a directory of certificate authorities")
    try:
        return _context(path)
    except (OSError, ssl.SSLError) as problem:
        raise ValueError(f"{name}: {path} holds no certificate authorities that can be read: {problem}") from None


@lru_cache(maxsize=8)
def _context(path: Path) -> ssl.SSLContext:
    """Read once per process, however many transports there are: it takes longer than a request."""
    return ssl.create_default_context(capath=path) if path.is_dir() else ssl.create_default_context(cafile=path)
