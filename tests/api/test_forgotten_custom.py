"""A custom field of somebody else's launch may name a learner who is forgotten: it is told as it is, and kept readable."""

from __future__ import annotations

import pytest

from django_lti_ags.models import ApiLaunch
from django_lti_ags.sync.forgetting import Forgetting
from tests.api.conftest import PREFIX, tool_at

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.urls")]


@pytest.mark.parametrize("padding", ["", "x" * 70_000])
def test_a_custom_field_that_names_the_learner_goes(campus, padding):
    custom = {PREFIX + "custom": {"mentee": "learner-4711"}, "padding": padding}
    tool_at(campus, sub="mentor-7", **custom)
    for dry_run in (True, False):
        counts = Forgetting([campus.registration], "learner-4711", dry_run=dry_run).run()
        assert counts["naming_launches"] == 1
    row = ApiLaunch.objects.get()
    assert (row.told["launch"]["custom"], row.claims_encrypted, row.told["user"]["id"]) == ({}, "", "mentor-7")
    assert Forgetting([campus.registration], "learner-4711", dry_run=False).run()["naming_launches"] == 0
