"""Live results go with age once Canvas has them, and with their learner when that one is forgotten."""

import json
from datetime import timedelta

import pytest

from django_lti_ags.models import DeliveryAttempt, LiveAssessment, LiveResult, SyncState
from django_lti_ags.sync import live_forgetting
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.forgetting import Forgetting
from django_lti_ags.sync.retention import prune
from tests.sync.live import declare, held, note, states
from tests.sync.test_retention import keep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def assessment(school):
    school.store_token()
    return declare(school)


def aged(days):
    LiveResult.objects.update(recorded_at=DatabaseClock().now() - timedelta(days=days))


def test_old_results_go_once_canvas_has_them(assessment, deliver):
    note(assessment)
    deliver()
    aged(days=40)
    note(assessment, user=2)
    deliver()
    assert prune(keep(results=30), dry_run=True)["live_results"] == 1
    assert LiveResult.objects.count() == 2
    assert prune(keep(results=30))["live_results"] == 1
    assert LiveResult.objects.get().user_id == "2"


@pytest.mark.parametrize("user", [1, 99])
def test_what_waits_or_was_set_aside_stays_with_all_that_it_is_told_apart_from(school, assessment, deliver, user):
    note(assessment)
    deliver()
    note(assessment, user=user)
    if user == 99:
        deliver()
    aged(days=40)
    DeliveryAttempt.objects.update(started_at=DatabaseClock().now() - timedelta(days=40))
    newest = DeliveryAttempt.objects.filter(version=LiveAssessment.objects.get().wire_version)
    assert prune(keep(results=30, attempts=30))["live_results"] == 0
    assert LiveResult.objects.count() == 2
    assert newest.exists(), "what says why it is not there"


def forget(school, user_id, *, dry_run=False):
    return Forgetting([school.registration], str(user_id), dry_run=dry_run).run()


def test_a_learner_is_forgotten_by_their_number_in_canvas(school, assessment, deliver):
    note(assessment, user=2)
    note(assessment, user=1)
    note(assessment, user=99)
    deliver()
    note(assessment, user=2, second=7)
    counted = forget(school, 2, dry_run=True)
    assert (counted["live_results"], counted["being_sent"]) == (2, 0)
    assert counted["naming_attempts"] >= 1
    assert LiveResult.objects.filter(user_id="2").count() == 2
    assert forget(school, 2) == counted
    for model in (LiveResult, LiveAssessment, DeliveryAttempt):
        assert '"user": "2"' not in json.dumps(list(model.objects.values()), default=str)
    assert '"user":"2"' not in "".join(DeliveryAttempt.objects.values_list("request_body", flat=True))
    deliver()
    assert held(school) == {(1, 0, True): 1, (2, 0, True): 1}, "sent after it was forgotten"
    assert LiveResult.objects.get(user_id="1").state == SyncState.DELIVERED


def test_with_the_last_one_that_was_set_aside_the_assessment_is_well_again(school, assessment, deliver):
    note(assessment, user=99)
    note(assessment, user=1)
    deliver()
    assert states()[0] == "failed"
    assert forget(school, 99)["live_results"] == 1
    assert states() == ("delivered", "live_results_there", ["delivered"])


def test_a_result_that_is_being_sent_does_not_come_back(school, assessment):
    note(assessment, user=2)
    counted = []

    def between():
        if not counted and LiveAssessment.objects.filter(state=SyncState.SENDING).exists():
            counted.extend(live_forgetting.forget([school.registration.pk], "2", "default", dry_run=False))

    engine = Engine(between=between)
    engine.deliver_due()
    engine.close()
    assert counted == [(1, 1)]
    assert not LiveResult.objects.exists()
    assert LiveAssessment.objects.get().state == SyncState.DELIVERED
