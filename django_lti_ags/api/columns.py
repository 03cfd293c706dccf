"""The column that scores are recorded in: known here, or read from the platform first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_lti_ags.ags.vocabulary import SCOPE_SCORE
from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.platform_errors import told_to
from django_lti_ags.exceptions import MissingScope
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.sync.gradebook import Gradebook

if TYPE_CHECKING:
    from django_lti_ags.models import Context, LineItem


def found(context: Context, row: LineItem | None, url: str) -> LineItem:
    """``row``, or what the platform has at ``url``."""
    if row is not None:
        return row
    gradebook = Gradebook(context)
    with told_to(gradebook.profile):
        return gradebook.find(url)


def writable(context: Context, row: LineItem | None, url: str) -> LineItem:
    """The same, to record scores in.

    Raises:
        ApiError: 403: the platform did not grant the scope.
    """
    if SCOPE_SCORE not in context.scopes:
        with told_to(Gradebook(context).profile):
            raise MissingScope(SCOPE_SCORE, context.scopes)
    return found(context, row, url)


def check_running(context: Context) -> None:
    """Refuse to change a course's columns while its registration is paused: a person, or the platform's refusal, said stop.

    Reading goes on: nothing there is changed, and it shows whether the platform lets the tool in again.

    Raises:
        ApiError: 409; a resumption helps, and no repeat.
    """
    registration = context.deployment.registration
    if registration.is_paused:
        advice = str(ADVICE.get(registration.paused_code, ""))
        description = f"The registration is paused; scores are recorded and wait, line items are not changed. {advice}".strip()
        raise ApiError(
            409, "REGISTRATION_PAUSED", description, more={"code": registration.paused_code, "reason": registration.paused_reason}
        )


def maximum(row: LineItem) -> float:
    """The column's maximum; asked for where it is not known here, as a launch does not tell it.

    Raises:
        ApiError: 400: it has none.
    """
    if row.score_maximum is None:
        gradebook = Gradebook(row.context)
        with told_to(gradebook.profile):
            gradebook.learn(row)
    if row.score_maximum is None:
        raise bad({"scoreMaximum": "is needed: the platform's line item has none"}, message="INVALID_SCORE")
    return row.score_maximum
