"""What stands in the requests and answers of LTIAAS' addresses, and in every error; see :mod:`~django_lti_ags.api.schema_parts`."""

from __future__ import annotations

from typing import Any, Final

from rest_framework.fields import BooleanField, CharField, DateTimeField, DictField, FloatField, IntegerField, ListField, URLField

from django_lti_ags.ags import vocabulary
from django_lti_ags.api.schema_parts import Anything, Positive, Shape, one_of

FURTHER: Final = {"description": "Further fields of the platform's, each named by a full URL."}
COLUMN: Final = "https://lms.example/course/1/lineitems/1"
ActivityProgress: Final = one_of("ActivityProgress", [one.value for one in vocabulary.ActivityProgress])
GradingProgress: Final = one_of("GradingProgress", [one.value for one in vocabulary.GradingProgress])


class FieldError(Shape):
    """A mistake in what was sent."""

    field = CharField()
    rule = CharField()


class PlatformError(Shape):
    """What the platform answered."""

    status = IntegerField(allow_null=True)
    said = CharField(required=False)
    failure = CharField(required=False)


class ErrorDetails(Shape):
    """What is wrong."""

    further = {}
    message = CharField(help_text="A code, for programs.")
    description = CharField(help_text="A sentence, for people.")
    errors = FieldError(many=True, required=False)
    platform = PlatformError(required=False)


class Error(Shape):
    """Every error."""

    example = {
        "status": 401,
        "error": "Unauthorized",
        "details": {"message": "INVALID_LTIK_AUTH_AUTHORIZATION_HEADER", "description": "Invalid or expired ltik."},
    }
    status = IntegerField()
    error = CharField()
    details = ErrorDetails()


class LaunchUser(Shape):
    """Who came."""

    id = CharField()
    roles = ListField(child=CharField())
    name = CharField(required=False)
    email = CharField(required=False)
    givenName = CharField(required=False)
    familyName = CharField(required=False)


class LaunchPlatform(Shape):
    """Where from."""

    further = {"type": "string"}
    id = CharField()
    url = CharField()
    clientId = CharField()
    deploymentId = CharField()
    name = CharField()


class Launch(Shape):
    """To what."""

    further = {"type": "object"}
    type = CharField()
    target = CharField()
    custom = DictField()


class LaunchService(Shape):
    """A service of LTI Advantage."""

    available = BooleanField()
    lineItemId = URLField(required=False)


class LaunchServices(Shape):
    """What the tool may ask for."""

    deepLinking = LaunchService()
    namesAndRoles = LaunchService()
    assignmentAndGrades = LaunchService()
    outcomes = LaunchService()
    serviceKey = CharField()


class IdToken(Shape):
    """A launch."""

    example = {
        "user": {"id": "5f3c8a", "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"], "name": "Ada Lovelace"},
        "platform": {
            "id": "0b7c1a54-7d0e-4c57-8f3a-1f0f3c7f0a11",
            "url": "https://lms.example",
            "clientId": "quiz",
            "deploymentId": "1",
            "name": "The campus",
            "productFamilyCode": "moodle",
        },
        "launch": {
            "type": "LtiResourceLinkRequest",
            "target": "https://tool.example/quiz/7",
            "context": {"id": "course-1", "title": "Mathematics"},
            "resourceLink": {"id": "link-1", "title": "Quiz"},
            "custom": {"quiz": "7"},
        },
        "services": {
            **{name: {"available": False} for name in ("deepLinking", "namesAndRoles", "outcomes")},
            "assignmentAndGrades": {"available": True, "lineItemId": COLUMN},
            "serviceKey": "<service key>",
        },
        "ltiVersion": "1.3.0",
    }
    user = LaunchUser()
    platform = LaunchPlatform()
    launch = Launch()
    services = LaunchServices()
    ltiVersion = CharField()


class RawIdToken(Shape):
    """The platform's claims, as they came, and the version of LTI."""

    further = {"description": "A claim."}
    example = {"ltiVersion": "1.3.0", "iss": "https://lms.example", "aud": "quiz", "sub": "5f3c8a"}
    iss = CharField()
    sub = CharField(required=False)


class AnyIdToken(Shape):
    """A launch, or with raw the platform's claims."""

    example = IdToken.example
    either = (IdToken, RawIdToken)


class NewLineItem(Shape):
    """A line item to make, or to put in place of another."""

    further = FURTHER
    example = {"label": "Essay", "scoreMaximum": 20, "resourceId": "essay-7"}
    label = CharField()
    scoreMaximum: Any = Positive()
    resourceLinkId = CharField(required=False, allow_null=True)
    resourceId = CharField(required=False, allow_null=True)
    tag = CharField(required=False, allow_null=True)
    startDateTime = DateTimeField(required=False, allow_null=True)
    endDateTime = DateTimeField(required=False, allow_null=True)
    gradesReleased = BooleanField(required=False, allow_null=True)
    submissionReview = DictField(required=False, allow_null=True)


class LineItem(NewLineItem):
    """A line item, as the platform has it."""

    example = NewLineItem.example | {"id": COLUMN}
    id = URLField()
    scoreMaximum = FloatField(required=False)
    resourceLinkId = CharField(required=False)
    resourceId = CharField(required=False)
    tag = CharField(required=False)
    gradesReleased = BooleanField(required=False)
    startDateTime = DateTimeField(required=False)
    endDateTime = DateTimeField(required=False)
    submissionReview = DictField(required=False)


class _Pages(Shape):
    next = URLField(required=False, help_text="The next page, for url.")
    prev = URLField(required=False, help_text="The prev page, for url.")
    first = URLField(required=False, help_text="The first page, for url.")
    last = URLField(required=False, help_text="The last page, for url.")


class LineItems(_Pages):
    """A page of line items."""

    example = {"lineItems": [LineItem.example], "next": "https://lms.example/course/1/lineitems?page=2"}
    lineItems = LineItem(many=True)


class Submission(Shape):
    """When a learner began, and handed in."""

    startedAt = DateTimeField(required=False, allow_null=True)
    submittedAt = DateTimeField(required=False, allow_null=True)


class NewScore(Shape):
    """A score to record."""

    further = FURTHER
    example = {"userId": "5f3c8a", "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 8, "scoreMaximum": 10}
    userId = CharField()
    activityProgress = ActivityProgress()
    gradingProgress = GradingProgress()
    scoreGiven = FloatField(required=False, allow_null=True, min_value=0)
    scoreMaximum = Positive(required=False, allow_null=True)
    comment = CharField(required=False, allow_null=True)
    scoringUserId = CharField(required=False, allow_null=True)
    submission = Submission(required=False, allow_null=True)
    timestamp = Anything(required=False, help_text="Ignored: the server sets it.")
    scoreOf = Anything(required=False, help_text="Ignored: the address says which line item it is.")


class Score(Shape):
    """What the platform shows of one learner."""

    id = URLField()
    userId = CharField()
    scoreOf = URLField()
    timestamp = DateTimeField()
    resultScore = FloatField(required=False)
    resultMaximum = FloatField()
    comment = CharField(required=False)


class Scores(_Pages):
    """A page of them."""

    example = {
        "scores": [
            {
                "id": f"{COLUMN}/results/5f3c8a",
                "userId": "5f3c8a",
                "scoreOf": COLUMN,
                "timestamp": "2026-03-01T12:00:00.000000Z",
                "resultScore": 8,
                "resultMaximum": 10,
            }
        ]
    }
    scores = Score(many=True)


class Pending(Shape):
    """How far a score is that was just recorded."""

    example = {"state": "pending", "code": ""}
    state = CharField()
    code = CharField()
