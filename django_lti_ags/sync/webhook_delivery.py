"""How a webhook is sent: the wire's half, without a database. Standard Webhooks 1.0 (standardwebhooks.com).

What goes wrong concerns the one endpoint: its circuit opens, and no score waits for it. A receiver may be told the same
twice (its answer was lost, a worker died), and knows it by the id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Final

from django_lti_ags.ags.exchange import Failure
from django_lti_ags.ags.times import retry_after_seconds
from django_lti_ags.models.webhooks import SECRET_PREFIX
from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Disposition, Reach, Verdict, rejected, throttled
from django_lti_ags.sync.jobs import NOT_STARTED, Job

if TYPE_CHECKING:
    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.ags.transport import Transport

GONE: Final = "webhook_gone"
"""The endpoint wants to hear nothing any more."""


class Receiver(Profile):
    """What is expected of an endpoint."""

    max_concurrency: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookJob(Job):
    """One claimed message."""

    url: str
    message_id: str
    body: bytes = field(repr=False)
    secret: str = field(repr=False)


def talk(job: WebhookJob, transport: Transport) -> tuple[Verdict, bool]:
    """Tell it once; the verdict, and False: telling again does no harm, so no question is ever open."""
    if time.monotonic() > job.start_by:
        return NOT_STARTED, False
    timestamp = str(int(time.time()))
    signature = sign(job.secret, job.message_id, timestamp, job.body)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": job.message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
    exchange = transport.send("webhook", "POST", job.url, headers=headers, body=job.body, secrets=(signature,))
    job.exchanges.append(exchange.recorded())
    return judge(exchange), False


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """The signature (Standard Webhooks, "Signature scheme"): base64 of an HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode("ascii")


def judge(exchange: Exchange) -> Verdict:
    """What a receiver's answer means: only its status counts, and the body is for people."""
    detail, status = describe(exchange), exchange.status
    if status is not None and 200 <= status < 300:
        return Verdict(code="webhook_delivered", disposition=Disposition.DELIVERED)
    if status == 410:
        # All that waits for it: it is disabled, and what rests then goes once a person enables it.
        return replace(rejected(GONE, detail, Reach.SERVICE), strains_service=True)
    if status == 429 and exchange.failure is None:
        return throttled(detail, retry_after_seconds(exchange))
    if status is not None:
        return _later("webhook_refused", detail)
    if exchange.failure in (Failure.ADDRESS_REFUSED, Failure.BAD_URL):
        return _later("webhook_address_refused", detail)
    return _later("webhook_unreachable", detail)


def _later(code: str, detail: str) -> Verdict:
    """Whatever it is, its owner may put it right: it is told again, for as long as scores are tried."""
    return Verdict(code=code, disposition=Disposition.RETRY, strains_service=True, detail=detail)
