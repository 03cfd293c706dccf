"""Schemathesis, by the API's own description: whatever a client sends, no answer is a 5xx, and none is other than described.

``tox run -e api-fuzz``; the suite does not collect it.
"""

import pytest
from hypothesis import HealthCheck, given, settings

from django_lti_ags import scores
from tests.api.conftest import encoded

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.api.urls"),
    pytest.mark.timeout(900),
]


def test_no_answer_is_other_than_described(tool, campus, live_server):
    import schemathesis  # only its own environment has it
    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()
    # What a schema allows may be refused: it cannot say which addresses are below the course's own line items.
    checks = [check for check in CHECKS.get_all() if check.__name__ != "positive_data_acceptance"]
    schema = schemathesis.openapi.from_url(live_server.url + "/lti/api/openapi.json")
    there = {"id": encoded(tool.column), "uid": str(scores.record(campus.line_item(), user_id="u1", score_given=1, score_maximum=10).uid)}
    found = {}
    for operation in (result.ok() for result in schema.get_all_operations()):

        @settings(max_examples=50, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def whatever(case):
            if case.path_parameters:
                case.path_parameters = {name: there.get(name, value) for name, value in case.path_parameters.items()}
            if "wait" in (case.query or {}):
                case.query["wait"] = "0"  # nobody delivers here
            case.call_and_validate(headers={"Authorization": tool.header}, checks=checks)

        try:
            whatever()
        except Exception as problem:  # noqa: BLE001 - all operations are told of
            found[operation.label] = str(problem)
    assert found == {}, "\n\n".join(f"{label}: {problem}" for label, problem in found.items())
