"""How often one API key may ask: ``LTI_AGS["API_REQUESTS_PER_MINUTE"]``, counted in ``LTI_AGS["CACHE"]``.

One number per key and minute, so that a count costs the same however high the limit is: DRF's own throttles keep the time of every
request.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import caches
from rest_framework.throttling import BaseThrottle

from django_lti_ags import conf

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

_WINDOW_SECONDS: Final = 60


class KeyThrottle(BaseThrottle):
    """By key, whichever launch or course it shows; who is not recognised was refused before."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether it may be answered; also if nobody can tell: no score is lost because a cache is away."""
        try:
            return bool(_counted(request.user.counted_as) <= conf.get("api_requests_per_minute"))
        except Exception:
            # Each backend has exceptions of its own.
            logger.exception("The cache %r fails; until it is back, no API key's requests are counted", conf.get("cache"))
            return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return _WINDOW_SECONDS - time.time() % _WINDOW_SECONDS


def _counted(key: str) -> int:
    cache: Any = caches[conf.get("cache")]
    name = f"lti_ags:api:{key}:{int(time.time() // _WINDOW_SECONDS)}"
    if cache.add(name, 1, 2 * _WINDOW_SECONDS):
        return 1
    try:
        return int(cache.incr(name))
    except ValueError:  # thrown away in between
        return 1
