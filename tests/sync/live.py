"""What the tests of live assessments share: short ways to declare, to record, and to see what Canvas has."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from django_lti_ags import line_items, live_assessments
from django_lti_ags.models import LiveAssessment, LiveResult

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def context_of(school):
    return line_items.context_from_launch(school.campus.claims())


def declare(school, key="reading", title="Reading aloud", outcome=1, course_id=7):
    return live_assessments.declare(context_of(school), course_id=course_id, key=key, title=title, outcome=outcome)


def note(assessment, user=1, second=0, passed=True):
    return live_assessments.record(assessment, user_id=user, passed=passed, assessed_at=NOON + timedelta(seconds=second))


def held(school, key="reading"):
    """What Canvas has: (user, second, passed), each as often as Canvas counts it."""
    found = school.rest.live["7"].found(key)
    results = found.results if found else []
    return Counter(
        (int(one["links"]["user"]), int((datetime.fromisoformat(one["assessed_at"]) - NOON).total_seconds()), one["passed"])
        for one in results
    )


def recorded():
    """What the tool recorded."""
    return Counter((int(row.user_id), int((row.assessed_at - NOON).total_seconds()), row.passed) for row in LiveResult.objects.all())


def states():
    """Assessment's state and code, and its results' states in the order of their recording."""
    row = LiveAssessment.objects.get()
    return row.state, row.code, list(LiveResult.objects.order_by("pk").values_list("state", flat=True))


def posts(school):
    """The batches that Canvas was sent, as (user, passed) each; whether or not it took them."""
    entries = [entry for entry in school.campus.platform.ledger.of("live_results") if entry.method == "POST"]
    return [[(int(one["links"]["user"]), one["passed"]) for one in entry.body["results"]] for entry in entries]
