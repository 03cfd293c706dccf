"""What happened: attempts, results as read, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin.filters import AnswerFilter, CodeFilter, EventNameFilter
from django_lti_ags.admin.learners import Learner
from django_lti_ags.admin.lists import NamesLearners
from django_lti_ags.admin.readonly import ADVICE_LABEL, ReadOnlyAdmin, advice_for, pretty, pretty_text
from django_lti_ags.admin.searching import LearnerSearch
from django_lti_ags.models import DeliveryAttempt, Event, Result

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from django_lti_ags.models import Score

NEWEST: Final = 100_000
"""The lists of what happened look at so many newest rows, unless they are about one score, line item or service."""
_ABOUT: Final = ("score", "line_item", "live_assessment", "progress", "webhook")
"""What an attempt may be about: one of these, or, for a token, none."""


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(LearnerSearch, NamesLearners, ReadOnlyAdmin):
    """Every exchange, redacted."""

    learner_prefix = "score__"
    registration_paths = ("service__registration",)
    newest_rows = NEWEST
    narrowed_by = ("score__id__exact", "line_item__id__exact", "live_assessment__id__exact")
    list_display = ("started_at", "kind", "learner", "service", "status", "failure", "code", "duration_ms")
    sortable_by = ()
    list_filter = ("kind", AnswerFilter, CodeFilter, "abandoned")
    list_select_related = ("score", "webhook__score", "service__registration")
    lookups: ClassVar = {*narrowed_by, "kind__exact", "kind__isnull", "answer", "code", "abandoned__exact", "abandoned__isnull"}
    fieldsets = (
        (None, {"fields": ("learner", *_ABOUT, "service", "kind", "started_at", "duration_ms", "abandoned")}),
        (_("Verdict"), {"fields": ("code", "advice", "disposition", "reach", "told_detail", "failure")}),
        (_("Request"), {"fields": ("method", "address", "sent_headers", "sent_body", "version", "wire_timestamp", "lease_token")}),
        (_("Answer"), {"fields": ("status", "told_reason", "received_headers", "received_body")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With whom the page names."""
        return super().get_queryset(request).select_related("score", "webhook__score", "service__registration")

    def people_of(self, row: DeliveryAttempt) -> list[Learner]:
        """Whose score it was about, or told of."""
        return _people(row, row.score or (row.webhook.score if row.webhook is not None else None))

    @admin.display(description=ADVICE_LABEL)
    def advice(self, attempt: DeliveryAttempt) -> str:
        """What a person can do."""
        return advice_for(attempt.code)

    @admin.display(description=_("detail"))
    def told_detail(self, attempt: Any) -> str:
        """What was made of the answer."""
        return str(attempt.concealer.text(attempt.detail))

    @admin.display(description=_("address"))
    def address(self, attempt: Any) -> str:
        """Where it was sent."""
        return str(attempt.concealer.address(attempt.url))

    @admin.display(description=_("headers"))
    def sent_headers(self, attempt: Any) -> str:
        """What was sent, without secrets."""
        return pretty(attempt.concealer.value(attempt.request_headers))

    @admin.display(description=_("body"))
    def sent_body(self, attempt: Any) -> str:
        """What was sent, without secrets."""
        return pretty_text(attempt.concealer.body(attempt.request_body))

    @admin.display(description=_("reason"))
    def told_reason(self, attempt: Any) -> str:
        """The words beside the status."""
        return str(attempt.concealer.text(attempt.reason))

    @admin.display(description=_("headers"))
    def received_headers(self, attempt: Any) -> str:
        """What came back."""
        return pretty(attempt.concealer.value(attempt.response_headers))

    @admin.display(description=_("body"))
    def received_body(self, attempt: Any) -> str:
        """What came back, without secrets."""
        return pretty_text(attempt.concealer.body(attempt.response_body))


@admin.register(Result)
class ResultAdmin(LearnerSearch, NamesLearners, ReadOnlyAdmin):
    """What the platforms show."""

    registration_paths = ("line_item__service__registration",)
    list_display = ("learner", "line_item", "result_score", "result_maximum", "read_at", "agreement", "compared_at")
    sortable_by = ()
    list_select_related = ("line_item__service__registration",)
    lookups: ClassVar = {"line_item__id__exact"}
    fields = (
        *("uid", "learner", "line_item", "result_score", "result_maximum", "told_comment", "grader", "address", "more", "read_at"),
        *("agreement", "compared_at", "compared_version", "diverged_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what tells whom the page names."""
        return super().get_queryset(request).select_related("line_item__service__registration")

    def people_of(self, row: Result) -> list[Learner]:
        """The learner, and whoever graded."""
        issuer = row.line_item.service.registration.issuer
        return [Learner(issuer, user_id) for user_id in (row.user_id, row.scoring_user_id) if user_id]

    @admin.display(description=_("comment"))
    def told_comment(self, result: Any) -> str:
        """What the platform tells the learner."""
        return str(result.concealer.free(result.comment))

    @admin.display(description=_("address"))
    def address(self, result: Any) -> str:
        """Where the platform keeps it."""
        return str(result.concealer.address(result.url))

    @admin.display(description=_("extensions"))
    def more(self, result: Any) -> str:
        """What the platform says beyond the standard."""
        return pretty(result.concealer.value(result.extensions))


@admin.register(Event)
class EventAdmin(NamesLearners, ReadOnlyAdmin):
    """Changes of state."""

    registration_paths = ("service__registration", "registration")
    newest_rows = NEWEST
    narrowed_by = ("score__id__exact", "live_assessment__id__exact")
    list_display = ("created_at", "name", "learner", "place", "code", "version")
    sortable_by = ()
    list_filter = ("created_at", EventNameFilter, CodeFilter)
    list_select_related = ("score", "service__registration", "registration")
    lookups: ClassVar = {*narrowed_by, "name", "code", "created_at__gte", "created_at__lt"}
    fields = (
        "uid",
        "created_at",
        "name",
        "learner",
        "score",
        "live_assessment",
        "service",
        "registration",
        "version",
        "code",
        "advice",
        "told",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With whom the page names."""
        return super().get_queryset(request).select_related("score", "service__registration", "registration")

    def people_of(self, row: Event) -> list[Learner]:
        """Whose score it was about."""
        return _people(row, row.score)

    @admin.display(description=_("service"))
    def place(self, event: Event) -> str:
        """Where: a service, or a registration with all of its services."""
        return str(event.service or event.registration or "")

    @admin.display(description=ADVICE_LABEL)
    def advice(self, event: Event) -> str:
        """What a person can do."""
        return advice_for(event.code)

    @admin.display(description=_("payload"))
    def told(self, event: Any) -> str:
        """What a webhook tells."""
        return pretty(event.concealer.value(event.payload))


def _people(row: DeliveryAttempt | Event, score: Score | None) -> list[Learner]:
    if score is None or row.service is None:
        return []
    issuer = row.service.registration.issuer
    return [Learner(issuer, user_id) for user_id in (score.user_id, score.scoring_user_id) if user_id]
