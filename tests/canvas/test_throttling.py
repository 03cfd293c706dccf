"""Too many requests: waited out within bounds where somebody waits for the answer, and told as it is everywhere else."""

import time

import pytest

from django_lti_ags.ags.exchange import Exchange
from django_lti_ags.canvas import Client, DeveloperKeyToken, UserToken
from django_lti_ags.exceptions import CanvasThrottled
from django_lti_ags.profiles.canvas import CanvasProfile
from django_lti_ags.testing.platforms import Effect

TOO_MUCH = {"status": 403, "body": "403 Forbidden (Rate Limit Exceeded)"}


@pytest.fixture
def patient(school):
    """A client that notes how long it would sleep."""
    slept = []

    def make(seconds, tokens=None, **options):
        tokens = tokens or UserToken(school.token)
        options |= {"transport": school.transport, "observe": school.seen.append, "patience_seconds": seconds, "sleep": slept.append}
        return Client(school.platform.base_url, tokens, **options), slept

    return make


def throttle(school, times, kind="outcome_results", **answer):
    school.platform.faults.add(Effect.STATUS, kind=kind, count=times, **(TOO_MUCH | answer))


def test_it_waits_longer_each_time_and_then_goes_on(school, patient):
    client, slept = patient(10)
    throttle(school, 3)
    assert len(list(client.outcome_results(7))) == 4
    assert slept == [1, 2, 4]


def test_the_wait_that_canvas_names_is_the_one(school, patient):
    client, slept = patient(10)
    throttle(school, 1, status=429, body="{}", headers=[("Retry-After", "3")])
    assert len(list(client.outcome_results(7))) == 4
    assert slept == [3]


@pytest.mark.parametrize(("seconds", "waits"), [(0, []), (0.5, []), (6, [1, 2])])
def test_patience_ends(school, patient, seconds, waits):
    client, slept = patient(seconds)
    throttle(school, 9)
    with pytest.raises(CanvasThrottled, match="Rate Limit Exceeded"):
        list(client.outcome_results(7))
    assert slept == waits
    assert len(school.seen) == len(waits) + 1


def test_nobody_waits_past_the_time_to_start(school, patient):
    client, slept = patient(60, start_by=time.monotonic() + 0.9)
    throttle(school, 9)
    with pytest.raises(CanvasThrottled):
        list(client.outcome_results(7))
    assert slept == []


def test_a_throttled_token_is_waited_for_too(school, patient):
    secret, refresh = school.rest.register_key("100")
    client, slept = patient(10, DeveloperKeyToken("100", secret, refresh))
    throttle(school, 1, kind="token")
    assert len(list(client.outcome_results(7))) == 4
    assert slept == [1]


def test_each_call_has_its_own_patience(school, patient):
    client, slept = patient(1)
    for _ in range(2):
        throttle(school, 1)
        list(client.outcome_results(7))
    assert slept == [1, 1]


def test_an_answer_of_the_rest_api_slows_the_service_down_like_one_of_ags(school, patient):
    client, _ = patient(0)
    throttle(school, 1)
    with pytest.raises(CanvasThrottled) as caught:
        list(client.outcome_results(7))
    verdict = CanvasProfile().judge(caught.value.exchange)
    assert (verdict.code, verdict.slow_down, verdict.strains_service) == ("throttled", True, True)
    [answer] = [one for one in school.seen if isinstance(one, Exchange)]
    assert answer == caught.value.exchange
