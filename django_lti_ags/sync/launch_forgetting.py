"""Forget a learner's launches that were handed over, and what the launches of others say of them: a mentor's names the learner, say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from django.db import transaction

from django_lti_ags.ags import vocabulary
from django_lti_ags.exceptions import EncryptionError
from django_lti_ags.models import ApiLaunch
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.outbox_sql import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django_lti_ags.sync.mentions import Mentions

_WINDOW: Final = 200
_MENTORED: Final = vocabulary.LTI_CLAIM_PREFIX + "role_scope_mentor"
"""Whom a mentor looks after (LTI 1.3, 5.4.5)."""


def forget(registrations: Sequence[int], user_id: str, mentions: Mentions, alias: str, *, dry_run: bool) -> Iterator[tuple[int, int]]:
    """Delete the learner's launches, whose ltik opens nothing any more; and what other launches say, where that names the learner.

    Some at a time: how many went, and of how many others the claims. They are encrypted, so each is looked at; a launch lives a day.
    """
    rows = ApiLaunch.objects.using(alias).filter(context__deployment__registration__in=registrations)
    mine = rows.filter(user_digest=digest(user_id))
    yield (mine.count() if dry_run else mine.delete()[0]), 0
    others = rows.exclude(user_digest=digest(user_id)).order_by("pk")
    last = 0
    while pks := list(others.filter(pk__gt=last).values_list("pk", flat=True)[:_WINDOW]):
        last = pks[-1]
        with transaction.atomic(using=alias):
            window = locked(ApiLaunch.objects.using(alias).filter(pk__in=pks).order_by("pk").only("claims_encrypted", "told"))
            naming = [row for row in window if _names(row, user_id, mentions)]
            for row in naming:
                # A custom field may name somebody, as a mentor's does.
                if mentions.named_in(json.dumps(row.told.get("launch", {}).get("custom", {}))):
                    row.told["launch"]["custom"] = {}
                if not dry_run:
                    ApiLaunch.objects.using(alias).filter(pk=row.pk).update(claims_encrypted="", told=row.told)
        yield 0, len(naming)


def _names(row: ApiLaunch, user_id: str, mentions: Mentions) -> bool:
    """What nobody can read any more names nobody, but whether the key comes back nobody knows."""
    try:
        claims = row.claims or {}
    except EncryptionError:
        return True
    mentored = claims.get(_MENTORED)
    custom = json.dumps(row.told.get("launch", {}).get("custom", {}))
    return (isinstance(mentored, list) and user_id in mentored) or mentions.named_in(json.dumps(claims)) or mentions.named_in(custom)
