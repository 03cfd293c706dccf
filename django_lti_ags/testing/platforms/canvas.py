"""What Canvas does otherwise than the strict platform. Evidence: its published source, and its documentation of the Score API."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms.canvas_files import SCOPE_PROGRESS, FileDesk
from django_lti_ags.testing.platforms.gradebook import Gradebook
from django_lti_ags.testing.platforms.http import Refused, Request, Response, Route
from django_lti_ags.testing.platforms.state import Course, Held, LineItem

SUBMISSION = "https://canvas.instructure.com/lti/submission"
SUBMISSION_TYPE = "https://canvas.instructure.com/lti/submission_type"
LAUNCH_URL = "https://canvas.instructure.com/lti/launch_url"
_TYPES = ("none", "basic_lti_launch", "online_text_entry", "online_url", "external_tool", "online_upload")
_WITH_DATA = ("basic_lti_launch", "online_text_entry", "online_url")
_GRADING = ("FullyGraded", "PendingManual")
_FUTURE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A submission that a score made."""

    submitted_at: datetime | None
    submission_type: str = "external_tool"
    data: str | None = None
    files: tuple[str, ...] = ()
    """Their URLs."""


@dataclass(slots=True)
class _Work:
    """What Canvas piles up for a learner in a column."""

    comments: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    grade: float | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """The extension of a score, as Canvas reads it."""

    attempt: Attempt
    is_new: bool
    preserve: bool
    gives_way: bool


class CanvasGradebook(Gradebook):
    """Canvas adds a comment, and as a rule an attempt, with every score: what is sent twice is there twice."""

    product_family_code = "canvas"

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._work: dict[tuple[str, str], _Work] = {}
        self.allowed_attempts: int | None = None
        """How many attempts a learner has in each column; None: any number."""
        self.files = FileDesk()
        """The files that were handed in."""

    def routes(self) -> list[Route]:
        """Also where it tells how far a file is."""
        progress = r"/ags/(?P<course_id>[^/]+)/progress/(?P<number>[^/]+)"
        return [*super().routes(), Route("GET", progress, self.show_progress, "progress", ordered=True)]

    def show_progress(self, request: Request, course_id: str, number: str) -> Response:
        """How far a file is."""
        self._desk.check(request, SCOPE_PROGRESS)
        told = self.files.show(self._course(course_id).id, number)
        if told is None:
            raise Refused.by(Response.json({"errors": [{"message": "The specified resource does not exist."}]}, status=404))
        return Response.json(told)

    def comments(self, item: LineItem, user_id: str) -> list[str]:
        """The submission comments that scores have brought a learner, oldest first."""
        with self._state.lock:
            return list(self._of(item, user_id).comments)

    def attempts(self, item: LineItem, user_id: str) -> int:
        """How many attempts scores have made for a learner."""
        return len(self.submissions(item, user_id))

    def submissions(self, item: LineItem, user_id: str) -> list[Attempt]:
        """The attempts that scores have made for a learner, oldest first."""
        with self._state.lock:
            return list(self._of(item, user_id).attempts)

    def grade(self, item: LineItem, user_id: str) -> float | None:
        """A learner's grade, on the column's scale. The Result may say something else: it keeps what the last score said."""
        with self._state.lock:
            return self._of(item, user_id).grade

    def set_result(self, item: LineItem, user_id: str, given: float) -> None:
        """A teacher's edit: of the grade, and so of the Result."""
        super().set_result(item, user_id, given)
        with self._state.lock:
            self._work.setdefault((item.id, user_id), _Work()).grade = given

    def _of(self, item: LineItem, user_id: str) -> _Work:
        return self._work.get((item.id, user_id), _Work())

    def not_a_learner(self) -> Refused:
        """422, in its words."""
        return _error(422, "unprocessable_entity", "User not found in course or is not a student")

    def check_score(self, item: LineItem, user_id: str, held: Held, body: dict[str, Any]) -> None:
        """An older timestamp is refused, an equal one passes; then what the extension asks for."""
        before = item.scores.get(user_id)
        if before is not None and held.moment < before.moment:
            stored = before.timestamp.isoformat(timespec="microseconds")
            raise _error(400, "bad_request", f"Provided timestamp of {body['timestamp']} before last updated timestamp of {stored}")
        told = _told(body)
        used = len(self._of(item, user_id).attempts)
        if self._makes_attempt(item, user_id, told) and self.allowed_attempts is not None and used >= self.allowed_attempts:
            message = "The maximum number of allowed attempts has been reached for this submission"
            raise _error(422, "unprocessable_entity", message)

    def _makes_attempt(self, item: LineItem, user_id: str, told: _Told) -> bool:
        attempts = self._of(item, user_id).attempts
        at = told.attempt.submitted_at
        return told.is_new and (at is None or not attempts or attempts[-1].submitted_at != at)

    def keep_score(self, item: LineItem, user_id: str, held: Held, body: dict[str, Any]) -> None:
        """Store it, with its comment, its attempt and what it does to the grade."""
        super().keep_score(item, user_id, held, body)
        work = self._work.setdefault((item.id, user_id), _Work())
        if held.comment:
            work.comments.append(held.comment)
        told = _told(body)
        if self._makes_attempt(item, user_id, told):
            work.attempts.append(told.attempt)
        if told.preserve or (told.gives_way and work.grade is not None):
            return
        work.grade = held.scaled(item.score_maximum) if held.grading_progress in _GRADING else None

    def scored(self, course: Course, item: LineItem, user_id: str, body: dict[str, Any]) -> Response:
        """With the files that were handed in, and where their progress can be followed."""
        answer = {"resultUrl": self._result_url(course, item, user_id)}
        files = body.get(SUBMISSION, {}).get("content_items")
        if not files:
            return Response.json(answer)
        progress = f"{self._base_url()}/ags/{quote(course.id, safe='')}/progress"
        told = [one | {"progress": f"{progress}/{self.files.take(course.id, one['url'])}"} for one in files]
        return Response.json(answer | {SUBMISSION: {"content_items": told}})

    def check_line_item(self, values: dict[str, Any]) -> None:
        """Two submission types are known."""
        told = values["extra"].get(SUBMISSION_TYPE)
        if told is None:
            return
        if not isinstance(told, dict) or told.get("type") not in ("none", "external_tool"):
            raise _error(400, "bad_request", "Invalid submission_type for new assignment")

    def replace_line_item(self, request: Request, course_id: str, item_id: str) -> Response:
        """A PUT is partial here: what is left out stays."""
        course, item = self._item(request, course_id, item_id, vocabulary.SCOPE_LINE_ITEM)
        try:
            said = json.loads(request.body)
        except ValueError:
            said = None  # told by who reads it
        if isinstance(said, dict):
            request = replace(request, body=json.dumps(self._shown(course, item) | said).encode())
        return super().replace_line_item(request, course_id, item_id)

    def get_line_item(self, request: Request, course_id: str, item_id: str) -> Response:
        """With the link's launch URL, where that is asked for."""
        response = super().get_line_item(request, course_id, item_id)
        if request.query.get("include[]") != "launch_url":
            return response
        body = json.loads(response.body) | {LAUNCH_URL: f"{self._base_url()}/launch/{quote(item_id)}"}
        return Response.json(body, content_type=vocabulary.MEDIA_LINE_ITEM)

    def lists(self, held: Held) -> bool:
        """Those without a score, too."""
        return True

    def concluded(self) -> Refused:
        """As of 2024; older releases answer 404."""
        message = "This course has concluded. AGS requests will no longer be accepted for this course."
        return _error(422, "unprocessable_entity", message)


def _told(body: dict[str, Any]) -> _Told:
    extension = body.get(SUBMISSION, {})
    if not isinstance(extension, dict):
        raise _error(400, "bad_request", f"{SUBMISSION} must be an object")
    kind = extension.get("submission_type", "external_tool")
    files = tuple(str(one.get("url")) for one in extension.get("content_items") or ())
    if kind not in _TYPES:
        raise _error(422, "unprocessable_entity", f"Invalid submission type {kind}")
    if files:
        kind = "online_upload"
    elif kind == "online_upload":
        raise _error(422, "unprocessable_entity", "Content items must be provided with submission type 'online_upload'")
    data = extension.get("submission_data") if kind in _WITH_DATA else None
    return _Told(
        Attempt(submitted_at=_submitted_at(body, extension), submission_type=kind, data=data, files=files),
        is_new=extension.get("new_submission", True) is not False and kind != "none",
        preserve=extension.get("preserve_score") is True,
        gives_way=extension.get("prioritize_non_tool_grade") is True,
    )


def _submitted_at(body: dict[str, Any], extension: dict[str, Any]) -> datetime | None:
    text = body.get("submission", {}).get("submittedAt", extension.get("submitted_at"))
    try:
        at = None if text is None else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise _error(400, "bad_request", f"Provided submitted_at timestamp of {text} not a valid timestamp") from None
    if at is not None and at > datetime.now(UTC) + _FUTURE:
        raise _error(400, "bad_request", f"Provided submitted_at timestamp of {text} in the future")
    return at


def _error(status: int, kind: str, message: str) -> Refused:
    return Refused.by(Response.json({"errors": {"type": kind, "message": message}}, status=status))
