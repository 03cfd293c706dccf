"""What of an exchange may be kept: cut to size, and then without secrets.

Cut first, since a server may send megabytes in which to search; and what was cut in the middle of a
secret does not show its beginning.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django_lti_ags.ags.exchange import Answer, Exchange
from django_lti_ags.ags.redaction import REDACTED, redacted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django_lti_ags.ags.exchange import Failure
    from django_lti_ags.ags.responses import Progress

_BODY_KEPT: Final = 65_536
_HEADERS_KEPT: Final = 65_536
_TEXT_KEPT: Final = 8192
_REASON_LENGTH: Final = 200
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})


def answered(record: Exchange, progress: Progress, failure: Failure | None, detail: str, secrets: Collection[str]) -> Exchange:
    """``record`` of what was asked, with what came of it, all without ``secrets``; the answer as it came goes along."""
    broken = failure is not None
    # Four bytes a character, at most: what is decoded for nothing stays small.
    body = progress.body[: 4 * _BODY_KEPT + 4].decode("utf-8", "replace")
    asked = {
        name: REDACTED if name.casefold() in _SECRET_HEADERS else kept(value, secrets, _TEXT_KEPT)
        for name, value in record.request_headers.items()
    }
    return replace(
        record,
        url=kept(record.url, secrets, _TEXT_KEPT),
        request_headers=asked,
        request_body=kept(record.request_body, secrets, _BODY_KEPT),
        status=progress.status,
        reason=kept(progress.reason, secrets, _TEXT_KEPT)[:_REASON_LENGTH],
        headers=kept_headers(progress.headers, secrets),
        body=kept(body, secrets, _BODY_KEPT, cut_off=broken),
        failure=failure,
        detail=kept(detail, secrets, _TEXT_KEPT),
        sent=progress.sent,
        answer=None if broken else Answer(progress.body, progress.headers),
    )


def kept(text: str, secrets: Collection[str], longest: int, *, cut_off: bool = False) -> str:
    """The first ``longest`` characters of ``text``, without ``secrets``; ``cut_off``: it had lost its end before."""
    return redacted(text[:longest], secrets, cut_off=cut_off or len(text) > longest)


def kept_headers(headers: Mapping[str, str], secrets: Collection[str]) -> dict[str, str]:
    """``headers`` without ``secrets``, as many as there is room for."""
    found: dict[str, str] = {}
    room = _HEADERS_KEPT
    for name, value in headers.items():
        if room <= len(name):
            break
        found[redacted(name, secrets)] = kept(value, secrets, room - len(name))
        room -= len(name) + len(value)
    return found
