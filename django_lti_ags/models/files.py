"""Files that a platform fetches for a submission: followed until they are there, beside the scores, which wait for none of them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags.models.identity import OutboxManager, digest, digest_field
from django_lti_ags.models.leased import Leased
from django_lti_ags.models.registrations import Service
from django_lti_ags.models.scores import Score


class SubmittedFile(Leased):
    """A file of a delivered submission, and how far the platform has come with it.

    As a leased row its state says whether the file is there: DELIVERED, it is; open, the platform is asked again; FAILED, it is
    not, or nobody can ask.
    """

    attempt_kind = attempt_field = "progress"

    score = models.ForeignKey(Score, verbose_name=_("score"), on_delete=models.CASCADE, related_name="files", db_index=False)
    # No constraint in the database, as with a score's.
    service = models.ForeignKey(
        Service, verbose_name=_("service"), on_delete=models.PROTECT, related_name="files", db_index=False, db_constraint=False
    )
    url = models.TextField(_("url"), blank=True, help_text=_("Where the platform tells how far it is; empty: its answer was lost."))
    url_digest = digest_field()
    file_url = models.TextField(_("file url"), blank=True, help_text=_("Where the platform fetches it."))
    title = models.TextField(_("title"), blank=True)
    completion = models.FloatField(_("completion"), default=0.0, help_text=_("In percent, as the platform told last."))
    created_at = models.DateTimeField(_("created at"))

    objects = OutboxManager["SubmittedFile"]()

    class Meta(Leased.Meta):
        abstract = False
        verbose_name = _("submitted file")
        verbose_name_plural = _("submitted files")
        default_permissions = ()  # a score's
        constraints = (
            *Leased.Meta.constraints,
            models.UniqueConstraint(fields=("score", "url_digest"), name="lti_ags_submittedfile_unique"),
        )
        indexes = (models.Index(fields=("service", "due_at"), name="lti_ags_submittedfile_due"),)

    def __str__(self) -> str:
        return f"file {self.pk} of score {self.score_id}"

    @staticmethod
    def digest_of(url: str, file_url: str) -> str:
        """What tells the files of a score apart: where the platform tells of them; where that is lost, their own address."""
        return digest(url) if url else digest(url, file_url)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest true to ``url``."""
        self.url_digest = self.digest_of(self.url, self.file_url)
        super().save(*args, **kwargs)
