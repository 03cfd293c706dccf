"""The demo's check measures each student for themselves, and gives no verdict that it does not have."""

import threading
from types import SimpleNamespace

import pytest

from example_project.demo import check as checking
from example_project.demo.places import DemoFailed
from example_project.demo.processes import Interrupted
from example_project.demo.surfer import Form

STUDENT_SECONDS = 0.3


class Lms:
    """A gradebook that shows every score as soon as it is handed in."""

    def __init__(self):
        self.grades = {}

    def surfer(self):
        return SimpleNamespace(get=self.get, submit=lambda *given, **filled: None)

    def get(self, url):
        return SimpleNamespace(data=[{"login": who, "grade": grade} for who, grade in self.grades.items()], form_to=lambda ending: Form())


@pytest.fixture
def lms(monkeypatch):
    lms, pause = Lms(), threading.Event()

    def answer(course, url):
        pause.wait(STUDENT_SECONDS)
        course.submitted_at = checking.time.monotonic()
        course.points = lms.grades[course.student.login] = str(course.right)

    lms.answer = answer
    monkeypatch.setattr(checking, "Surfer", lms.surfer)
    monkeypatch.setattr(checking, "_answer", answer)
    return lms


def test_a_students_seconds_do_not_include_the_others(lms):
    table = checking.check("http://lms", threading.Event())
    assert max(float(row.split()[-1]) for row in table.splitlines()[1:]) < 3 * STUDENT_SECONDS


def test_a_stop_between_two_students_is_no_verdict(lms, monkeypatch):
    stopping = threading.Event()
    monkeypatch.setattr(checking, "_answer", lambda course, url: stopping.set())
    with pytest.raises(Interrupted):
        checking.check("http://lms", stopping)


def test_a_stop_while_waiting_for_grades_is_no_verdict(lms, monkeypatch):
    stopping = threading.Event()
    monkeypatch.setattr(checking, "_answer", lambda course, url: None)
    threading.Timer(0.2, stopping.set).start()
    with pytest.raises(Interrupted):
        checking.check("http://lms", stopping)


def test_a_grade_that_differs_is_a_failure_with_the_table(lms, monkeypatch):
    def answer(course, url):
        lms.answer(course, url)
        course.points = "7"

    monkeypatch.setattr(checking, "_answer", answer)
    with pytest.raises(DemoFailed, match="does not show what the tool recorded"):
        checking.check("http://lms", threading.Event())


def test_an_lms_that_is_gone_is_said_in_a_sentence(monkeypatch):
    def gone(*given):
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(checking, "Surfer", lambda: SimpleNamespace(get=gone))
    with pytest.raises(DemoFailed, match="A page did not come"):
        checking.check("http://lms", threading.Event())
