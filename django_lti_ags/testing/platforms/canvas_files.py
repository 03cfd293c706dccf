"""Files that a simulated Canvas fetches for a submission, and how far it is with each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

SCOPE_PROGRESS = "https://canvas.instructure.com/lti-ags/progress/scope/show"
COMPLETED, FAILED, STUCK = "completed", "failed", "stuck"
_ON_THE_WAY = ("queued", "running")


@dataclass(slots=True, kw_only=True)
class _File:
    course_id: str
    url: str
    fate: str
    asked: int = 0


class FileDesk:
    """Each file is queued when it is first asked about, running then, and over the third time, as ``fate`` says."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._numbers = itertools.count(1)
        self.fate = COMPLETED
        """What becomes of files that are handed in from now on: ``completed``, ``failed``, or ``stuck`` for ever."""

    def take(self, course_id: str, url: str) -> str:
        """A file to fetch; the id of its progress."""
        number = str(next(self._numbers))
        self._files[number] = _File(course_id=course_id, url=url, fate=self.fate)
        return number

    def show(self, course_id: str, number: str) -> dict[str, Any] | None:
        """How far it is, one step further each time; None: there is no such progress in the course."""
        file = self._files.get(number)
        if file is None or file.course_id != course_id:
            return None
        step, file.asked = file.asked, file.asked + 1
        over = step >= len(_ON_THE_WAY) and file.fate != STUCK
        return {
            "id": int(number),
            "workflow_state": file.fate if over else _ON_THE_WAY[min(step, 1)],
            "completion": 100.0 if over and file.fate == COMPLETED else 50.0 * min(step, 1),
            "message": f"Could not download {file.url}" if over and file.fate == FAILED else None,
        }
