"""What real platforms do otherwise than the strict one, where it matters to a tool that sends again.

Canvas: its published source. Moodle 4.5 and Open edX (xblock-lti-consumer 11.4): seen on running servers.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms.canvas import CanvasGradebook
from django_lti_ags.testing.platforms.gradebook import Gradebook
from django_lti_ags.testing.platforms.http import Refused, Response
from django_lti_ags.testing.platforms.state import Course, Held, LineItem


class MoodleGradebook(Gradebook):
    """Moodle keeps whole seconds, and gives its reasons in the reason phrase only."""

    product_family_code = "moodle"

    def check_score(self, item: LineItem, user_id: str, held: Held, body: dict[str, Any]) -> None:
        """A score of the same second as the one before is a conflict."""
        before = item.scores.get(user_id)
        if before is not None and held.timestamp.replace(microsecond=0) <= before.timestamp.replace(microsecond=0):
            reason = f"Refusing score with an earlier timestamp for item {item.id} and user {quote(user_id)}"
            raise Refused.by(Response(status=409, body=b"[]", reason=reason))

    def scored(self, course: Course, item: LineItem, user_id: str, body: dict[str, Any]) -> Response:
        """An empty page."""
        return Response(content_type="text/html")


class OpenEdxGradebook(Gradebook):
    """Open edX tells the same timestamp from an older one."""

    product_family_code = "Open edX"

    def check_score(self, item: LineItem, user_id: str, held: Held, body: dict[str, Any]) -> None:
        """Neither is accepted."""
        before = item.scores.get(user_id)
        if before is None or held.moment > before.moment:
            return
        same = held.moment == before.moment
        message = (
            "Score already exists for the provided timestamp" if same else "Score timestamp can only be updated to a later point in time"
        )
        raise Refused.by(Response.json({"timestamp": [message]}, status=400))

    def scored(self, course: Course, item: LineItem, user_id: str, body: dict[str, Any]) -> Response:
        """201 with what was sent."""
        return Response.json(body, status=201, content_type=vocabulary.MEDIA_SCORE)


_DIALECTS: dict[str, type[Gradebook]] = {"canvas": CanvasGradebook, "moodle": MoodleGradebook, "openedx": OpenEdxGradebook}


def speaking(dialect: str, default: type[Gradebook]) -> type[Gradebook]:
    """The gradebook of a dialect; ``default`` if none is named.

    Raises:
        ValueError: there is no such dialect.
    """
    if not dialect:
        return default
    if dialect not in _DIALECTS:
        raise ValueError(f"no such dialect: {dialect!r}; there are {', '.join(sorted(_DIALECTS))}")
    return _DIALECTS[dialect]
