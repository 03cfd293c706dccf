"""What stands in the requests and answers of ``api/canvas/…``; see :mod:`~django_lti_ags.api.schema_parts`.

Outcomes are told as the typed answers of :mod:`django_lti_ags.canvas`, and so described.
"""

from __future__ import annotations

from typing import Any, Final

from rest_framework.fields import BooleanField, CharField, DateTimeField, IntegerField, ListField, UUIDField

from django_lti_ags.api.own_schemas import SyncState
from django_lti_ags.api.schema_parts import CanvasId, Explained, Listing, Shape, counts, one_of, shape_of
from django_lti_ags.canvas import ContributingAlignment, ContributingScore, Linked, OutcomeResult, OutcomeRollup
from django_lti_ags.models.live import RESULT_STATES

LiveResultState: Final = one_of("LiveResultState", RESULT_STATES)
LiveCounts: Final = counts("LiveCounts", "How many results are in which state.", RESULT_STATES)
_UID: Final = "0b7c1a54-7d0e-4c57-8f3a-1f0f3c7f0a11"
_AT: Final = "2026-03-01T12:00:00.000000Z"
_WELL: Final[dict[str, Any]] = {**dict.fromkeys(("code", "advice", "detail"), ""), "recorded_at": _AT, "delivered_at": _AT}
_LINKED: Final[dict[str, Any]] = {name: [] for name in shape_of(Linked)().fields}
_PAGINATION: Final = {"pagination": {"page": 1, "per_page": 100, "count": 1, "next_page": None}}
_NO_MORE: Final = {"linked": _LINKED, "meta": _PAGINATION}


class Pagination(Shape):
    """Which page it is."""

    page = IntegerField()
    per_page = IntegerField()
    count = IntegerField(allow_null=True)
    next_page = IntegerField(allow_null=True)


class Meta(Shape):
    """About the page."""

    pagination = Pagination()


class OutcomeResults(Shape):
    """A page of results in outcomes."""

    example = {
        "outcome_results": [
            {
                "id": "1",
                "user": "42",
                "learning_outcome": "12",
                **dict.fromkeys(("alignment", "assignment"), "assignment_7"),
                "score": 4,
                "possible": 5,
                "percent": 0.8,
                "mastery": True,
                **dict.fromkeys(("hidden", "hide_points"), False),
                "submitted_or_assessed_at": _AT,
            }
        ],
        **_NO_MORE,
    }
    outcome_results = shape_of(OutcomeResult)(many=True)
    linked = shape_of(Linked)()
    meta = Meta()


class OutcomeRollups(Shape):
    """A page of what learners reached in outcomes."""

    example = {
        "rollups": [
            {
                "links": {"course": None, "user": "42", "section": "3", "status": "active"},
                "scores": [{"outcome": "12", "score": 4, "count": 1, "title": "Quiz", "submitted_at": _AT, "hide_points": False}],
                "name": "Ada Lovelace",
            }
        ],
        **_NO_MORE,
    }
    rollups = shape_of(OutcomeRollup)(many=True)
    linked = shape_of(Linked)()
    meta = Meta()


class ContributingScores(Shape):
    """What an outcome's rollups stand on."""

    example = {
        "outcome_id": "12",
        "title": "Reads aloud",
        "alignments": [
            {
                "alignment_id": "assignment_7",
                "associated_asset_id": "7",
                "associated_asset_name": "Reading aloud",
                "associated_asset_type": "Assignment",
            }
        ],
        "scores": [{"user_id": "42", "alignment_id": "assignment_7", "score": 4}],
    }
    outcome_id = CharField()
    title = CharField()
    alignments = shape_of(ContributingAlignment)(many=True)
    scores = shape_of(ContributingScore)(many=True)


class NewLiveAssessment(Shape):
    """A live assessment to declare."""

    example = {"key": "2026-03-01,reading", "title": "Reading aloud", "outcome": 12}
    key = CharField(min_length=1)
    title = CharField(min_length=1)
    outcome = CanvasId(required=False, allow_null=True, help_text="Canvas' number.")


class LiveAssessment(Explained):
    """What the tool declared, and how far its results got."""

    example = {
        "uid": _UID,
        "context": _UID,
        "course_id": "7",
        "key": "2026-03-01,reading",
        "title": "Reading aloud",
        "outcome": "12",
        "canvas_id": "5",
        "results": dict.fromkeys(RESULT_STATES, 0) | {"delivered": 28},
        "state": "delivered",
        **_WELL,
        "tries": 1,
        "next_try_at": None,
        "declared_at": _AT,
        **dict.fromkeys(("can_retry", "can_cancel"), False),
    }
    uid = UUIDField()
    context = UUIDField()
    course_id = CharField()
    key = CharField()
    title = CharField()
    outcome = CharField(allow_null=True)
    canvas_id = CharField(allow_null=True)
    results = LiveCounts()
    state = SyncState()
    detail = CharField()
    tries = IntegerField()
    recorded_at = DateTimeField()
    next_try_at = DateTimeField(allow_null=True)
    declared_at = DateTimeField(allow_null=True)
    delivered_at = DateTimeField(allow_null=True)
    can_retry = BooleanField()
    can_cancel = BooleanField()


class LiveAssessments(Listing):
    """A page of them."""

    example = {"assessments": [LiveAssessment.example]}
    assessments = LiveAssessment(many=True)


class NewLiveResult(Shape):
    """Whether a learner passed."""

    example = {"user_id": 42, "passed": True, "assessed_at": "2026-03-01T12:00:00Z"}
    user_id = CanvasId(help_text="Canvas' number.")
    passed = BooleanField()
    assessed_at = DateTimeField()


class NewLiveResults(Shape):
    """Results to record."""

    example = {"results": [NewLiveResult.example]}
    results = ListField(child=NewLiveResult(), min_length=1, max_length=10_000)


class LiveResult(Explained, NewLiveResult):
    """What was noted of a learner, and whether Canvas has it."""

    example = {
        "user_id": "42",
        "passed": True,
        "assessed_at": _AT,
        "uid": _UID,
        "canvas_id": "9",
        "state": "delivered",
        "in_doubt": False,
    } | _WELL
    uid = UUIDField()
    canvas_id = CharField(allow_null=True)
    state = LiveResultState()
    in_doubt = BooleanField(help_text="It was on its way, and no clear answer came: Canvas is asked before it is sent again.")
    detail = CharField()
    recorded_at = DateTimeField()
    delivered_at = DateTimeField(allow_null=True)


class LiveResults(Listing):
    """A page of them."""

    example = {"results": [LiveResult.example]}
    results = LiveResult(many=True)


class LiveSummary(Shape):
    """What became of them here."""

    example = {"created": 1, "unchanged": 0}
    created = IntegerField()
    unchanged = IntegerField()
    results = LiveCounts(required=False, help_text="With wait.")
