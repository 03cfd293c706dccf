"""``Idempotency-Key``: a request that is repeated, because its answer was lost, is answered alike and not carried out again.

As the IETF's draft of that header says: 400 for a key that cannot be one, 409 while the first request is under way, 422 for a key that
belongs to another request. What is refused is not kept: the key is free again. A key counts within an API key and a registration.

What is recorded here commits together with its key, so it happens once however many ask at the same moment: the later ones wait. What a
platform is asked for cannot be promised that far: where nobody knows whether it was done, a repeat is told so, and asks nothing.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags import conf
from django_lti_ags.ags.rules import check_text
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.exceptions import ExchangeFailed, InvalidAnswer, InvalidLineItem, InvalidScore, LtiAgsError
from django_lti_ags.models import IdempotentRequest
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.outbox_sql import database_now, in_transaction, insert_or_lock, locked, share

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from rest_framework.request import Request

    from django_lti_ags.api.callers import Caller

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255
_LIFETIME: Final = timedelta(days=7)
"""A queue that was stopped over a weekend may still repeat what it does not know the answer of."""
_EXCHANGES: Final = 6
"""With platforms, at most, for one request (a token, a refusal of it, pages): who has no answer after so many deadlines never will."""
_COME_BACK_SECONDS: Final = 5.0


def key_of(request: Request) -> str:
    """The header; blank: there is none.

    Raises:
        ApiError: 400: it cannot be a key.
    """
    given: str | None = request.headers.get(HEADER)
    if given is None:
        return ""
    if not given.strip():
        raise bad({HEADER: "must not be blank: without one each request is carried out"})
    try:
        check_text(HEADER, given, LONGEST)
    except InvalidScore as problem:
        raise bad({HEADER: problem.rule}) from None
    return given


def reused() -> ApiError:
    """The 422."""
    return ApiError(422, "IDEMPOTENCY_KEY_REUSED", f"Another request was made with this {HEADER}. Nothing was done.")


class Once:
    """A request that is carried out once under its key; without a key, each time.

    Args:
        request: it, with its body.
        caller: whose.
        place: what it is about, whichever way it was named: the same in a repeat, and another for another column.

    Raises:
        ApiError: 400: it cannot be a key.
    """

    def __init__(self, request: Request, caller: Caller, *place: str) -> None:
        self._key = key_of(request)
        self._caller = caller
        self._place = place
        self.said: Any = request.data
        """What is asked for; a view that knows better what is the same may say it in another form."""

    @property
    def name(self) -> str:
        """What to call here what is done under the key: another one's key makes another name. Blank: there is none."""
        return digest(str(self._caller.key.uid), self._key_digest) if self._key else ""

    def known(self) -> dict[str, Any] | None:
        """What it was answered before; None: nothing, or it has no key.

        Raises:
            ApiError: 422: the key is another request's. 409: it is under way, or nobody knows what became of it.
        """
        row = self._rows.first() if self._key else None
        return None if row is None else self._answer_of(row)

    def recorded(self, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``act`` answers, which records things here, in one transaction with the key; or what it answered before.

        Raises:
            ApiError: as :meth:`known`.
        """
        if not self._key:
            return act()
        return in_transaction(lambda: self._recorded(act), self._alias)

    def _recorded(self, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        row, is_mine = self._claimed()
        if not is_mine:
            return self._answer_of(row)
        answer = act()
        self._rows.filter(pk=row.pk).update(answer=json.dumps(answer))
        return answer

    def asked(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``ask`` answers, which asks a platform; or what it answered before.

        Raises:
            ApiError: as :meth:`known`.
        """
        if not self._key:
            return ask()
        # Stands before the platform hears of it: whatever breaks off then, a repeat finds it.
        row, is_mine = in_transaction(self._claimed, self._alias)
        if not is_mine:
            return self._answer_of(row)
        try:
            answer = ask()
        except LtiAgsError as problem:
            if _did_nothing(problem):
                self._rows.filter(pk=row.pk).delete()
            else:
                self._rows.filter(pk=row.pk).update(in_doubt=True)
            raise
        self._rows.filter(pk=row.pk).update(answer=json.dumps(answer))
        return answer

    def _claimed(self) -> tuple[IdempotentRequest, bool]:
        """The key's row, locked, and whether it was made now. Whoever comes at the same moment waits for whoever came first."""
        if not share(self._caller.key, self._alias):
            raise ApiError(401, "API_KEY_DELETED", "The API key was deleted meanwhile. Nothing was done.")
        now = database_now(self._alias)
        fresh = IdempotentRequest(
            api_key=self._caller.key,
            key_digest=self._key_digest,
            request_digest=self._request_digest,
            created_at=now,
            expires_at=now + _LIFETIME,
        )
        insert_or_lock(IdempotentRequest.objects.using(self._alias), [fresh], unique=("api_key", "key_digest"))
        row = locked(self._rows).get()
        return row, row.uid == fresh.uid

    def _answer_of(self, row: IdempotentRequest) -> dict[str, Any]:
        if row.request_digest != self._request_digest:
            raise reused()
        if row.answer:
            return dict(json.loads(row.answer))
        if row.in_doubt or row.created_at < database_now(self._alias) - _under_way():
            raise ApiError(
                409,
                "OUTCOME_IN_DOUBT",
                "This was asked of the platform before, and nobody knows whether it was done. Look for it there (GET); if it is not there, "
                f"ask again with another {HEADER}.",
            )
        description = f"The first request with this {HEADER} is still under way."
        raise ApiError(409, "IDEMPOTENCY_KEY_IN_USE", description, retry_after_seconds=_COME_BACK_SECONDS)

    @cached_property
    def _alias(self) -> str:
        return str(conf.get("database"))

    @cached_property
    def _key_digest(self) -> str:
        return digest(str(self._caller.registration.uid), self._key)

    @cached_property
    def _request_digest(self) -> str:
        # With the key, which nobody guesses: what is in a body can be guessed.
        return digest(self._key, *self._place, json.dumps(self.said, sort_keys=True))

    @property
    def _rows(self) -> QuerySet[IdempotentRequest]:
        return IdempotentRequest.objects.using(self._alias).filter(api_key=self._caller.key, key_digest=self._key_digest)


def _under_way() -> timedelta:
    return timedelta(seconds=_EXCHANGES * conf.get("send_deadline_seconds"))


def _did_nothing(problem: LtiAgsError) -> bool:
    """Whether the platform certainly did nothing."""
    if not isinstance(problem, ExchangeFailed):
        return not isinstance(problem, InvalidLineItem)  # that one is about an answer
    exchange = problem.exchange
    refused = exchange.failure is None and 400 <= (exchange.status or 0) < 500
    return not isinstance(problem, InvalidAnswer) and (exchange.kind == "token" or not exchange.sent or refused)
