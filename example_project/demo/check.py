"""The demo without a person: every student goes all the way, and the gradebook is compared."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING

from example_project.demo.places import DemoFailed
from example_project.demo.processes import Interrupted
from example_project.demo.surfer import Surfer
from example_project.lms.site import PEOPLE
from example_project.quiz.questions import MAXIMUM, QUESTIONS

if TYPE_CHECKING:
    from django_lti_ags.testing.platforms import User

_PATIENCE_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.05
# What a surfer raises if a page is not there, or is not the one that was expected.
_LOST = (OSError, HTTPException, LookupError, StopIteration)


@dataclass(slots=True)
class Course:
    """One student's way: how many questions they get right, and what came of it."""

    student: User
    right: int
    points: str = ""
    submitted_at: float = 0.0
    grade: str = ""
    seconds: float = 0.0


class Teacher(threading.Thread):
    """Looks at the gradebook all the time, and notes when each grade came."""

    def __init__(self, lms_url: str) -> None:
        super().__init__(name="teacher", daemon=True)
        self.seen: dict[str, tuple[str, float]] = {}
        self.problem: Exception | None = None
        self._lms_url = lms_url
        self._leaving = threading.Event()

    def run(self) -> None:
        """Look, until told to leave."""
        try:
            surfer = Surfer()
            page = surfer.get(self._lms_url)
            surfer.submit(page, page.form_to("/login"), login=next(person.login for person in PEOPLE if not person.is_learner))
            while not self._leaving.wait(_LOOK_EVERY_SECONDS):
                self._look(surfer)
        except _LOST as problem:
            self.problem = problem

    def _look(self, surfer: Surfer) -> None:
        for data in surfer.get(self._lms_url + "/gradebook").data:
            if data.get("grade") and "login" in data:
                self.seen.setdefault(data["login"], (data["grade"], time.monotonic()))

    def leave(self) -> None:
        """Stop looking."""
        self._leaving.set()
        self.join()


def check(lms_url: str, stopping: threading.Event) -> str:
    """Let every student answer, wait for the gradebook, and return the table.

    Raises:
        DemoFailed: a page was not there, or a score and its grade differ; then the message holds the table.
        Interrupted: it was to stop before it knew.
    """
    students = [person for person in PEOPLE if person.is_learner]
    # From nothing right to the question for extra credit as well: more than the maximum.
    courses = [Course(student, right) for student, right in zip(students, (5, 4, 3, 1, 0), strict=True)]
    teacher = Teacher(lms_url)
    teacher.start()
    try:
        for course in courses:
            _answer(course, lms_url)
            if stopping.is_set():
                raise Interrupted
        _wait_for_grades(courses, teacher, stopping)
    except _LOST as problem:
        raise DemoFailed(f"A page did not come, or not as expected: {problem!r}") from None
    finally:
        teacher.leave()
    table = _table(courses)
    if any(course.points != course.grade for course in courses):
        raise DemoFailed(f"{table}\n\nThe gradebook does not show what the tool recorded.")
    return table


def _answer(course: Course, lms_url: str) -> None:
    surfer = Surfer()
    page = surfer.get(lms_url)
    page = surfer.submit(page, page.form_to("/login"), login=course.student.login)
    page = surfer.get(lms_url + "/launch")  # to the tool's login and on to the LMS' authorisation endpoint
    page = surfer.submit(page, page.form_to("/lti/launch/"))  # the signed id token, to the tool
    answers = {
        question.name: question.answers[0] if number < course.right else question.answers[1] for number, question in enumerate(QUESTIONS)
    }
    course.submitted_at = time.monotonic()
    page = surfer.submit(page, page.form_to(""), **answers)
    course.points = next(data["points"] for data in page.data if "points" in data)


def _wait_for_grades(courses: list[Course], teacher: Teacher, stopping: threading.Event) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and teacher.problem is None:
        if all(course.student.login in teacher.seen for course in courses):
            break
        if stopping.wait(_LOOK_EVERY_SECONDS):
            raise Interrupted
    if teacher.problem is not None:
        raise teacher.problem
    for course in courses:
        if course.student.login in teacher.seen:
            course.grade, came_at = teacher.seen[course.student.login]
            course.seconds = max(0.0, came_at - course.submitted_at)


def _table(courses: list[Course]) -> str:
    lines = [f"{'Student':16} {'Score in the tool':>18} {'Grade in the LMS':>18} {'Seconds':>8}"]
    for course in courses:
        grade, seconds = (course.grade, f"{course.seconds:.2f}") if course.grade else ("none", "–")
        lines.append(f"{course.student.name:16} {course.points + f' / {MAXIMUM}':>18} {grade + f' / {MAXIMUM}':>18} {seconds:>8}")
    return "\n".join(lines)
