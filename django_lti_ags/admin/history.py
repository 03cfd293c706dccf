"""What happened: attempts, results as read, events."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin.filters import AnswerFilter, CodeFilter, EventNameFilter, LearnerSearch
from django_lti_ags.admin.readonly import ADVICE_LABEL, ReadOnlyAdmin, advice_for, pretty, pretty_text
from django_lti_ags.models import DeliveryAttempt, Event, Result


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(LearnerSearch, ReadOnlyAdmin):
    """Every exchange, redacted."""

    learner_prefix = "score__"
    list_display = ("started_at", "kind", "learner", "service", "status", "failure", "code", "duration_ms")
    list_filter = ("kind", AnswerFilter, CodeFilter, "abandoned")
    list_select_related = ("score", "service")
    fieldsets = (
        (None, {"fields": ("score", "line_item", "service", "kind", "started_at", "duration_ms", "abandoned")}),
        (_("Verdict"), {"fields": ("code", "advice", "disposition", "reach", "detail", "failure")}),
        (_("Request"), {"fields": ("method", "url", "sent_headers", "sent_body", "version", "wire_timestamp", "lease_token")}),
        (_("Answer"), {"fields": ("status", "reason", "received_headers", "received_body")}),
    )

    @admin.display(description=_("learner"))
    def learner(self, attempt: DeliveryAttempt) -> str:
        """Whose score it was about."""
        return attempt.score.user_id if attempt.score else ""

    @admin.display(description=ADVICE_LABEL)
    def advice(self, attempt: DeliveryAttempt) -> str:
        """What a person can do."""
        return advice_for(attempt.code)

    @admin.display(description=_("headers"))
    def sent_headers(self, attempt: DeliveryAttempt) -> str:
        """What was sent, without secrets."""
        return pretty(attempt.request_headers)

    @admin.display(description=_("body"))
    def sent_body(self, attempt: DeliveryAttempt) -> str:
        """What was sent, without secrets."""
        return pretty_text(attempt.request_body)

    @admin.display(description=_("headers"))
    def received_headers(self, attempt: DeliveryAttempt) -> str:
        """What came back."""
        return pretty(attempt.response_headers)

    @admin.display(description=_("body"))
    def received_body(self, attempt: DeliveryAttempt) -> str:
        """What came back, without secrets."""
        return pretty_text(attempt.response_body)


@admin.register(Result)
class ResultAdmin(LearnerSearch, ReadOnlyAdmin):
    """What the platforms show."""

    list_display = ("user_id", "line_item", "result_score", "result_maximum", "read_at")
    list_select_related = ("line_item",)
    fields = ("uid", "user_id", "line_item", "result_score", "result_maximum", "comment", "scoring_user_id", "url", "more", "read_at")

    @admin.display(description=_("extensions"))
    def more(self, result: Result) -> str:
        """What the platform says beyond the standard."""
        return pretty(result.extensions)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Changes of state."""

    list_display = ("created_at", "name", "learner", "service", "code", "version")
    list_filter = ("created_at", EventNameFilter, CodeFilter)
    list_select_related = ("score", "service")
    fields = ("uid", "created_at", "name", "score", "service", "version", "code", "advice", "told")

    @admin.display(description=_("learner"))
    def learner(self, event: Event) -> str:
        """Whose score it was about."""
        return event.score.user_id if event.score else ""

    @admin.display(description=ADVICE_LABEL)
    def advice(self, event: Event) -> str:
        """What a person can do."""
        return advice_for(event.code)

    @admin.display(description=_("payload"))
    def told(self, event: Event) -> str:
        """What a webhook tells."""
        return pretty(event.payload)
