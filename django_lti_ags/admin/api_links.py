"""Where the REST API tells the same as a page does, if the project includes it, and whoever looks may read it there.

The API conceals no learner, so it is closed to whoever must not know them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from django_lti_ags.scoping import may_read_api

if TYPE_CHECKING:
    from django.http import HttpRequest

    from django_lti_ags.models import LineItem, Score


def of_score(request: HttpRequest, score: Score) -> str:
    """The score with its attempts; blank: there is none."""
    return _address(request, "lti-api-score", str(score.uid))


def of_line_item(request: HttpRequest, line_item: LineItem) -> str:
    """The line item with what became of its scores; blank: there is none, or the platform does not have it yet."""
    address = _address(request, "lti-api-columns") if line_item.url else ""
    return f"{address}?{urlencode({'lineItem': line_item.url})}" if address else ""


def _address(request: HttpRequest, name: str, *given: str) -> str:
    if not may_read_api(request):
        return ""
    try:
        return reverse(name, args=given)
    except NoReverseMatch:
        return ""
