"""What stands in requests and answers, as JSON Schema, with an example of each."""

from __future__ import annotations

from typing import Any, Final

from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.api.openapi_parts import FLAG, FURTHER, MAYBE_TIME, TEXT, TIME, URI, UUID, an_object, list_of, ref
from django_lti_ags.models import SyncState

_PAGES: Final = {name: {**URI, "description": f"The {name} page, for url."} for name in ("next", "prev", "first", "last")}
_PROGRESS: Final = {
    "activityProgress": {"type": "string", "enum": [one.value for one in ActivityProgress]},
    "gradingProgress": {"type": "string", "enum": [one.value for one in GradingProgress]},
}
_NEW_LINE_ITEM: Final = {
    "label": TEXT,
    "scoreMaximum": {"type": "number", "exclusiveMinimum": 0},
    **dict.fromkeys(("resourceLinkId", "resourceId", "tag"), TEXT),
    **dict.fromkeys(("startDateTime", "endDateTime"), MAYBE_TIME),
    "gradesReleased": FLAG,
    "submissionReview": {"type": ["object", "null"]},
}
_AVAILABLE: Final = an_object({"available": FLAG, "lineItemId": URI}, "available")
_RECORDED: Final = {
    "uid": UUID,
    "lineItem": {"type": ["string", "null"], "format": "uri"},
    "userId": TEXT,
    **{key: {"type": ["number", "null"]} for key in ("scoreGiven", "scoreMaximum")},
    "comment": TEXT,
    **_PROGRESS,
    "recordedAt": TIME,
    "state": {"type": "string", "enum": list(SyncState.values)},
    **dict.fromkeys(("code", "advice", "detail"), TEXT),
    "tries": {"type": "integer"},
    **dict.fromkeys(("nextTryAt", "deliveredAt"), MAYBE_TIME),
    **dict.fromkeys(("canRetry", "canCancel"), FLAG),
}
_ATTEMPT: Final = an_object(
    {
        "kind": TEXT,
        "startedAt": TIME,
        "durationMs": {"type": "number"},
        "status": {"type": ["integer", "null"]},
        **dict.fromkeys(("failure", "said", "code", "detail"), TEXT),
    },
    "kind startedAt durationMs status failure said code detail",
)
_PAUSE: Final = {**dict.fromkeys(("uid", "name", "code", "advice"), TEXT), "paused": FLAG}
_REGISTRATION: Final = _PAUSE | dict.fromkeys(("issuer", "clientId", "profile", "reason"), TEXT) | {"pausedAt": MAYBE_TIME}
_COUNTS: Final = an_object({}, " ".join(SyncState.values), more={"type": "integer"})
_COLUMN_SHOWN: Final = {
    **dict.fromkeys(("uid", "context"), UUID),
    "lineItem": {"type": ["string", "null"], "format": "uri"},
    **dict.fromkeys(("label", "resourceLinkId", "resourceId", "tag"), TEXT),
    "scoreMaximum": {"type": ["number", "null"]},
    "scores": _COUNTS,
    **dict.fromkeys(("lastDeliveredAt", "comparedAt"), MAYBE_TIME),
    "block": {
        **an_object({"code": TEXT, "advice": TEXT, "since": MAYBE_TIME}, "code advice since", more=False),
        "type": ["object", "null"],
        "description": "What keeps all of its scores from being sent; null: nothing.",
    },
}
_LINE_ITEM: Final = _NEW_LINE_ITEM | {
    **dict.fromkeys(("resourceLinkId", "resourceId", "tag"), TEXT),
    **dict.fromkeys(("startDateTime", "endDateTime"), TIME),
    "id": URI,
    "scoreMaximum": {"type": "number"},
    "gradesReleased": FLAG,
    "submissionReview": {"type": "object"},
}
_PERSON: Final = {"id": TEXT, "roles": list_of(TEXT), **dict.fromkeys(("name", "email", "givenName", "familyName"), TEXT)}
SCHEMAS: Final[dict[str, Any]] = {
    "Error": an_object(
        {
            "status": {"type": "integer"},
            "error": TEXT,
            "details": an_object(
                {
                    "message": {**TEXT, "description": "A code, for programs."},
                    "description": {**TEXT, "description": "A sentence, for people."},
                    "errors": list_of(an_object({"field": TEXT, "rule": TEXT}, "field rule")),
                    "platform": an_object({"status": {"type": ["integer", "null"]}, "said": TEXT, "failure": TEXT}, "status"),
                },
                "message description",
            ),
        },
        "status error details",
        more=False,
    ),
    "IdToken": an_object(
        {
            "user": an_object(_PERSON, "id roles", more=False),
            "platform": an_object({}, "id url clientId deploymentId name", more=TEXT),
            "launch": an_object(
                {"type": TEXT, "target": TEXT, "custom": {"type": "object"}}, "type target custom", more={"type": "object"}
            ),
            "services": an_object(
                {**dict.fromkeys(("deepLinking", "namesAndRoles", "assignmentAndGrades", "outcomes"), _AVAILABLE), "serviceKey": TEXT},
                "deepLinking namesAndRoles assignmentAndGrades outcomes serviceKey",
                more=False,
            ),
            "ltiVersion": TEXT,
        },
        "user platform launch services ltiVersion",
        more=False,
    ),
    "RawIdToken": an_object({"sub": TEXT, "iss": TEXT}, "iss", more={"description": "A claim, as the platform sent it."}),
    "AnyIdToken": {"anyOf": [ref("IdToken"), ref("RawIdToken")]},
    "NewLineItem": an_object(_NEW_LINE_ITEM, "label scoreMaximum", more=FURTHER),
    "LineItem": an_object(_LINE_ITEM, "id label", more=FURTHER),
    "LineItems": an_object({"lineItems": list_of(ref("LineItem")), **_PAGES}, "lineItems", more=False),
    "NewScore": an_object(
        {
            "userId": TEXT,
            **_PROGRESS,
            "scoreGiven": {"type": ["number", "null"], "minimum": 0},
            "scoreMaximum": {"type": ["number", "null"], "exclusiveMinimum": 0},
            "comment": {"type": ["string", "null"]},
            "scoringUserId": {"type": ["string", "null"]},
            "submission": {"type": ["object", "null"], "properties": {"startedAt": MAYBE_TIME, "submittedAt": MAYBE_TIME}},
            "timestamp": {"description": "Ignored: the server sets it."},
            "scoreOf": {"description": "Ignored: the address says which line item it is."},
        },
        "userId activityProgress gradingProgress",
        more=FURTHER,
    ),
    "Scores": an_object(
        {
            "scores": list_of(
                an_object(
                    {
                        **dict.fromkeys(("id", "scoreOf"), URI),
                        "userId": TEXT,
                        "timestamp": TIME,
                        **{key: {"type": "number"} for key in ("resultScore", "resultMaximum")},
                        "comment": TEXT,
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
    "Pending": an_object({"state": TEXT, "code": TEXT}, "state code", more=False),
    "RecordedScore": an_object(_RECORDED, " ".join(_RECORDED), more=False),
    "RecordedScoreWithAttempts": an_object(_RECORDED | {"attempts": list_of(_ATTEMPT)}, " ".join(_RECORDED) + " attempts", more=False),
    "RecordedScores": an_object({"scores": list_of(ref("RecordedScore")), "next": TEXT}, "scores", more=False),
    "ManyScores": an_object(
        {"lineItem": URI, "scores": {**list_of(ref("NewScore")), "minItems": 1, "maxItems": 10_000}}, "lineItem scores"
    ),
    "Summary": an_object(
        {key: {"type": "integer"} for key in ("created", "changed", "unchanged")}, "created changed unchanged", more=False
    ),
    "Status": an_object(
        {
            "scores": _COUNTS,
            "oldestWaitingAt": MAYBE_TIME,
            "troubles": list_of(an_object({"code": TEXT, "scores": {"type": "integer"}, "advice": TEXT}, "code scores advice", more=False)),
            "registration": an_object(_PAUSE, " ".join(_PAUSE), more=False),
            "services": list_of(
                an_object(
                    {"origin": URI, "failingSince": MAYBE_TIME, "code": TEXT, "advice": TEXT},
                    "origin failingSince code advice",
                    more=False,
                )
            ),
        },
        "scores oldestWaitingAt troubles registration services",
        more=False,
    ),
    "Registrations": an_object(
        {"registrations": list_of(an_object(_REGISTRATION, " ".join(_REGISTRATION), more=False)), "next": TEXT}, "registrations", more=False
    ),
    "Columns": an_object(
        {"lineItems": list_of(an_object(_COLUMN_SHOWN, " ".join(_COLUMN_SHOWN), more=False)), "next": TEXT}, "lineItems", more=False
    ),
    "Reconcile": an_object({"lineItem": URI, "policy": {"type": "string", "enum": ["report", "resend"]}}, "lineItem"),
    "Reconciliation": an_object(
        {
            "learners": an_object({}, more={"type": "integer"}),
            **{key: {"type": "integer"} for key in ("read", "resent")},
            "comparedAt": TIME,
            "inOrder": FLAG,
        },
        "learners read resent comparedAt inOrder",
        more=False,
    ),
    "Reason": an_object({"reason": {**TEXT, "minLength": 1}}, "reason"),
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
    "NewLiveAssessment": {"key": "2026-03-01,reading", "title": "Reading aloud", "outcome": 12},
    "NewLiveResults": {"results": [{"user_id": 42, "passed": True, "assessed_at": "2026-03-01T12:00:00Z"}]},
    "LiveSummary": {"created": 1, "unchanged": 0},
}
