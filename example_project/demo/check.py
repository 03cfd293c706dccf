"""The demo without a person: every student goes all the way, and the gradebook is compared."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from example_project.demo.processes import DemoFailed
from example_project.demo.surfer import Surfer
from example_project.lms.site import PEOPLE
from example_project.quiz.questions import MAXIMUM, QUESTIONS

if TYPE_CHECKING:
    import threading

    from django_lti_ags.testing.platforms import User

_PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class Course:
    """One student's way: how many questions they get right, and what came of it."""

    student: User
    right: int
    points: str = ""
    submitted_at: float = 0.0
    grade: str = ""
    seconds: float = 0.0


def check(lms_url: str, stopping: threading.Event) -> str:
    """Let every student answer, wait for the gradebook, and return the table.

    Raises:
        DemoFailed: a score and its grade differ; the message holds the table.
    """
    students = [person for person in PEOPLE if person.is_learner]
    # From nothing right to the question for extra credit as well: more than the maximum.
    courses = [Course(student, right) for student, right in zip(students, (5, 4, 3, 1, 0), strict=True)]
    for course in courses:
        _answer(course, lms_url)
    _wait_for_grades(courses, lms_url, stopping)
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
    page = surfer.submit(page, page.form_to(""), **answers)
    course.submitted_at = time.monotonic()
    course.points = next(data["points"] for data in page.data if "points" in data)


def _wait_for_grades(courses: list[Course], lms_url: str, stopping: threading.Event) -> None:
    teacher = Surfer()
    page = teacher.get(lms_url)
    teacher.submit(page, page.form_to("/login"), login=next(person.login for person in PEOPLE if not person.is_learner))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and not stopping.is_set():
        shown = {data["login"]: data["grade"] for data in teacher.get(lms_url + "/gradebook").data if "login" in data}
        for course in courses:
            if not course.grade and shown.get(course.student.login):
                course.grade = shown[course.student.login]
                course.seconds = time.monotonic() - course.submitted_at
        if all(course.grade for course in courses):
            return
        stopping.wait(0.05)


def _table(courses: list[Course]) -> str:
    lines = [f"{'Student':16} {'Score in the tool':>18} {'Grade in the LMS':>18} {'Seconds':>8}"]
    for course in courses:
        grade, seconds = (course.grade, f"{course.seconds:.2f}") if course.grade else ("none", "–")
        lines.append(f"{course.student.name:16} {course.points + f' / {MAXIMUM}':>18} {grade + f' / {MAXIMUM}':>18} {seconds:>8}")
    return "\n".join(lines)
