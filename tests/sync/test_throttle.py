"""How much is sent at once: pure first, then over the wire."""

from datetime import UTC, datetime, timedelta

import pytest

from django_lti_ags import scores
from django_lti_ags.models import Score, Service, SyncState
from django_lti_ags.sync import throttle
from tests.sync.conftest import Tomorrow, record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(*steps, most=8):
    service = Service()
    for step, value in steps:
        if step == "slow":
            throttle.slow_down(service, most, NOW + timedelta(seconds=value))
        else:
            throttle.speed_up(service, most, value)
    return service


@pytest.mark.parametrize(
    ("steps", "allowed"),
    [
        ([], 8),
        ([("slow", 0)], 4),
        ([("slow", 0), ("slow", 1)], 4),  # the same trouble
        ([("slow", 0), ("slow", 6)], 2),
        ([("slow", 10 * n) for n in range(9)], 1),
        ([("slow", 0), ("fast", 79)], 4),
        ([("slow", 0), ("fast", 80)], 5),
        ([("slow", 0), *[("fast", 200)] * 5], 8),
        ([("fast", 1000)], 8),
    ],
)
def test_halved_at_once_and_raised_slowly(steps, allowed):
    service = after(*steps)
    assert throttle.allowed(service, 8) == allowed
    assert throttle.allowed(service, 3) <= 3


def test_at_the_limit_nothing_is_remembered():
    assert after(("slow", 0), *[("fast", 500)] * 5).concurrency is None


@pytest.fixture
def most_at_once(monkeypatch):
    """The largest number of scores in flight at the platform."""

    def watch(campus):
        gauge = {"now": 0, "most": 0}
        answer = campus.platform.handle

        def counted(request):
            gauge["now"] += 1
            gauge["most"] = max(gauge["most"], gauge["now"])
            try:
                return answer(request)
            finally:
                gauge["now"] -= 1

        monkeypatch.setattr(campus.platform, "handle", counted)
        return gauge

    return watch


@pytest.mark.django_db(transaction=True)
def test_a_platform_that_throttles_gets_less_at_once_and_then_more_again(make_campus, deliver):
    campus = make_campus(learners=60)
    line_item = campus.line_item()
    campus.platform.faults.add("status", kind="score", count=1, status=429, headers=[("Retry-After", "30")])
    record(line_item)
    deliver()
    service = Service.objects.get()
    assert (service.concurrency, service.slowed_at is not None) == (4, True)
    many = [{"user_id": f"u{n}", "score_given": 1, "score_maximum": 10} for n in range(1, 61)]
    scores.record_many(line_item, many)
    for minutes in range(1, 4):
        deliver(Tomorrow(minutes=minutes))
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}
    service.refresh_from_db()
    assert 4.5 < service.concurrency < 8


@pytest.mark.django_db(transaction=True)
def test_canvas_says_beforehand_that_it_has_had_nearly_enough(campus, deliver):
    campus.registration.profile = "canvas"
    campus.registration.save()
    line_item = campus.line_item()
    campus.platform.faults.add("status", kind="score", count=1, status=200, headers=[("X-Rate-Limit-Remaining", "99.5")])
    record(line_item)
    deliver()
    assert Service.objects.get().concurrency == 3
    assert Service.objects.get().closed_until is None
    assert Score.objects.get().state == SyncState.DELIVERED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("header", ["", "many", "600.0"])
def test_canvas_has_room(campus, deliver, header):
    campus.registration.profile = "canvas"
    campus.registration.save()
    campus.platform.faults.add("status", kind="score", count=1, status=200, headers=[("X-Rate-Limit-Remaining", header)])
    record(campus.line_item())
    deliver()
    assert Service.objects.get().concurrency is None


@pytest.mark.django_db(transaction=True)
def test_one_at_a_time_means_one_at_a_time(make_campus, deliver, most_at_once):
    campus = make_campus(learners=20)
    line_item = campus.line_item()
    record(line_item)
    deliver()
    Service.objects.update(concurrency=1)
    gauge = most_at_once(campus)
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 2, "score_maximum": 10} for n in range(1, 21)])
    deliver()
    assert gauge["most"] == 1
