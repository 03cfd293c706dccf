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

    attempt_kind = attempt_field = "score"

    line_item = models.ForeignKey(LineItem, verbose_name=_("line item"), on_delete=models.CASCADE, related_name="scores", db_index=False)
    # The line item's; repeated here because the claim's index needs it. No constraint in the database: InnoDB would
    # lock the service's row for every recorder's transaction, and with it the service's health.
    service = models.ForeignKey(
        Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="scores", db_index=False, db_constraint=False
    )
    user_id = models.TextField(_("user id"), help_text=_("The learner: the launch's sub."))
    user_digest = digest_field()
    score_given = models.FloatField(_("score given"), null=True, blank=True)
    score_maximum = models.FloatField(_("score maximum"), null=True, blank=True)
    activity_progress = models.CharField(
        _("activity progress"),
        max_length=_PROGRESS_LENGTH,
        choices=[(item.value, item.value) for item in ActivityProgress],
        default=ActivityProgress.COMPLETED.value,
    )
    grading_progress = models.CharField(
        _("grading progress"),
        max_length=_PROGRESS_LENGTH,
        choices=[(item.value, item.value) for item in GradingProgress],
        default=GradingProgress.FULLY_GRADED.value,
    )
    comment = models.TextField(_("comment"), blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    scoring_user_id = models.TextField(_("scoring user id"), blank=True)
    extensions = models.JSONField(_("extensions"), default=dict, blank=True)
    submission_at = models.DateTimeField(
        _("submission at"), null=True, blank=True, help_text=_("When the learner's newest submission was handed in: what it is known by.")
    )
    submission = models.JSONField(
        _("submission"), default=dict, blank=True, help_text=_("What was handed in with it, where the platform takes such.")
    )
    keeps_submission = models.BooleanField(
        _("keeps submission"), default=False, help_text=_("Its submission is delivered even when a newer one overtakes it.")
    )
    queue_head = models.PositiveBigIntegerField(
        _("queue head"), null=True, blank=True, help_text=_("The version of the earliest submission that waits: it is sent first.")
    )
    set_aside = models.PositiveIntegerField(
        _("set aside"), default=0, help_text=_("Earlier submissions that the platform refused, and about which a person decides.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    recorded_at = models.DateTimeField(_("recorded at"), help_text=_("When the current version was recorded."))
    delivered_version = models.PositiveBigIntegerField(_("delivered version"), null=True, blank=True)
    delivered_given = models.FloatField(_("delivered given"), null=True, blank=True)
    delivered_maximum = models.FloatField(_("delivered maximum"), null=True, blank=True)
    delivered_comment = models.TextField(_("delivered comment"), blank=True)
    delivered_fingerprint = models.CharField(_("delivered fingerprint"), max_length=DIGEST_LENGTH, blank=True, editable=False)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    delivered_submission_at = models.DateTimeField(
        _("delivered submission at"),
        null=True,
        blank=True,
        help_text=_("The newest submission that the score need not bring any more: the platform has it, or it is queued."),
    )
    doubtful = models.JSONField(
        _("doubtful"), default=list, blank=True, help_text=_("Versions that were overtaken before anybody knew whether they had arrived.")
    )
    result_url = models.TextField(_("result url"), blank=True, help_text=_("The learner's Result at the platform, where it named one."))

    objects = OutboxManager["Score"]()

    class Meta(Leased.Meta):
        abstract = False
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        permissions = (
            ("retry_score", _("Can send scores again")),
            ("cancel_score", _("Can take scores back")),
            ("export_score", _("Can export scores")),
            ("see_learners", _("Can see who the learners are")),
        )
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
            models.CheckConstraint(
                condition=Q(queue_head__isnull=True) | Q(queue_head__lt=models.F("version")), name="lti_ags_score_queue_is_earlier"
            ),
        )
        indexes = (
            models.Index(fields=("service", "due_at"), name="lti_ags_score_due"),
            # Counts of a state, and the newest deliveries: one index for both, since each costs every claim and finish a write.
            models.Index(fields=("service", "state", "delivered_at"), name="lti_ags_score_state"),
            # The admin's: what is in trouble and how, and the newest of a campus in a state; and what is new.
            models.Index(fields=("state", "service", "code", "id"), name="lti_ags_score_trouble"),
            models.Index(fields=("recorded_at",), name="lti_ags_score_recorded"),
        )

    def __str__(self) -> str:
        # Without the learner's id: this text stands in logs, on pages and in the admin's own journal.
        return f"{self.line_item} · {str(self.uid)[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``user_id``."""
        self.user_digest = digest(self.user_id)
        super().save(*args, **kwargs)

    @property
    def next_version(self) -> int:
        """The earliest submission that waits; then the score itself."""
        return self.version if self.queue_head is None else self.queue_head

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
        verbose_name_plural = _("pending scores")
        default_permissions = ()  # a score's
