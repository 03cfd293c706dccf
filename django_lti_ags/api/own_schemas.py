"""What stands in the requests and answers of ``api/sync/…``; see :mod:`~django_lti_ags.api.schema_parts`."""

from __future__ import annotations

from typing import Final

from rest_framework.fields import (
    BooleanField,
    CharField,
    DateTimeField,
    FloatField,
    IntegerField,
    ListField,
    URLField,
    UUIDField,
)

from django_lti_ags import models, results
from django_lti_ags.api.schema_parts import Explained, Listing, Shape, counts, one_of
from django_lti_ags.api.schemas import COLUMN, ActivityProgress, GradingProgress, NewScore

SyncState: Final = one_of("SyncState", models.SyncState.values)
Policy: Final = one_of("Policy", [one.value for one in results.Policy])
Counts: Final = counts("Counts", "How many scores are in which state.", models.SyncState.values, further={"type": "integer"})
_NONE: Final = dict.fromkeys(models.SyncState.values, 0)
_AT: Final = "2026-03-01T12:00:00.000000Z"
_UID: Final = "0b7c1a54-7d0e-4c57-8f3a-1f0f3c7f0a11"


class RecordedScore(Explained):
    """What the tool said, and how far it got."""

    example = NewScore.example | {
        "uid": _UID,
        "lineItem": COLUMN,
        "comment": "Well done",
        "recordedAt": _AT,
        "state": "delivered",
        **dict.fromkeys(("code", "advice", "detail"), ""),
        "tries": 1,
        "nextTryAt": None,
        "deliveredAt": _AT,
        "canRetry": False,
        "canCancel": False,
    }
    uid = UUIDField()
    lineItem = URLField(allow_null=True)
    userId = CharField()
    scoreGiven = FloatField(allow_null=True)
    scoreMaximum = FloatField(allow_null=True)
    comment = CharField()
    activityProgress = ActivityProgress()
    gradingProgress = GradingProgress()
    recordedAt = DateTimeField()
    state = SyncState()
    detail = CharField()
    tries = IntegerField()
    nextTryAt = DateTimeField(allow_null=True)
    deliveredAt = DateTimeField(allow_null=True)
    canRetry = BooleanField()
    canCancel = BooleanField()


class Attempt(Shape):
    """One exchange with the platform."""

    example = {
        "kind": "score",
        "startedAt": _AT,
        "durationMs": 41,
        "status": 200,
        **dict.fromkeys(("failure", "said", "code", "detail"), ""),
    }
    kind = CharField()
    startedAt = DateTimeField()
    durationMs = FloatField()
    status = IntegerField(allow_null=True)
    failure = CharField()
    said = CharField()
    code = CharField()
    detail = CharField()


class RecordedScoreWithAttempts(RecordedScore):
    """The same, with the exchanges about it, the newest first."""

    example = RecordedScore.example | {"attempts": [Attempt.example]}
    attempts = Attempt(many=True)


class RecordedScores(Listing):
    """A page of them."""

    example = {"scores": [RecordedScore.example], "next": _UID}
    scores = RecordedScore(many=True)


class ManyScores(Shape):
    """Scores to record in one line item."""

    example = {"lineItem": COLUMN, "scores": [NewScore.example]}
    lineItem = URLField()
    scores = ListField(child=NewScore(), min_length=1, max_length=10_000)


class Summary(Shape):
    """What became of them here."""

    example = {"created": 1, "changed": 0, "unchanged": 0}
    created = IntegerField()
    changed = IntegerField()
    unchanged = IntegerField()


class Reason(Shape):
    """Why."""

    example = {"reason": "left the course"}
    reason = CharField(min_length=1)


class Pause(Explained):
    """A registration, and whether nothing is sent for it."""

    example = {"uid": _UID, "name": "The campus", "paused": False, "code": "", "advice": ""}
    uid = CharField()
    name = CharField()
    paused = BooleanField()


class Registration(Pause):
    """A registered platform."""

    example = Pause.example | {"issuer": "https://lms.example", "clientId": "quiz", "profile": "moodle", "reason": "", "pausedAt": None}
    issuer = CharField()
    clientId = CharField()
    profile = CharField()
    reason = CharField()
    pausedAt = DateTimeField(allow_null=True)


class Registrations(Listing):
    """A page of them."""

    example = {"registrations": [Registration.example]}
    registrations = Registration(many=True)


class Block(Explained):
    """What keeps all scores of a line item from being sent."""

    since = DateTimeField(allow_null=True)


class Column(Shape):
    """A line item, with what became of its scores."""

    example = {
        "uid": _UID,
        "context": _UID,
        "lineItem": COLUMN,
        "label": "Quiz",
        **dict.fromkeys(("resourceLinkId", "resourceId", "tag"), ""),
        "scoreMaximum": 10,
        "scores": _NONE | {"delivered": 28},
        "lastDeliveredAt": _AT,
        "comparedAt": None,
        "block": None,
    }
    uid = UUIDField()
    context = UUIDField()
    lineItem = URLField(allow_null=True)
    label = CharField()
    resourceLinkId = CharField()
    resourceId = CharField()
    tag = CharField()
    scoreMaximum = FloatField(allow_null=True)
    scores = Counts()
    lastDeliveredAt = DateTimeField(allow_null=True)
    comparedAt = DateTimeField(allow_null=True)
    block = Block(allow_null=True, help_text="What keeps all of its scores from being sent; null: nothing.")


class Columns(Listing):
    """A page of them."""

    example = {"lineItems": [Column.example]}
    lineItems = Column(many=True)


class Trouble(Shape):
    """What scores wait for, and what to do."""

    code = CharField()
    scores = IntegerField()
    advice = CharField()


class ServiceState(Explained):
    """A host of the platform's."""

    origin = URLField()
    failingSince = DateTimeField(allow_null=True)


class Status(Shape):
    """How delivery stands."""

    example = {
        "scores": _NONE | {"delivered": 28, "pending": 1},
        "oldestWaitingAt": _AT,
        "troubles": [],
        "registration": Pause.example,
        "services": [{"origin": "https://lms.example", "failingSince": None, "code": "", "advice": ""}],
    }
    scores = Counts()
    oldestWaitingAt = DateTimeField(allow_null=True)
    troubles = Trouble(many=True)
    registration = Pause()
    services = ServiceState(many=True)


class Reconcile(Shape):
    """Which line item to compare with its platform; ``resend``: what is missing or differs is sent again."""

    example = {"lineItem": COLUMN, "policy": "resend"}
    lineItem = URLField()
    policy = Policy(required=False)


class Agreements(Shape):
    """How many learners stand how."""

    further = {"type": "integer"}


class Reconciliation(Shape):
    """How a line item's learners stand."""

    example = {"learners": {"in_sync": 28, "missing": 1}, "read": 28, "resent": 1, "comparedAt": _AT, "inOrder": False}
    learners = Agreements()
    read = IntegerField()
    resent = IntegerField()
    comparedAt = DateTimeField()
    inOrder = BooleanField()
