"""A strict AGS platform in memory, and the client that speaks to it: what the state machine sends to.

It applies a score only if its timestamp is later than the one it holds, and remembers everything
that went out to it and everything that it applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from django_lti_ags.ags.client import ScoreReceipt
from django_lti_ags.ags.exchange import Exchange, Failure
from django_lti_ags.ags.types import Result
from django_lti_ags.exceptions import ExchangeFailed, NotStarted

MAXIMUM = 10
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Answer(StrEnum):
    """How the platform, or the network before it, treats a request."""

    PLAIN = "plain"
    UNREACHABLE = "unreachable"
    LOST_BEFORE = "lost_before"
    LOST_AFTER = "lost_after"
    REFUSES = "422"
    FORBIDDEN = "403"
    UNAUTHORISED = "401"
    BROKEN = "500"
    GATEWAY = "502"
    BUSY = "503"

    @property
    def is_lost(self) -> bool:
        return self in (Answer.LOST_BEFORE, Answer.LOST_AFTER)

    @property
    def reaches_the_gradebook(self) -> bool:
        return self in (Answer.PLAIN, Answer.LOST_AFTER, Answer.GATEWAY)


class Monotonic:
    """Time that only advances, and a database's clock that may also be set."""

    def __init__(self, start: datetime) -> None:
        self.seconds = 0.0
        self._clock = start

    def now(self) -> datetime:
        return self._clock

    def advance(self, span: timedelta) -> None:
        self.seconds += span.total_seconds()
        self._clock += span

    def set(self, span: timedelta) -> None:
        self._clock += span


@dataclass(frozen=True)
class Sent:
    """A score that went out, whether or not it arrived."""

    user_id: str
    given: float | None
    comment: str
    timestamp: datetime


@dataclass
class Shown:
    given: float | None = None
    comment: str | None = None
    timestamp: datetime = LONG_AGO
    edited: bool = False


class StrictPlatform:
    def __init__(self, clock: Monotonic) -> None:
        self.clock = clock
        self.asked = self.posted = Answer.PLAIN
        self.gradebook: dict[str, Shown] = {}
        self.sent: list[Sent] = []
        self.applied: list[Sent] = []
        self.results_read = 0

    def client(self, credentials, scopes, observe, profile):
        return _Client(self, observe)

    def shown(self, user_id: str) -> Shown:
        return self.gradebook.setdefault(user_id, Shown())

    def edit(self, user_id: str, given: float) -> None:
        shown = self.shown(user_id)
        shown.given, shown.comment, shown.edited = given, None, True

    def take(self, sent: Sent) -> HTTPStatus:
        shown = self.shown(sent.user_id)
        if sent.timestamp <= shown.timestamp:
            return HTTPStatus.CONFLICT
        self.gradebook[sent.user_id] = Shown(sent.given, sent.comment or None, sent.timestamp)
        self.applied.append(sent)
        return HTTPStatus.OK


class _Client:
    """The two calls of a client that a send makes."""

    def __init__(self, platform: StrictPlatform, observe) -> None:
        self._platform = platform
        self._observe = observe

    def post_score(self, url, score, *, start_by):
        self._check_start(start_by)
        platform, answer = self._platform, self._platform.posted
        sent = Sent(score.user_id, score.score_given, score.comment or "", score.timestamp)
        if answer is not Answer.UNREACHABLE:
            platform.sent.append(sent)
        status = platform.take(sent) if answer.reaches_the_gradebook else None
        return ScoreReceipt(self._exchange("score", answer, status))

    def list_results(self, url, *, user_id, start_by):
        self._check_start(start_by)
        self._exchange("results", self._platform.asked, HTTPStatus.OK)
        self._platform.results_read += 1
        shown = self._platform.shown(user_id)
        result = Result(user_id=user_id, result_score=shown.given, result_maximum=MAXIMUM, comment=shown.comment)
        return [] if shown.given is None else [result]

    def _check_start(self, start_by: float) -> None:
        if self._platform.clock.seconds > start_by:
            raise NotStarted

    def _exchange(self, kind: str, answer: Answer, status: HTTPStatus | None) -> Exchange:
        failure = None
        if answer.is_lost or answer is Answer.UNREACHABLE:
            status, failure = None, Failure.NO_ANSWER if answer.is_lost else Failure.CONNECT
        elif answer is not Answer.PLAIN:
            status = HTTPStatus(int(answer))
        exchange = Exchange(
            kind=kind,
            method="POST" if kind == "score" else "GET",
            url="https://lms.example/1",
            status=status,
            failure=failure,
            sent=answer is not Answer.UNREACHABLE,
            started_at=datetime.now(UTC),
        )
        self._observe(exchange)
        if not exchange.ok:
            raise ExchangeFailed([exchange])
        return exchange
