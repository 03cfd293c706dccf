"""What the tool told a platform earlier, as far as the attempts are kept: a number of ours is nobody's edit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.db.models.functions import Substr

from django_lti_ags import conf
from django_lti_ags.models import DeliveryAttempt
from django_lti_ags.sync.settling import Held

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD: Final = 2000
"""The score stands before the comment, which may be long."""
_MOST: Final = 50
_NUMBERS: Final = re.compile(r'"scoreGiven":(-?[\d.eE+-]+),"scoreMaximum":([\d.eE+-]+)')
"""As our own wire writes them; inside a text of somebody else's the quotes would be escaped."""


def told_earlier(scores: Sequence[int]) -> dict[int, list[Held]]:
    """pk of a score → the numbers that were sent for it, newest first, at most fifty."""
    if not scores:
        return {}
    attempts = DeliveryAttempt.objects.using(conf.get("database")).filter(score__in=scores, kind=DeliveryAttempt.Kind.SCORE)
    found: dict[int, list[Held]] = {}
    heads = attempts.exclude(request_body="").order_by("-pk").annotate(head=Substr("request_body", 1, _HEAD))
    for pk, head in heads.values_list("score_id", "head").iterator(chunk_size=1000):
        numbers = _NUMBERS.search(head)
        held = found.setdefault(pk, [])
        if numbers and len(held) < _MOST:
            held.append(Held(score_given=float(numbers[1]), score_maximum=float(numbers[2])))
    return found
