"""What real platforms do otherwise than the strict one, where it matters to a tool that sends again.

Canvas: its published source. Moodle 4.5 and Open edX (xblock-lti-consumer 11.4): seen on running servers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms.gradebook import Gradebook
from django_lti_ags.testing.platforms.http import Refused, Response
from django_lti_ags.testing.platforms.state import Course, Held, LineItem

CANVAS_SUBMISSION = "https://canvas.instructure.com/lti/submission"


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


@dataclass(slots=True)
class _Work:
    """What Canvas piles up for a learner in a column."""

    comments: list[str] = field(default_factory=list)
    attempts: int = 0
    submitted_at: datetime | None = None


class CanvasGradebook(Gradebook):
    """Canvas adds a comment, and as a rule an attempt, with every score: what is sent twice is there twice."""

    product_family_code = "canvas"

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._work: dict[tuple[str, str], _Work] = {}

    def comments(self, item: LineItem, user_id: str) -> list[str]:
        """The submission comments that scores have brought a learner, oldest first."""
        with self._state.lock:
            return list(self._work.get((item.id, user_id), _Work()).comments)

    def attempts(self, item: LineItem, user_id: str) -> int:
        """How many attempts scores have made for a learner."""
        with self._state.lock:
            return self._work.get((item.id, user_id), _Work()).attempts

    def check_score(self, item: LineItem, user_id: str, held: Held, body: dict[str, Any]) -> None:
        """An older timestamp is refused; an equal one passes."""
        before = item.scores.get(user_id)
        if before is not None and held.moment < before.moment:
            stored = before.timestamp.isoformat(timespec="microseconds")
            raise _error(400, "bad_request", f"Provided timestamp of {body['timestamp']} before last updated timestamp of {stored}")
        _submission(body)

    def keep_score(self, item: LineItem, user_id: str, held: Held, body: dict[str, Any]) -> None:
        """Store it, with its comment and its attempt."""
        super().keep_score(item, user_id, held, body)
        work = self._work.setdefault((item.id, user_id), _Work())
        if held.comment:
            work.comments.append(held.comment)
        is_new, submitted_at = _submission(body)
        if is_new and (submitted_at is None or submitted_at != work.submitted_at):
            work.attempts += 1
            work.submitted_at = submitted_at

    def concluded(self) -> Refused:
        """As of 2024; older releases answer 404."""
        message = "This course has concluded. AGS requests will no longer be accepted for this course."
        return _error(422, "unprocessable_entity", message)


def _submission(body: dict[str, Any]) -> tuple[bool, datetime | None]:
    """Whether a score is to be a new attempt, and when that was handed in."""
    extension = body.get(CANVAS_SUBMISSION, {})
    if not isinstance(extension, dict):
        raise _error(400, "bad_request", f"{CANVAS_SUBMISSION} must be an object")
    text = body.get("submission", {}).get("submittedAt", extension.get("submitted_at"))
    try:
        submitted_at = None if text is None else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise _error(400, "bad_request", f"Provided submitted_at timestamp of {text} not a valid timestamp") from None
    is_new = extension.get("new_submission", True) is not False and extension.get("submission_type") != "none"
    return is_new, submitted_at


def _error(status: int, kind: str, message: str) -> Refused:
    return Refused.by(Response.json({"errors": {"type": kind, "message": message}}, status=status))


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
