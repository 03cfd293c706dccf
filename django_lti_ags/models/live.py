"""Canvas' live assessments: pass or fail, noted in passing, which Canvas adds up; and how far each note has come."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.contexts import Context
from django_lti_ags.models.identity import Identified, OutboxManager, digest, digest_field
from django_lti_ags.models.leased import Leased, SyncState
from django_lti_ags.models.registrations import Registration, Service

_ID_LENGTH = 40
RESULT_STATES = (SyncState.PENDING, SyncState.DELIVERED, SyncState.FAILED, SyncState.CANCELLED)
"""Where a result may stand: it is its assessment that is sent, blocked or asked about."""


class LiveAssessment(Identified, Leased):
    """An assessment in a Canvas course, found there or made by its key; its results are sent under its lease, one batch at a time.

    As a leased row its state says how its results stand: DELIVERED, Canvas has them all; FAILED, it refused the assessment or
    some of them.
    """

    attempt_kind = "live_results"
    attempt_field = "live_assessment"

    context = models.ForeignKey(Context, verbose_name=_("context"), on_delete=models.CASCADE, related_name="live_assessments")
    # No constraint in the database, as with a score's.
    service = models.ForeignKey(
        Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="live_assessments", db_index=False, db_constraint=False
    )
    course_id = models.TextField(_("course id"), help_text=_("The course as Canvas' REST API calls it: its number, or sis_course_id:…."))
    key = models.TextField(_("key"), help_text=_("What Canvas finds the assessment by, within the course."))
    key_digest = digest_field(help_text=_("Of the course id and the key."))
    title = models.TextField(_("title"))
    outcome_id = models.CharField(
        _("outcome id"), max_length=_ID_LENGTH, blank=True, help_text=_("The outcome that the results add up to; blank: none.")
    )
    canvas_id = models.TextField(_("Canvas id"), blank=True, help_text=_("What Canvas calls the assessment."))
    declared_at = models.DateTimeField(
        _("declared at"), null=True, blank=True, help_text=_("When Canvas took this title and outcome; empty: it is to be told.")
    )
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True, help_text=_("When Canvas last took results."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    recorded_at = models.DateTimeField(_("recorded at"), help_text=_("When the tool last declared it otherwise, or recorded results."))

    objects = OutboxManager["LiveAssessment"]()

    class Meta(Leased.Meta):
        abstract = False
        verbose_name = _("live assessment")
        verbose_name_plural = _("live assessments")
        permissions = (
            ("retry_liveassessment", _("Can send live results again")),
            ("cancel_liveassessment", _("Can take live results back")),
        )
        constraints = (
            *Leased.Meta.constraints,
            models.UniqueConstraint(fields=("context", "key_digest"), name="lti_ags_liveassessment_unique"),
        )
        indexes = (
            models.Index(fields=("service", "due_at"), name="lti_ags_live_due"),
            models.Index(fields=("state", "service"), name="lti_ags_live_state"),
        )

    def __str__(self) -> str:
        return self.title or self.key

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``course_id`` and ``key``."""
        self.key_digest = digest(self.course_id, self.key)
        super().save(*args, **kwargs)

    @property
    def registration(self) -> Registration:
        """The registration whose Canvas token it is sent with."""
        return self.service.registration


class LiveResult(Identified):
    """That a learner passed, or not, at a moment. Canvas counts each one, so each is a row, and none is sent twice."""

    assessment = models.ForeignKey(
        LiveAssessment, verbose_name=_("live assessment"), on_delete=models.CASCADE, related_name="results", db_index=False
    )
    user_id = models.TextField(_("user id"), help_text=_("The learner's number in Canvas."))
    user_digest = digest_field()
    passed = models.BooleanField(_("passed"))
    assessed_at = models.DateTimeField(_("assessed at"), help_text=_("To the second: Canvas tells no more."))
    state = models.CharField(
        _("state"), max_length=10, choices=[(state.value, state.label) for state in RESULT_STATES], default=SyncState.PENDING
    )
    in_doubt = models.BooleanField(
        _("in doubt"), default=False, help_text=_("It was on its way, and no clear answer came: Canvas is asked before it is sent again.")
    )
    canvas_id = models.TextField(_("Canvas id"), blank=True, help_text=_("What Canvas calls the result."))
    code = models.CharField(_("code"), max_length=64, blank=True, help_text=_("Why it was set aside."))
    detail = models.TextField(_("detail"), blank=True, help_text=_("What the platform said, or why a person decided so."))
    recorded_at = models.DateTimeField(_("recorded at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)

    objects = OutboxManager["LiveResult"]()

    class Meta:
        verbose_name = _("live result")
        verbose_name_plural = _("live results")
        default_permissions = ()  # an assessment's
        constraints = (
            models.CheckConstraint(condition=Q(state__in=RESULT_STATES), name="lti_ags_liveresult_state_known"),
            models.CheckConstraint(
                condition=Q(delivered_at__isnull=False, state=SyncState.DELIVERED)
                | (Q(delivered_at__isnull=True) & ~Q(state=SyncState.DELIVERED)),
                name="lti_ags_liveresult_delivered_when",
            ),
        )
        indexes = (
            # The next batch; what was set aside; and whose results are whose, when Canvas is asked.
            models.Index(fields=("assessment", "state", "id"), name="lti_ags_liveresult_next"),
            models.Index(fields=("assessment", "user_digest"), name="lti_ags_liveresult_user"),
        )

    def __str__(self) -> str:
        # Without the learner's id, as with a score.
        return f"{self.assessment} · {str(self.uid)[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``user_id``."""
        self.user_digest = digest(self.user_id)
        super().save(*args, **kwargs)
