"""Canvas' submission extension of a score: what the learner handed in, and what the score does to a grade that is there.

Evidence: Canvas' documentation of its Score API, and the source of Canvas LMS, ``app/controllers/lti/ims``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django_lti_ags.ags.rules import MAX_EXTENSIONS, check_extensions, check_text, check_time, extension_size
from django_lti_ags.exceptions import InvalidScore

if TYPE_CHECKING:
    from datetime import datetime

EXTENSION: Final = "https://canvas.instructure.com/lti/submission"
UPLOAD: Final = "online_upload"
NONE: Final = "none"
WITH_DATA: Final = ("basic_lti_launch", "online_text_entry", "online_url")
TYPES: Final = (NONE, "external_tool", UPLOAD, *WITH_DATA)
_FLAGS: Final = ("preserve_score", "prioritize_non_tool_grade")
_HANDED_IN: Final = ("submission_type", "submission_data", "content_items")
_LONGEST_URL: Final = 4096
_LONGEST_NAME: Final = 255
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *; *[A-Za-z0-9!#$&^_.+-]+=[^\s;]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that Canvas fetches from the tool and puts into the submission.

    Raises:
        InvalidScore: no http(s) URL, or a title or a media type that is none.
    """

    url: str
    title: str | None = None
    """Its name in Canvas; None: as the URL has it."""
    media_type: str | None = None
    """None: Canvas infers it from title or URL."""

    def __post_init__(self) -> None:
        check_web_address("submission.content_items.url", self.url)
        for name in ("title", "media_type"):
            value = getattr(self, name)
            if value is not None:
                check_text(f"submission.content_items.{name}", value, _LONGEST_NAME)
        if self.title is not None and not self.title.strip():
            raise InvalidScore("submission.content_items.title", self.title, "must not be blank: leave it out")
        if self.media_type is not None and not _MEDIA_TYPE.fullmatch(self.media_type):
            raise InvalidScore("submission.content_items.media_type", self.media_type, "must be a media type, as in text/plain")

    def to_json(self) -> dict[str, str]:
        """As the wire has it."""
        optional = {"title": self.title, "media_type": self.media_type}
        return {"type": "file", "url": self.url} | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a score says to Canvas of the learner's submission. No other platform is told of it.

    Raises:
        InvalidScore: Canvas would refuse it, or pass over a part of it.
    """

    submitted_at: datetime | None = None
    """When it was handed in, aware: what a submission is known by. Travels as the standard's ``submission.submittedAt``."""
    new_submission: bool | None = None
    """None: a new attempt if ``submitted_at`` is new, or if it is the learner's first; otherwise a regrade. True without a
    ``submitted_at``: handed in when it is recorded. False: never an attempt."""
    preserve_score: bool = False
    """The grade in the gradebook is not touched, not even by a ``score_given``; Canvas' Result is."""
    prioritize_non_tool_grade: bool = False
    """A grade that is there stays; an attempt is still added."""
    submission_type: str | None = None
    """One of :data:`TYPES`; None: ``external_tool``, or ``online_upload`` with files."""
    submission_data: str | None = None
    """The URL, or the text, of the types that have one."""
    content_items: Sequence[File] = ()
    """Files to hand in."""

    def __post_init__(self) -> None:
        check_time("submission.submitted_at", self.submitted_at)
        self._check_flags()
        self._check_files()
        self._check_type()
        self._check_new()
        if extension_size(EXTENSION, self.to_json()) > MAX_EXTENSIONS:
            raise InvalidScore("submission", "…", f"all together it must have at most {MAX_EXTENSIONS} bytes of JSON")

    def _check_flags(self) -> None:
        for name in _FLAGS:
            if not isinstance(getattr(self, name), bool):
                raise InvalidScore(f"submission.{name}", getattr(self, name), "must be True or False")
        if self.new_submission is not None and not isinstance(self.new_submission, bool):
            raise InvalidScore("submission.new_submission", self.new_submission, "must be True, False or None")

    def _check_files(self) -> None:
        items = self.content_items
        if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Sequence) or not all(isinstance(one, File) for one in items):
            raise InvalidScore("submission.content_items", items, "must be a list of canvas.File")
        if items and self.submission_type not in (None, UPLOAD):
            raise InvalidScore("submission.submission_type", self.submission_type, f"is passed over with files: say {UPLOAD}, or nothing")
        if items and self.submission_data is not None:
            raise InvalidScore("submission.submission_data", self.submission_data, "is passed over with files: leave it out")

    def _check_type(self) -> None:
        kind, data = self.submission_type, self.submission_data
        if kind is not None and (not isinstance(kind, str) or kind not in TYPES):
            raise InvalidScore("submission.submission_type", kind, f"must be one of {', '.join(TYPES)}")
        if kind == UPLOAD and not self.content_items:
            raise InvalidScore("submission.content_items", self.content_items, f"{UPLOAD} needs files")
        if data is not None and kind not in WITH_DATA:
            raise InvalidScore(
                "submission.submission_data", data, f"is passed over unless submission_type is one of {', '.join(WITH_DATA)}"
            )
        if kind not in WITH_DATA:
            return
        if data is None:
            raise InvalidScore("submission.submission_data", data, f"{kind} needs it")
        if kind != "online_text_entry":
            check_web_address("submission.submission_data", data)
            return
        check_text("submission.submission_data", data, MAX_EXTENSIONS)
        if not data.strip():
            raise InvalidScore("submission.submission_data", data, f"must not be blank: {kind} needs a text")

    def _check_new(self) -> None:
        if self.new_submission and self.submission_type == NONE:
            raise InvalidScore("submission.new_submission", True, f"with submission_type {NONE} nothing is handed in")
        if self.new_submission is False and (self.content_items or self.submission_type not in (None, NONE)):
            raise InvalidScore("submission.new_submission", False, "a type, data or files are passed over without a new submission")

    def to_json(self) -> dict[str, Any]:
        """The extension's value, without ``submitted_at``, which the standard has a field for; what is not said is left out."""
        said: dict[str, Any] = {name: True for name in _FLAGS if getattr(self, name)}
        optional = {
            "new_submission": self.new_submission,
            "submission_type": self.submission_type,
            "submission_data": self.submission_data,
        }
        said |= {name: value for name, value in optional.items() if value is not None}
        if self.content_items:
            said["content_items"] = [one.to_json() for one in self.content_items]
        return said


def check_web_address(field: str, value: Any) -> None:
    """Accept an absolute http(s) URL."""
    check_text(field, value, _LONGEST_URL)
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\x00-\x1f]", value)
    except ValueError:
        good = False
    if not good:
        raise InvalidScore(field, value, "must be an absolute http(s) URL")


def placed(score: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``score`` with its ``submission`` where the wire has it: its time in the standard's field, the rest as an extension.

    Raises:
        InvalidScore: it is none, or it does not fit to the other fields.
    """
    values = dict(score)
    submission, extensions = values.pop("submission"), values["extensions"]
    if isinstance(extensions, Mapping) and EXTENSION in extensions:
        raise InvalidScore("extensions", EXTENSION, "say it as submission=canvas.Submission(…), which is checked")
    if submission is None:
        return values
    if not isinstance(submission, Submission):
        raise InvalidScore("submission", submission, "must be a canvas.Submission")
    at = submission.submitted_at
    if None not in (at, values["submitted_at"]) and at != values["submitted_at"]:
        raise InvalidScore("submission.submitted_at", at, "is not the score's submitted_at: say it once")
    check_extensions({} if extensions is None else extensions)
    extension = submission.to_json()
    values["submitted_at"] = values["submitted_at"] if at is None else at
    values["extensions"] = {**(extensions or {}), **({EXTENSION: extension} if extension else {})}
    return values


def handed_in(said: Mapping[str, Any]) -> dict[str, Any]:
    """What of the extension belongs to the submission itself, rather than to the score that brought it."""
    return {name: said[name] for name in _HANDED_IN if name in said}


def hands_nothing_in(said: Mapping[str, Any]) -> bool:
    """Whether it is said that there is no new submission."""
    return said.get("new_submission") is False or said.get("submission_type") == NONE


def on_the_wire(said: Mapping[str, Any], work: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """The extension that is sent with a score.

    ``work`` goes along only with a new submission: Canvas passes over it otherwise, and files would be fetched again.
    """
    flags = {name: said[name] for name in _FLAGS if name in said}
    return {"new_submission": is_new, **flags, **(work if is_new else {})}


def leaving_the_grade(extensions: Mapping[str, Any]) -> dict[str, Any]:
    """``extensions`` of a score that hands something in, and leaves the grade in the gradebook as it is."""
    return {**extensions, EXTENSION: {**extensions.get(EXTENSION, {}), "preserve_score": True}}
