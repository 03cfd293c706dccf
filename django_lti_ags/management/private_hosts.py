"""Whether a platform is where the tool does not look unasked: said when it is registered, not when the first grade is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django_lti_ags.ags.addresses import AddressGuard, AddressRefused
from django_lti_ags.ags.resolving import Resolver, resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

PATIENCE_SECONDS: Final = 3.0
_PORTS: Final = {"http": 80, "https": 443}


def warnings(urls: Iterable[str], allowed: Collection[str]) -> Iterator[str]:
    """A sentence per host of ``urls`` that resolves to a private address, unless it is among the ``allowed`` ones.

    A host that does not resolve just now is nothing to warn of: the network may be another one here.
    """
    try:
        guard = AddressGuard(allowed)
    except ValueError as problem:
        yield f'Warning: LTI_AGS["ALLOWED_PRIVATE_HOSTS"]: {problem}.'
        return
    parts = [urlsplit(url) for url in urls]
    for host, port in dict.fromkeys((part.hostname or "", part.port or _PORTS[part.scheme]) for part in parts):
        for address in _resolved(host, port):
            try:
                guard.check(host, port, address)
            except AddressRefused as problem:
                yield (
                    f"Warning: {problem}. The tool sends nothing there, and refuses launches from there, until LTI_AGS"
                    f'["ALLOWED_PRIVATE_HOSTS"] lists {host!r}. Do that only if the platform is meant to be on your own network.'
                )
                break


def _resolved(host: str, port: int) -> list[str]:
    try:
        return Resolver(resolve).addresses(host, port, PATIENCE_SECONDS)
    except (OSError, ValueError):  # no name that DNS knows, or none that it knows just now
        return []
