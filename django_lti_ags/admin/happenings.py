"""What may happen to a score, in words for people: the names of events."""

from __future__ import annotations

from typing import Any, Final

from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from django_lti_ags import signals

HAPPENINGS: Final[dict[str, Any]] = {
    "score_delivered": _("Delivered"),
    "score_failed": _("Failed: it is not tried any more"),
    "score_blocked": _("Blocked: it rests"),
    "score_superseded": _("Superseded: the platform shows another grade"),
    "score_cancelled": _("Cancelled: it is not to be sent"),
    "score_sent_again": _("To be sent again: the platform did not show it"),
    "submission_refused": _("An earlier submission was refused"),
    "submissions_cancelled": _("Earlier submissions were taken back; the newest score stands"),
    "live_results_delivered": _("Delivered"),
    "live_results_failed": _("Failed: it is not tried any more"),
    "live_results_blocked": _("Blocked: it rests"),
    "live_results_cancelled": _("Cancelled: it is not to be sent"),
    "file_arrived": _("A file arrived at the platform"),
    "file_failed": _("A file did not arrive, or nobody can tell"),
}
EVENT_NAMES: Final = sorted({*(name for name, value in vars(signals).items() if isinstance(value, Signal)), *HAPPENINGS})
