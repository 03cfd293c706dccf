"""Which course of Canvas a Context is: LTI names it by an opaque id, Canvas' REST API by a number.

The number stands in the address of the course's line items, which Canvas gives the tool in every launch:
``https://school.instructure.com/api/lti/courses/7/line_items``. Where a launch brings no such address, it may bring the
custom variable ``canvas_course_id=$Canvas.course.id``, which is kept with the course.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django_lti_ags.ags.urls import origin
from django_lti_ags.exceptions import UnknownCanvasCourse

if TYPE_CHECKING:
    from django_lti_ags.models import CanvasCredential, Context, Registration

_CONTAINER: Final = re.compile(r"/api/lti/courses/([1-9][0-9]{0,18}(?:~[1-9][0-9]{0,18})?)/line_items/?")
CUSTOM_VARIABLE: Final = "canvas_course_id"
"""Its value is Canvas' substitution ``$Canvas.course.id``."""


@dataclass(frozen=True, slots=True)
class CanvasCourse:
    """A course by its number, or by ``sis_course_id:…``, at the Canvas of a registration."""

    registration: Registration
    course_id: str

    def check(self, credential: CanvasCredential) -> None:
        """Whoever names it by its number knows where it is."""


@dataclass(frozen=True, slots=True)
class LaunchedCourse(CanvasCourse):
    """The course of a Context."""

    line_items_url: str

    def check(self, credential: CanvasCredential) -> None:
        """It is at the Canvas that is asked: at another, its number may be somebody else's course.

        Raises:
            UnknownCanvasCourse: it is not.
        """
        if self.line_items_url and origin(self.line_items_url) != credential.base_url:
            raise UnknownCanvasCourse(
                f"The course is at {origin(self.line_items_url)}, and the stored credential is for {credential.base_url}. "
                "Store one for the former: manage.py lti_ags_canvas_credential --help"
            )


def course_of(context: Context) -> LaunchedCourse:
    """The Canvas course of ``context``.

    Raises:
        UnknownCanvasCourse: no launch has told which; the message says how one can.
    """
    found = _CONTAINER.fullmatch(urlsplit(context.line_items_url).path)
    course_id = found[1] if found else context.canvas_course_id
    if not course_id:
        raise UnknownCanvasCourse(
            f"No launch of {context} has told Canvas' number of the course: its line items are not under /api/lti/courses/…, and there is "
            f"no custom variable. Add {CUSTOM_VARIABLE}=$Canvas.course.id to the tool's custom fields in Canvas, and launch the tool there "
            "once."
        )
    return LaunchedCourse(context.deployment.registration, course_id, context.line_items_url)
