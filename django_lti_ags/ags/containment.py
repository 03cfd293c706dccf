"""Whether a URL that somebody gave can only mean something below one that is trusted: it is asked for with a platform's token.

Pure text, and strict: what two servers might read in two ways is refused. Nothing is decoded, resolved or put right.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from django_lti_ags.ags.urls import check_url, origin

_REST: Final = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%(?!25|2[EeFf]|3[Bb]|5[Cc]|7[Ff])[2-9A-Fa-f][0-9A-Fa-f])+)*/?")
"""Segments that are not empty. No encoded dot, slash, backslash, semicolon or percent sign, no control character: some servers decode
those before they look for a path, some twice; and no bare semicolon, which some cut a segment at."""
_DOTS: Final = frozenset({".", ".."})


def check_below(url: str, trusted: str) -> None:
    """Accept ``url`` if it is ``trusted`` or below it: same origin, the same path or a longer one, the same values in its query.

    Raises:
        ValueError: it is not, or nobody can be sure; the message says why, and does not name ``trusted``.
    """
    check_url(url)
    if "#" in url:
        raise ValueError("must not have a fragment")
    if origin(url) != origin(trusted):
        raise ValueError("is on another origin")
    given, base = urlsplit(url), urlsplit(trusted)
    above = base.path.rstrip("/")
    if not given.path.startswith(above):
        raise ValueError("is not below it")
    _check_rest(given.path[len(above) :])
    said, wanted = _pairs(given.query), _pairs(base.query)
    for name, values in wanted.items():
        if said.get(name) != values:
            raise ValueError("leaves out or changes a part of its query")


def _check_rest(rest: str) -> None:
    if rest and not rest.startswith("/"):
        raise ValueError("is not below it")
    if not _REST.fullmatch(rest) or _DOTS & set(rest.split("/")):
        raise ValueError("has an empty segment, a dot segment, or an encoded character that could be read in two ways")
    try:
        unquote(rest, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("holds an encoded byte that is not UTF-8") from None


def _pairs(query: str) -> dict[str, list[str]]:
    """Values by name; names that some server takes for the same one (PHP: ``a.b`` for ``a_b``, others: ``A``) are the same."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(re.sub("[^a-z0-9]", "", name.casefold()), []).append(value)
    return found
