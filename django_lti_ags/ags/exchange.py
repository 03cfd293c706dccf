"""The record of one request and its answer, with every secret taken out.

It is made by the transport, kept by whoever observes, and judged by the profiles. It never raises,
and it never shows a token, an assertion or a key. Until it is recorded, it also carries the answer as
it came: an id that happens to hold the token's text must be read, not ``[redacted]``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_SUMMARY_LENGTH: Final = 300


class Failure(StrEnum):
    """Why there is no HTTP answer, or no usable one."""

    ADDRESS_REFUSED = "address_refused"
    """The host resolves to an address that is not allowed; nothing was sent."""
    BAD_URL = "bad_url"
    """It is no URL that can be requested; nothing was sent."""
    DNS = "dns"
    """The host's name does not resolve; nothing was sent."""
    CONNECT = "connect"
    """No connection came about; nothing was sent."""
    TLS = "tls"
    """No trusted connection came about; nothing was sent."""
    NO_ANSWER = "no_answer"
    """The request went out, at least in part, and no whole answer came within the deadline."""
    TOO_LARGE = "too_large"
    """The answer's body is longer than the limit; its status is known."""
    SCOPE_NOT_GRANTED = "scope_not_granted"
    """The token's answer does not grant the scope that the call needs."""
    BAD_TOKEN_ANSWER = "bad_token_answer"  # noqa: S105 - a name
    """The token endpoint answered 2xx, but with no usable token."""


class Answer:
    """What came, as it came: for the call that reads it. It may hold secrets, so it is neither shown, copied nor pickled."""

    __slots__ = ("body", "headers")

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        self.body = body
        self.headers = headers

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came of it."""

    kind: str
    """``token``, ``score``, ``results``, ``line_item`` or ``jwks``; Canvas' ``progress``; of its REST API ``outcome_results``,
    ``outcome_rollups``, ``outcome_order``, ``live_assessments`` or ``live_results``. A tool's own ``webhook``."""
    method: str
    url: str
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request_body: str = ""
    status: int | None = None
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names; repeated ones joined by a comma; no cookies."""
    body: str = ""
    failure: Failure | None = None
    detail: str = ""
    sent: bool = False
    """False only when it is certain that no byte of the request went out."""
    started_at: datetime
    duration_ms: float = 0.0
    answer: Answer | None = field(default=None, repr=False, compare=False)
    """What came, until the record is kept: see :meth:`recorded`."""

    def recorded(self) -> Exchange:
        """The record alone, which may be kept and shown."""
        return replace(self, answer=None)

    def header(self, name: str) -> str | None:
        """A header as it came; ``name`` in lower case."""
        return (self.headers if self.answer is None else self.answer.headers).get(name)

    @property
    def ok(self) -> bool:
        """Whether there is a whole answer that says success (any 2xx)."""
        return self.failure is None and self.status is not None and 200 <= self.status < 300

    @property
    def size(self) -> int:
        """How long the body is: in bytes as it came, or in characters as it was kept."""
        return len(self.body if self.answer is None else self.answer.body)

    def json(self) -> Any:
        """The body as JSON, with or without a byte order mark; of a record, what it kept of the body.

        Raises:
            ValueError: it is none.
        """
        if self.answer is None:
            return json.loads(self.body.removeprefix("\ufeff"))
        return json.loads(self.answer.body.decode("utf-8-sig", "replace"))

    def summary(self) -> str:
        """One line without secrets, for logs and errors."""
        answer = f"{self.status or ''} {self.reason} {self.failure or ''} {self.detail}"
        said = " ".join(self.body.split()) if self.failure is None and not self.ok else ""
        return " ".join(f"{self.method} {self.url} → {answer} {said}".split())[:_SUMMARY_LENGTH]
