"""Which addresses may be connected to: public ones, and those that an operator listed.

Every address is checked at the moment it is used, so a name that resolves differently the second
time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ip_network("64:ff9b::/96")
_UNICAST: Final = ip_network("2000::/3")
"""The only part of IPv6 that is given out (RFC 4291, 2.4)."""
_NOT_PUBLIC: Final = (
    ip_network("192.0.0.0/24"),  # RFC 6890; Oracle's metadata; Python before 3.11.10 and 3.12.4 calls most of it global
    ip_network("168.63.129.16/32"),  # Azure's platform, which answers any machine inside
    ip_network("3fff::/20"),  # RFC 9637: documentation, unknown to older Pythons
)
_INSIDE: Final = (".localhost", ".internal", ".local", ".localdomain", ".home.arpa")
"""Names that are not public (RFC 6761, 6762, 8375; ICANN's .internal, which clouds use for their metadata)."""
_LOW_32_BITS: Final = 0xFFFFFFFF


class AddressRefused(OSError):
    """The address is private, and nobody listed it."""


class AddressGuard:
    """Lets through public addresses, and what ``allowed`` names.

    Args:
        allowed: ``host``, ``host:port``, ``*.campus.example``, an address, or a network such as ``10.0.0.0/8``.

    Raises:
        ValueError: an entry is none of these.
    """

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._suffixes: list[str] = []
        self._networks: list[Network] = []
        for entry in allowed:
            self._add(entry.strip().casefold().rstrip("."))

    def _add(self, entry: str) -> None:
        if not entry or "://" in entry or "*" in entry.removeprefix("*."):
            raise ValueError(f"{entry!r} is no host: write it without a scheme, as in 'lms.campus.example' or '10.0.0.0/8'")
        if "/" in entry:
            self._networks.append(ip_network(entry, strict=False))
        elif entry.startswith("*."):
            self._suffixes.append(entry[1:])
        else:
            self._hosts.add(entry.strip("[]") if entry.startswith("[") and entry.endswith("]") else entry)

    def check(self, host: str, port: int, address: str) -> None:
        """Accept ``address``, which ``host`` resolved to.

        Raises:
            AddressRefused: it must not be connected to.
        """
        if self._lists(host, port):
            return
        if self._is_in_a_network(address):
            return
        if not is_public(ipaddress.ip_address(address.partition("%")[0])):
            raise AddressRefused(f"{host} resolves to {address}, which is not a public address")

    def lists(self, host: str, port: int) -> bool:
        """Whether an operator listed ``host``: its name, or the address or network of the address that it is. Nothing is looked up."""
        address = literal(host)
        return self._lists(host, port) or (address is not None and self._is_in_a_network(address))

    def check_name(self, host: str, port: int) -> None:
        """Accept a host that somebody else will resolve: a proxy. Its address cannot be checked, but what it says can.

        Raises:
            AddressRefused: it is a private address, in whatever spelling, or a name that only leads inside.
        """
        address = literal(host)
        if address is not None:
            self.check(host, port, address)
            return
        name = f".{host.casefold().rstrip('.')}"
        if (name.count(".") == 1 or name.endswith(_INSIDE)) and not self._lists(host, port):
            raise AddressRefused(f"{host} is a name inside a network")

    def _is_in_a_network(self, address: str) -> bool:
        ip = ipaddress.ip_address(address.partition("%")[0])
        return any(ip.version == network.version and ip in network for network in self._networks)

    def _lists(self, host: str, port: int) -> bool:
        name = host.casefold().rstrip(".")
        return bool(self._hosts & {name, f"{name}:{port}", f"[{name}]:{port}"}) or any(name.endswith(suffix) for suffix in self._suffixes)


def literal(host: str) -> str | None:
    """The address that ``host`` spells; None: it is a name. Also read are 127.1, 0x7f.1 and 2130706433, as resolvers do."""
    host = host.rstrip(".")
    try:
        return str(ipaddress.ip_address(socket.inet_ntoa(socket.inet_aton(host))))
    except OSError:
        try:
            return str(ipaddress.ip_address(host.partition("%")[0]))
        except ValueError:
            return None


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this machine (RFC 6761, 6.3), without looking it up."""
    address = literal(host)
    if address is not None:
        return ipaddress.ip_address(address).is_loopback
    return f".{host.casefold().rstrip('.')}".endswith(".localhost")


def is_public(ip: Address) -> bool:
    """Whether ``ip`` is out on the internet, looking through every way to wrap an IPv4 address into an IPv6 one."""
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _wrapped(ip)
        if inner is not None:
            return is_public(inner)
        if ip not in _UNICAST:
            return False
    if any(ip in network for network in _NOT_PUBLIC):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local or ip.is_loopback)


def _wrapped(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if ip in _NAT64 or int(ip) <= _LOW_32_BITS:  # NAT64, and the old "IPv4-compatible" form
        return ipaddress.IPv4Address(int(ip) & _LOW_32_BITS)
    return None
