"""What the tests of delivery share: an engine whose clock can be ahead, and short ways to record and to claim."""

from datetime import timedelta
from random import Random

import pytest

from django_lti_ags import scores
from django_lti_ags.models import Score
from django_lti_ags.sync.clock import DatabaseClock
from django_lti_ags.sync.engine import Engine
from django_lti_ags.sync.outbox import Claim, claim

pytest.register_assert_rewrite("tests.sync.delivery_model")


class Tomorrow:
    """The database's clock, some time ahead."""

    def __init__(self, **ahead) -> None:
        self.ahead = timedelta(**ahead)

    def now(self):
        return DatabaseClock().now() + self.ahead


@pytest.fixture
def deliver(settings):
    engines = []

    def run(clock=None, **options):
        engines.append(Engine(clock=clock, random=Random(1)))
        return engines[-1].deliver_due(**options)

    yield run
    for engine in engines:
        engine.close()


@pytest.fixture
def line_item(campus):
    return campus.line_item()


@pytest.fixture
def canvas_campus(make_campus):
    campus = make_campus(dialect="canvas")
    campus.registration.profile = "canvas"
    campus.registration.save()
    return campus


@pytest.fixture
def column(canvas_campus):
    return canvas_campus.line_item()


def record(line_item, user="u1", given=8, **more):
    return scores.record(line_item, user_id=user, score_given=given, score_maximum=10, **more)


def claimed(line_item, **changed):
    terms = {
        "service_id": line_item.service_id,
        "limit": 10,
        "now": DatabaseClock().now(),
        "lease_seconds": 60,
        "timestamp_step_seconds": 0.001,
    } | changed
    return claim(Score.objects.all(), Claim(**terms))
