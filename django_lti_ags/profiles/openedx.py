"""Open edX (xblock-lti-consumer). Evidence: probed on a running 11.4."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from django_lti_ags.profiles.answers import describe
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.verdict import Verdict, ambiguous, registration_fault

if TYPE_CHECKING:
    from django_lti_ags.ags.exchange import Exchange

_CONFLICTS: Final = ("Score already exists for the provided timestamp", "can only be updated to a later point in time")


class OpenEdxProfile(Profile):
    """Open edX."""

    key = "openedx"
    # A missing or expired token is a 403.
    token_refused_statuses: ClassVar[frozenset[int]] = frozenset({401, 403})

    def judge_status(self, exchange: Exchange) -> Verdict:
        """The answers to a repeated and to an older timestamp are 400s; a token that is refused twice is a 403."""
        if exchange.status == 400 and any(words in exchange.body for words in _CONFLICTS):
            return ambiguous("conflict", describe(exchange))
        if exchange.status == 403 and "token" in exchange.body.casefold():
            return registration_fault("unauthorised", describe(exchange))
        return super().judge_status(exchange)
