"""How rows are told apart: digests that compare byte for byte, public ids, and the one database alias.

A platform's identifiers are opaque and case-sensitive (LTI 1.3, 5.3), and a database's collation
need not be: MariaDB's default takes ``aBc1``, ``AbC1`` and ``aBc1 `` for one learner. So uniqueness
and look-ups go through SHA-256 columns, and the identifiers themselves have no length limit.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_lti_ags import conf

M = TypeVar("M", bound=models.Model)

DIGEST_LENGTH = 64


def digest(*parts: str) -> str:
    """A SHA-256 (hex) of ``parts``; each is prefixed by its length, so ("a", "bc") and ("ab", "c") differ."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode()
        sha.update(f"{len(data)}:".encode())
        sha.update(data)
    return sha.hexdigest()


def digest_field(*, unique: bool = False, null: bool = False, help_text: Any = "") -> models.CharField[Any, Any]:
    """A column for a hexadecimal SHA-256."""
    return models.CharField(max_length=DIGEST_LENGTH, unique=unique, null=null, editable=False, help_text=help_text)


class OutboxManager(models.Manager[M]):
    """Reads and writes on ``LTI_AGS["DATABASE"]``, whatever a router says of the project's other tables."""

    def get_queryset(self) -> models.QuerySet[M]:
        """The rows of the configured alias, unless a caller named another."""
        rows = super().get_queryset()
        return rows if self._db else rows.using(conf.get("database"))


class Identified(models.Model):
    """A row with a public id, for URLs and logs: it tells nothing and cannot be guessed."""

    uid = models.UUIDField(_("uid"), default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True
