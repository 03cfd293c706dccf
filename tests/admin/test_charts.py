"""Shapes: lines with gaps, bars, a scale."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.utils import timezone

from django_lti_ags.admin.charts import DAY, WEEK, Step, charts, history, nice_top
from django_lti_ags.models import SyncSample

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "top"),
    [([], 1), ([None], 1), ([0], 1), ([1], 1), ([2], 2), ([3], 3), ([7], 8), ([9], 10), ([11, 20], 20), ([21], 30), ([999_999], 1_000_000)],
)
def test_the_scale_ends_at_a_round_number(values, top):
    assert nice_top(values) == top


def shapes(values, kind):
    steps = [Step(NOON, value, 0 if value is not None else None, value) for value in values]
    backlog, deliveries = charts(DAY, steps)
    return ET.fromstring((backlog if kind == "path" else deliveries).svg).findall(kind)


def test_a_line_breaks_where_nobody_sampled():
    line, resting = shapes([0, 10, None, 5, None], "path")
    assert line.get("d") == "M48.0 120.0 L144.0 0.0 M336.0 60.0 h48.0"
    assert line.get("fill") == "none"
    assert resting.get("stroke-dasharray") != "none"


def test_without_samples_a_line_is_empty():
    assert shapes([None, None], "path")[0].get("d") == ""


def test_bars_stand_where_something_was_delivered():
    (bar,) = shapes([0, 5, None, 0], "rect")
    assert [bar.get(name) for name in ("x", "y", "width", "height")] == ["121.0", "0.0", "118.0", "120.0"]


def test_a_picture_is_told_in_words():
    backlog, deliveries = charts(DAY, [Step(NOON, 7, 2, 1), Step(NOON)])
    svg = ET.fromstring(backlog.svg)
    assert (svg.get("role"), svg.find("title").text) == ("img", "Backlog, last 24 hours")
    assert svg.find("desc").text == "At most 7 scores waited, at the end 7; 2 were blocked or failed at the end."
    assert ET.fromstring(deliveries.svg).find("desc").text == "1 score was delivered."
    empty, _ = charts(DAY, [Step(NOON)])
    assert ET.fromstring(empty.svg).find("desc").text == "At most 0 scores waited, at the end 0; 0 were blocked or failed at the end."


def test_an_hour_that_a_clock_goes_through_twice_is_two(world, settings):
    """In Berlin 25 October 2026 has 02:00 twice; steps go by the absolute time, and none is lost or summed with the other."""
    settings.TIME_ZONE = "Europe/Berlin"
    first, second = datetime(2026, 10, 25, 0, 10, tzinfo=UTC), datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert timezone.localtime(first).hour == timezone.localtime(second).hour == 2
    for number, at in enumerate((first, second), 1):
        SyncSample.objects.create(service=world.service, taken_at=at, delivered=number, waiting=number)
    for now, length in ((datetime(2026, 10, 25, 12, tzinfo=UTC), 48), (datetime(2026, 10, 25, 23, 59, tzinfo=UTC), 48)):
        steps = history(DAY, now, None)
        assert [step.delivered for step in steps if step.delivered] == [1, 2]
        assert len(steps) == length
        assert {later.at - earlier.at for earlier, later in pairwise(steps)} == {DAY.step}
    assert sum(step.delivered or 0 for step in history(WEEK, datetime(2026, 10, 25, 12, tzinfo=UTC), None)) == 3
