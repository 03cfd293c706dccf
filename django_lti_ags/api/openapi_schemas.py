"""What stands in requests and answers, as JSON Schema, with an example of each."""

from __future__ import annotations

from typing import Any, Final

from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.models import SyncState

_TEXT: Final = {"type": "string"}
_URI: Final = {"type": "string", "format": "uri"}
_TIME: Final = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Final = {"type": ["string", "null"], "format": "date-time"}
_FLAG: Final = {"type": "boolean"}
_FURTHER: Final = {"description": "Further fields of the platform's, each named by a full URL."}


def _object(properties: dict[str, Any], required: str = "", *, more: Any = None) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        told["required"] = required.split()
    return told if more is None else told | {"additionalProperties": more}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_PAGES: Final = {name: {**_URI, "description": f"The {name} page, for url."} for name in ("next", "prev", "first", "last")}
_PROGRESS: Final = {
    "activityProgress": {"type": "string", "enum": [one.value for one in ActivityProgress]},
    "gradingProgress": {"type": "string", "enum": [one.value for one in GradingProgress]},
}
_NEW_LINE_ITEM: Final = {
    "label": _TEXT,
    "scoreMaximum": {"type": "number", "exclusiveMinimum": 0},
    **dict.fromkeys(("resourceLinkId", "resourceId", "tag"), _TEXT),
    **dict.fromkeys(("startDateTime", "endDateTime"), _MAYBE_TIME),
    "gradesReleased": _FLAG,
    "submissionReview": {"type": ["object", "null"]},
}
_AVAILABLE: Final = _object({"available": _FLAG, "lineItemId": _URI}, "available")
_RECORDED: Final = {
    "uid": {"type": "string", "format": "uuid"},
    "lineItem": {"type": ["string", "null"], "format": "uri"},
    "userId": _TEXT,
    **{key: {"type": ["number", "null"]} for key in ("scoreGiven", "scoreMaximum")},
    "comment": _TEXT,
    **_PROGRESS,
    "recordedAt": _TIME,
    "state": {"type": "string", "enum": list(SyncState.values)},
    **dict.fromkeys(("code", "advice", "detail"), _TEXT),
    "tries": {"type": "integer"},
    **dict.fromkeys(("nextTryAt", "deliveredAt"), _MAYBE_TIME),
    **dict.fromkeys(("canRetry", "canCancel"), _FLAG),
}
_ATTEMPT: Final = _object(
    {
        "kind": _TEXT,
        "startedAt": _TIME,
        "durationMs": {"type": "number"},
        "status": {"type": ["integer", "null"]},
        **dict.fromkeys(("failure", "said", "code", "detail"), _TEXT),
    },
    "kind startedAt durationMs status failure said code detail",
)
_PERSON: Final = {"id": _TEXT, "roles": _list(_TEXT), **dict.fromkeys(("name", "email", "givenName", "familyName"), _TEXT)}
SCHEMAS: Final[dict[str, Any]] = {
    "Error": _object(
        {
            "status": {"type": "integer"},
            "error": _TEXT,
            "details": _object(
                {
                    "message": {**_TEXT, "description": "A code, for programs."},
                    "description": {**_TEXT, "description": "A sentence, for people."},
                    "errors": _list(_object({"field": _TEXT, "rule": _TEXT}, "field rule")),
                    "platform": _object({"status": {"type": ["integer", "null"]}, "said": _TEXT, "failure": _TEXT}, "status"),
                },
                "message description",
            ),
        },
        "status error details",
        more=False,
    ),
    "IdToken": _object(
        {
            "user": _object(_PERSON, "id roles", more=False),
            "platform": _object({}, "id url clientId deploymentId", more=_TEXT),
            "launch": _object(
                {"type": _TEXT, "target": _TEXT, "custom": {"type": "object"}}, "type target custom", more={"type": "object"}
            ),
            "services": _object(
                {**dict.fromkeys(("deepLinking", "namesAndRoles", "assignmentAndGrades"), _AVAILABLE), "serviceKey": _TEXT},
                "deepLinking namesAndRoles assignmentAndGrades serviceKey",
                more=False,
            ),
        },
        "user platform launch services",
        more=False,
    ),
    "NewLineItem": _object(_NEW_LINE_ITEM, "label scoreMaximum", more=_FURTHER),
    "LineItem": _object(_NEW_LINE_ITEM | {"id": _URI, "scoreMaximum": {"type": "number"}}, "id label", more=_FURTHER),
    "LineItems": _object({"lineItems": _list(_ref("LineItem")), **_PAGES}, "lineItems", more=False),
    "NewScore": _object(
        {
            "userId": _TEXT,
            **_PROGRESS,
            "scoreGiven": {"type": ["number", "null"], "minimum": 0},
            "scoreMaximum": {"type": ["number", "null"], "exclusiveMinimum": 0},
            "comment": {"type": ["string", "null"]},
            "scoringUserId": {"type": ["string", "null"]},
            "submission": {"type": ["object", "null"], "properties": {"startedAt": _MAYBE_TIME, "submittedAt": _MAYBE_TIME}},
            "timestamp": {"description": "Ignored: the server sets it."},
        },
        "userId activityProgress gradingProgress",
        more=_FURTHER,
    ),
    "Scores": _object(
        {
            "scores": _list(
                _object(
                    {
                        **dict.fromkeys(("id", "scoreOf"), _URI),
                        "userId": _TEXT,
                        "timestamp": _TIME,
                        **{key: {"type": "number"} for key in ("resultScore", "resultMaximum")},
                        "comment": _TEXT,
                    },
                    "id userId scoreOf timestamp resultMaximum",
                    more=False,
                )
            ),
            **_PAGES,
        },
        "scores",
        more=False,
    ),
    "Pending": _object({"state": _TEXT, "code": _TEXT}, "state code", more=False),
    "RecordedScore": _object(_RECORDED, " ".join(_RECORDED), more=False),
    "RecordedScoreWithAttempts": _object(_RECORDED | {"attempts": _list(_ATTEMPT)}, " ".join(_RECORDED) + " attempts", more=False),
    "RecordedScores": _object({"scores": _list(_ref("RecordedScore")), "next": _TEXT}, "scores", more=False),
    "ManyScores": _object({"lineItem": _URI, "scores": {**_list(_ref("NewScore")), "minItems": 1, "maxItems": 10_000}}, "lineItem scores"),
    "Summary": _object({key: {"type": "integer"} for key in ("created", "changed", "unchanged")}, "created changed unchanged", more=False),
    "Status": _object(
        {
            "scores": _object({}, " ".join(SyncState.values), more={"type": "integer"}),
            "oldestWaitingAt": _MAYBE_TIME,
            "troubles": _list(_object({"code": _TEXT, "scores": {"type": "integer"}, "advice": _TEXT}, "code scores advice", more=False)),
            "registration": _object(
                {**dict.fromkeys(("uid", "name", "code", "advice"), _TEXT), "paused": _FLAG}, "uid name paused code advice", more=False
            ),
            "services": _list(
                _object(
                    {"origin": _URI, "failingSince": _MAYBE_TIME, "code": _TEXT, "advice": _TEXT},
                    "origin failingSince code advice",
                    more=False,
                )
            ),
        },
        "scores oldestWaitingAt troubles registration services",
        more=False,
    ),
    "Reconcile": _object({"lineItem": _URI, "policy": {"type": "string", "enum": ["report", "resend"]}}, "lineItem"),
    "Reconciliation": _object(
        {
            "learners": _object({}, more={"type": "integer"}),
            **{key: {"type": "integer"} for key in ("read", "resent")},
            "comparedAt": _TIME,
            "inOrder": _FLAG,
        },
        "learners read resent comparedAt inOrder",
        more=False,
    ),
    "Reason": _object({"reason": {**_TEXT, "minLength": 1}}, "reason"),
}
_SCORE: Final = {"userId": "5f3c8a", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 8, "scoreMaximum": 10}
_COLUMN: Final = "https://lms.example/course/1/lineitems/1"
EXAMPLES: Final[dict[str, Any]] = {
    "Error": {
        "status": 401,
        "error": "Unauthorized",
        "details": {"message": "INVALID_LTIK_AUTH_AUTHORIZATION_HEADER", "description": "Invalid or expired ltik."},
    },
    "NewLineItem": {"label": "Essay", "scoreMaximum": 20, "resourceId": "essay-7"},
    "LineItem": {"id": _COLUMN, "label": "Essay", "scoreMaximum": 20, "resourceId": "essay-7"},
    "LineItems": {
        "lineItems": [{"id": _COLUMN, "label": "Essay", "scoreMaximum": 20}],
        "next": "https://lms.example/course/1/lineitems?page=2",
    },
    "NewScore": _SCORE,
    "Scores": {
        "scores": [
            {
                "id": f"{_COLUMN}/results/5f3c8a",
                "userId": "5f3c8a",
                "scoreOf": _COLUMN,
                "timestamp": "2026-03-01T12:00:00.000000Z",
                "resultScore": 8,
                "resultMaximum": 10,
            }
        ]
    },
    "Pending": {"state": "pending", "code": ""},
    "ManyScores": {"lineItem": _COLUMN, "scores": [_SCORE]},
    "Summary": {"created": 1, "changed": 0, "unchanged": 0},
    "Reconcile": {"lineItem": _COLUMN, "policy": "resend"},
    "Reconciliation": {
        "learners": {"in_sync": 28, "missing": 1},
        "read": 28,
        "resent": 1,
        "comparedAt": "2026-03-01T12:00:00Z",
        "inOrder": False,
    },
    "Reason": {"reason": "left the course"},
}
