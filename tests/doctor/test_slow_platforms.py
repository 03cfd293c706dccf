"""A platform that answers a byte at a time does not hold the doctor up: every request has an end, and there are few."""

from __future__ import annotations

from time import monotonic

import pytest

from django_lti_ags.doctor import Status, examine

pytestmark = pytest.mark.django_db
DEADLINE = 0.4
"""Of one request. A dripped answer of a token or a column would take some ten seconds."""


@pytest.fixture
def impatient(settings):
    settings.LTI_AGS = settings.LTI_AGS | {"SEND_DEADLINE_SECONDS": DEADLINE}


@pytest.mark.parametrize(
    ("kinds", "failing"),
    [
        (("jwks", "token", "line_item", "results"), {"platform_key_set", "token"}),
        (("token",), {"token"}),
        (("line_item", "results"), {"line_item", "results"}),
    ],
)
def test_each_request_ends_and_says_why(campus, impatient, kinds, failing):
    campus.line_item()
    for kind in kinds:
        campus.platform.faults.add("drip", kind=kind, seconds=0.05)
    began = monotonic()
    found = list(examine(campus.registration))
    spent = monotonic() - began
    troubled = [finding for finding in found if finding.status is Status.FAIL]
    assert {finding.check for finding in troubled} == failing
    ends = ("deadline", "within", "no answer", "no_answer")
    assert all(any(end in finding.seen for end in ends) for finding in troubled), troubled
    assert spent < DEADLINE * len(failing) + 3  # and what a busy machine takes for the rest
    assert not campus.platform.ledger.of("score")
