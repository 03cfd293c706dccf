"""The column that scores are recorded in: known here, or read from the platform first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_lti_ags.ags.vocabulary import SCOPE_SCORE
from django_lti_ags.api.errors import bad
from django_lti_ags.api.platform_errors import told_to
from django_lti_ags.exceptions import MissingScope
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
