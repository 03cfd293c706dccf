"""A worker that delivers live results is killed at every write that it makes, before it and after it: none is lost, none counts twice."""

import pytest

from django_lti_ags.models import DeliveryAttempt, LiveAssessment, LiveResult, SyncState
from tests.crashes.test_fault_points import LEASE
from tests.sync.live import declare, held, note, recorded

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER = 99


def state_everything(school, number):
    """In an assessment of its own, so that Canvas has to make it: two alike, another, and one of somebody who is not in the course."""
    assessment = declare(school, key=f"reading {number}")
    for user in (1, 1, 2, STRANGER):
        note(assessment, user=user, second=number)


def check_everything(school):
    # Each of them at another second, so they can be told apart in the sum of all assessments.
    in_canvas = sum((held(school, row.key) for row in LiveAssessment.objects.all()), start=recorded() - recorded())
    wanted = recorded()
    for one in [one for one in wanted if one[0] == STRANGER]:
        del wanted[one]
    assert in_canvas == wanted
    assert set(LiveAssessment.objects.values_list("state", "code")) == {(SyncState.FAILED, "live_user_not_in_course")}
    assert set(LiveResult.objects.filter(state=SyncState.FAILED).values_list("user_id", flat=True)) == {str(STRANGER)}
    assert not LiveResult.objects.filter(in_doubt=True).exists()


def test_a_worker_is_killed_at_every_write(school, nursery, deliver, later, tmp_path):
    school.store_token()
    state_everything(school, 1)
    told = tmp_path / "writes"
    with nursery(**LEASE) as children:
        children.wait(children.start("pass", tell=str(told)))
        writes = int(told.read_text())
        assert writes >= 6, "claim, doubt, health, results, assessment, attempts, event"
        check_everything(school)
        points = [(write, when) for write in range(1, writes + 1) for when in ("before", "after")]
        killed = 0
        for number, (write, when) in enumerate(points, start=2):
            state_everything(school, number)
            children.wait(children.start("pass", write=write, when=when))
            killed += LiveAssessment.objects.exclude(state=SyncState.FAILED).exists()
            for _ in range(3):
                deliver(later())
            check_everything(school)
    assert killed >= len(points) / 2, "hardly any kill came in between"
    assert DeliveryAttempt.objects.filter(abandoned=True, kind="live_results").exists()
