"""Handing in with ``keep="every"``, and what Canvas made of it; submissions are told by their number."""

from datetime import UTC, datetime

from django_lti_ags import canvas
from django_lti_ags.models import QueuedSubmission
from tests.sync.conftest import record

T = [datetime(2026, 3, 1, hour, 0, 0, 123456, tzinfo=UTC) for hour in range(8)]


def hand_in(column, number, user="u1", keep="every", **more):
    said = {"comment": f"No. {number}", "given": number} | more
    essay = canvas.Submission(submitted_at=T[number], submission_type="online_url", submission_data=f"https://tool.example/{number}")
    return record(column, user, submission=essay, keep=keep, **said)


def attempts(campus, user="u1"):
    return [T.index(one.submitted_at) for one in campus.platform.gradebook.submissions(campus.link.line_item, user)]


def comments(campus, user="u1"):
    return campus.platform.gradebook.comments(campus.link.line_item, user)


def grade(campus, user="u1"):
    return campus.platform.gradebook.grade(campus.link.line_item, user)


def posts(campus):
    return [entry.body for entry in campus.platform.ledger.scores("u1")]


def lose(campus, how):
    campus.platform.faults.add(how, kind="score", count=1)


def queue():
    return [(T.index(one.submission_at), one.state) for one in QueuedSubmission.objects.all()]


def check_order(campus):
    stamps = [body["timestamp"] for body in posts(campus)]
    assert stamps == sorted(set(stamps)), f"timestamps do not rise: {stamps}"
