"""The scopes of Canvas' REST API: one per endpoint and verb, by their names in a developer key."""

from __future__ import annotations

from typing import Final

COURSE: Final = "/api/v1/courses/:course_id"
LIVE: Final = f"{COURSE}/live_assessments"
LIVE_RESULTS: Final = f"{LIVE}/:assessment_id/results"
ENQUEUE: Final = "/api/v1/enqueue_outcome_rollup_calculation"
SCOPES: Final = (
    f"url:GET|{COURSE}/outcome_results",
    f"url:GET|{COURSE}/outcome_rollups",
    f"url:GET|{COURSE}/outcomes/:outcome_id/contributing_scores",
    f"url:POST|{COURSE}/assign_outcome_order",
    f"url:POST|{ENQUEUE}",
    f"url:GET|{LIVE}",
    f"url:POST|{LIVE}",
    f"url:GET|{LIVE_RESULTS}",
    f"url:POST|{LIVE_RESULTS}",
)
"""All that a developer key must allow for everything here, by their names in Canvas. Tick *Allow Include Parameters* too: without it
Canvas passes over every ``include``."""
