"""What the tool says: the newest score of each learner in each column, and the way it went."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.models.identity import DIGEST_LENGTH, Identified, OutboxManager, digest, digest_field
from django_lti_ags.models.leased import OPEN, RESTING, Leased
from django_lti_ags.models.line_items import LineItem
from django_lti_ags.models.registrations import Registration, Service

_PROGRESS_LENGTH = 20


class Score(Identified, Leased):
    """One row per (line item, user): the newest score, its state, its lease (AGS 2.0, 3.4)."""

    attempt_kind = "score"

    line_item = models.ForeignKey(LineItem, on_delete=models.CASCADE, related_name="scores", db_index=False)
    # The line item's; repeated here because the claim's index needs it. No constraint in the database: InnoDB would
    # lock the service's row for every recorder's transaction, and with it the service's health.
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="scores", db_index=False, db_constraint=False)
    user_id = models.TextField(help_text=_("The learner: the launch's sub."))
    user_digest = digest_field()
    score_given = models.FloatField(null=True, blank=True)
    score_maximum = models.FloatField(null=True, blank=True)
    activity_progress = models.CharField(
        max_length=_PROGRESS_LENGTH,
        choices=[(item.value, item.value) for item in ActivityProgress],
        default=ActivityProgress.COMPLETED.value,
    )
    grading_progress = models.CharField(
        max_length=_PROGRESS_LENGTH,
        choices=[(item.value, item.value) for item in GradingProgress],
        default=GradingProgress.FULLY_GRADED.value,
    )
    comment = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    scoring_user_id = models.TextField(blank=True)
    extensions = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    recorded_at = models.DateTimeField(help_text=_("When the current version was recorded."))
    delivered_version = models.PositiveBigIntegerField(null=True, blank=True)
    delivered_given = models.FloatField(null=True, blank=True)
    delivered_maximum = models.FloatField(null=True, blank=True)
    delivered_comment = models.TextField(blank=True)
    delivered_fingerprint = models.CharField(max_length=DIGEST_LENGTH, blank=True, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True)
    doubtful = models.JSONField(
        default=list, blank=True, help_text=_("Versions that were overtaken before anybody knew whether they had arrived.")
    )
    result_url = models.TextField(blank=True, help_text=_("The learner's Result at the platform, where it named one."))

    objects = OutboxManager["Score"]()

    class Meta(Leased.Meta):
        abstract = False
        verbose_name = _("score")
        constraints = (
            *Leased.Meta.constraints,
            models.UniqueConstraint(fields=("line_item", "user_digest"), name="lti_ags_score_unique"),
            models.CheckConstraint(condition=Q(score_given__isnull=True) | Q(score_given__gte=0), name="lti_ags_score_given_not_negative"),
            models.CheckConstraint(
                condition=Q(score_maximum__isnull=True) | Q(score_maximum__gt=0), name="lti_ags_score_maximum_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(score_given__isnull=True) | Q(score_maximum__isnull=False), name="lti_ags_score_given_needs_maximum"
            ),
        )
        indexes = (models.Index(fields=("service", "due_at"), name="lti_ags_score_due"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.line_item}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``user_id``."""
        self.user_digest = digest(self.user_id)
        super().save(*args, **kwargs)

    @property
    def registration(self) -> Registration:
        """The registration it is delivered through."""
        return self.service.registration


class PendingScoreManager(OutboxManager["PendingScore"]):
    """Only what the platform does not hold yet."""

    def get_queryset(self) -> models.QuerySet[PendingScore]:
        """The open and the resting."""
        return super().get_queryset().filter(state__in=(*OPEN, *RESTING))


class PendingScore(Score):
    """A score that the platform does not hold yet: open or resting."""

    objects: ClassVar[PendingScoreManager] = PendingScoreManager()

    class Meta:
        proxy = True
        verbose_name = _("pending score")
