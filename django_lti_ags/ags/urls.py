"""URLs as AGS 2.0 builds them: the path grows, the query stays byte for byte."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH: Final = 8192
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_CHARACTERS: Final = re.compile("[!-~]*")
_LONGEST_HOST: Final = 253
_LONGEST_LABEL: Final = 63
"""Both from RFC 1035, 2.3.4; a resolver does not take more."""


def scores_url(line_item_url: str) -> str:
    """Where a line item's scores are posted (AGS 2.0, 3.4.1)."""
    return _extended(line_item_url, "/scores")


def results_url(line_item_url: str) -> str:
    """Where a line item's results are read (AGS 2.0, 3.3.1)."""
    return _extended(line_item_url, "/results")


def _extended(url: str, segment: str) -> str:
    # Not urlsplit: it would drop an empty query, and a second "?" or encoded bytes must survive.
    whole = url.partition("#")[0]
    path, mark, query = whole.partition("?")
    return f"{path.rstrip('/')}{segment}{mark}{query}"


def with_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """``url`` with ``pairs`` added to its query, which is kept as it is."""
    added = urlencode(list(pairs))
    whole = url.partition("#")[0]
    if not added:
        return whole
    if "?" not in whole:
        return f"{whole}?{added}"
    return whole + ("" if whole.endswith(("?", "&")) else "&") + added


def names_parameter(url: str, name: str) -> bool:
    """Whether the query of ``url`` has a parameter of this name."""
    query = url.partition("#")[0].partition("?")[2]
    return any(key == name for key, _ in parse_qsl(query, keep_blank_values=True))


@lru_cache(maxsize=1024)
def origin(url: str) -> str:
    """Scheme, host and port, in lower case and without a default port (RFC 6454).

    Raises:
        ValueError: ``url`` cannot be requested.
    """
    check_url(url)
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    shown = f"[{host}]" if ":" in host else host
    port = parts.port
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != DEFAULT_PORTS[parts.scheme] else "")


def resolved(reference: str, base: str) -> str:
    """``reference`` as seen from ``base`` (RFC 3986, 5); an absolute one byte for byte, which urljoin would tidy up.

    Raises:
        ValueError: it is no URL.
    """
    return reference if urlsplit(reference).scheme else urljoin(base, reference)


def check_url(url: str) -> None:
    """Accept an absolute http(s) URL that can be requested as it stands.

    Raises:
        ValueError: what is wrong with it.
    """
    if not isinstance(url, str):
        raise ValueError(f"must be a string, not {type(url).__name__}")
    _check(url)


@lru_cache(maxsize=1024)
def _check(url: str) -> None:
    shown = repr(url[:200])
    if len(url) > MAX_LENGTH:
        raise ValueError(f"{shown}… is longer than {MAX_LENGTH} characters")
    if not _CHARACTERS.fullmatch(url):
        raise ValueError(f"{shown} holds spaces, control or non-ASCII characters, which a URL must percent-encode")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise ValueError(f"{shown} is no URL: {problem}") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"{shown} must begin with https:// or http://")
    host = parts.hostname or ""
    if not host.strip(".") or port == 0 or "\\" in url:
        raise ValueError(f"{shown} names no host")
    if "@" in parts.netloc:
        raise ValueError("a URL must not carry a user name or password")
    if "%" in host:
        raise ValueError(f"{shown} has a percent sign in its host")
    if ":" not in host and (len(host) > _LONGEST_HOST or not all(0 < len(label) <= _LONGEST_LABEL for label in _labels(host))):
        raise ValueError(f"{shown} names a host with an empty or an overlong part")


def _labels(host: str) -> list[str]:
    return host.removesuffix(".").split(".")
