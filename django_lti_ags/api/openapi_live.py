"""The description of ``/api/canvas/live_assessments``."""

from __future__ import annotations

from typing import Any, Final

from django_lti_ags.api.openapi_operations import ONCE, ok, operation, parameter
from django_lti_ags.api.openapi_parts import FLAG, MAYBE_TIME, TEXT, TIME, UUID, an_object, list_of, ref
from django_lti_ags.models import SyncState
from django_lti_ags.models.live import RESULT_STATES

_ID: Final = {"type": ["string", "integer"], "description": "Canvas' number."}
_MAYBE_TEXT: Final = {"type": ["string", "null"]}
_WHY: Final = dict.fromkeys(("code", "advice", "detail"), TEXT)
_NOTED: Final = {"user_id": _ID, "passed": FLAG, "assessed_at": TIME}
_COUNTS: Final = an_object({state: {"type": "integer"} for state in RESULT_STATES}, " ".join(RESULT_STATES), more=False)
_ASSESSMENT: Final[dict[str, Any]] = {
    **dict.fromkeys(("uid", "context"), UUID),
    **dict.fromkeys(("course_id", "key", "title"), TEXT),
    "outcome": _MAYBE_TEXT,
    "canvas_id": _MAYBE_TEXT,
    "results": _COUNTS,
    "state": {"type": "string", "enum": list(SyncState.values)},
    **_WHY,
    "tries": {"type": "integer"},
    "recorded_at": TIME,
    **dict.fromkeys(("next_try_at", "declared_at", "delivered_at"), MAYBE_TIME),
    **dict.fromkeys(("can_retry", "can_cancel"), FLAG),
}
_RESULT: Final[dict[str, Any]] = {
    "uid": UUID,
    **_NOTED,
    "canvas_id": _MAYBE_TEXT,
    "state": {"type": "string", "enum": list(RESULT_STATES)},
    "in_doubt": {**FLAG, "description": "It was on its way, and no clear answer came: Canvas is asked before it is sent again."},
    **_WHY,
    "recorded_at": TIME,
    "delivered_at": MAYBE_TIME,
}
LIVE_SCHEMAS: Final[dict[str, Any]] = {
    "NewLiveAssessment": an_object(
        {**{name: {**TEXT, "minLength": 1} for name in ("key", "title")}, "outcome": {"type": ["string", "integer", "null"]}}, "key title"
    ),
    "LiveAssessment": an_object(_ASSESSMENT, " ".join(_ASSESSMENT), more=False),
    "LiveAssessments": an_object({"assessments": list_of(ref("LiveAssessment")), "next": TEXT}, "assessments", more=False),
    "NewLiveResults": an_object(
        {"results": {**list_of(an_object(_NOTED, " ".join(_NOTED), more=False)), "minItems": 1, "maxItems": 10_000}}, "results"
    ),
    "LiveResults": an_object({"results": list_of(an_object(_RESULT, " ".join(_RESULT), more=False)), "next": TEXT}, "results", more=False),
    "LiveSummary": an_object(
        {**{name: {"type": "integer"} for name in ("created", "unchanged")}, "results": _COUNTS}, "created unchanged", more=False
    ),
}
_UID: Final = parameter("uid", "The live assessment's uid.", {"type": "string", "format": "uuid"}, "path")
_PAGING: Final = [
    parameter("limit", "At most so many.", {"type": "integer", "minimum": 1}),
    parameter("cursor", "The next of an earlier answer."),
]
_WAIT: Final = parameter("wait", "Wait so many seconds for Canvas.", {"type": "number", "minimum": 0, "maximum": 30})
LIVE_PATHS: Final[dict[str, Any]] = {
    "/api/canvas/live_assessments": {
        "get": operation("List live assessments", ok("LiveAssessments", "One page, the newest first."), _PAGING),
        "post": operation(
            "Declare a live assessment",
            ok("LiveAssessment", "With wait: Canvas has it.") | ok("LiveAssessment", "Canvas will be told.", "202"),
            [_WAIT],
            "NewLiveAssessment",
        ),
    },
    "/api/canvas/live_assessments/{uid}": {"get": operation("One live assessment", ok("LiveAssessment", "How it stands."), [_UID])},
    "/api/canvas/live_assessments/{uid}/retry": {"post": operation("Send it again", ok("LiveAssessment", "It is due."), [_UID])},
    "/api/canvas/live_assessments/{uid}/cancel": {
        "post": operation("Do not send what Canvas has not", ok("LiveAssessment", "It is cancelled."), [_UID], "Reason")
    },
    "/api/canvas/live_assessments/{uid}/results": {
        "get": operation(
            "List recorded results",
            ok("LiveResults", "One page, the newest first."),
            [
                _UID,
                parameter("user_id", "Only this learner's: Canvas' number."),
                parameter("state", "Only those in this state.", {"type": "string", "enum": list(RESULT_STATES)}),
                *_PAGING,
            ],
        ),
        "post": operation(
            "Record results; each counts",
            ok("LiveSummary", "With wait: Canvas has them.") | ok("LiveSummary", "All are recorded; Canvas will be told.", "202"),
            [_UID, _WAIT, ONCE],
            "NewLiveResults",
        ),
    },
}
