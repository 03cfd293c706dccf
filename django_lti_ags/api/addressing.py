"""Which line item an address means, and whether it means the item or its scores: ``api/lineitems/<URL-encoded id>[/scores]``.

An id is a URL, and a client encodes its slashes and question marks. Most servers hand the path over as it came beside the decoded
one: gunicorn, uWSGI and waitress in the WSGI environment, ASGI servers in the scope. There the id is one segment, whatever is in it. Where
only the decoded path is known, a trailing ``/scores`` is taken for the address of scores, unless the caller has a column of that very id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from django_lti_ags.ags.urls import check_url
from django_lti_ags.api.errors import bad

if TYPE_CHECKING:
    from django.http import HttpRequest

_MARK: Final = "/api/lineitems/"
_SCORES: Final = "/scores"
_ENCODED: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_MERGED: Final = re.compile("^(https?):/(?=[^/])")
"""Proxies that merge slashes do so in a decoded id, too."""


@dataclass(frozen=True, slots=True)
class Address:
    """What the path says."""

    url: str
    """The line item's id."""
    of_scores: bool
    otherwise: str = ""
    """The id, if the path did not mean scores after all; blank: it is certain."""


def address(request: HttpRequest, decoded: str) -> Address:
    """What ``request`` is about; ``decoded``: what Django made of the path behind ``api/lineitems/``.

    Raises:
        ApiError: 400: the id is not encoded as it should be, or is no URL.
    """
    segments = _raw_segments(request)
    if segments is not None:
        return Address(_usable(_decoded(segments[0])), of_scores=len(segments) > 1)
    if not decoded.endswith(_SCORES):
        return Address(_usable(decoded), of_scores=False)
    return Address(_usable(decoded.removesuffix(_SCORES)), of_scores=True, otherwise=_MERGED.sub(r"\1://", decoded))


def _raw_segments(request: HttpRequest) -> list[str] | None:
    """The segments of the path as it came: the id, and ``scores`` perhaps. None: it is not known, or the id was not encoded."""
    scope = getattr(request, "scope", None)
    if scope is not None:
        raw = (scope.get("raw_path") or b"").decode("latin-1")
    else:
        raw = str(request.META.get("RAW_URI") or request.META.get("REQUEST_URI") or "")
    _, mark, behind = raw.partition("?")[0].partition(_MARK)
    segments = behind.split("/")
    if not mark or not segments[0] or segments[1:] not in ([], ["scores"]):
        return None
    return segments


def _decoded(segment: str) -> str:
    if _ENCODED.search(segment):
        raise _malformed("has a percent sign without two hexadecimal digits")
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise _malformed("holds encoded bytes that are not UTF-8") from None


def _usable(url: str) -> str:
    url = _MERGED.sub(r"\1://", url)
    if _ENCODED.search(url):
        raise _malformed("has a percent sign without two hexadecimal digits")
    try:
        check_url(url)
    except ValueError as problem:
        raise _malformed(f"must be a line item's URL, percent-encoded as a whole: {problem}") from None
    return url


def _malformed(rule: str) -> Exception:
    return bad({"id": rule}, message="INVALID_LINE_ITEM_ID")
