"""What a person can decide about live assessments."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from django_lti_ags import live_assessments
from django_lti_ags.admin.decisions import Decision
from django_lti_ags.models import DECIDABLE

_OF_ASSESSMENTS: Final[dict[str, Any]] = {
    "possible": Q(state__in=DECIDABLE),
    "many": _("%(count)s live assessments"),
    "template": "admin/lti_ags/decide_live.html",
    "named_by": (),
}
LIVE_DECISIONS: Final = {
    decision.name: decision
    for decision in (
        Decision(
            name="retry",
            title=_("Send again"),
            meaning=_(
                "Those that failed, are blocked or wait are due at once, with the results that were set aside. Canvas is asked first about "
                "results that may have arrived: none counts twice. What is settled or being sent stays as it is."
            ),
            button=_("Send them again"),
            done=ngettext_lazy("%(count)d live assessment is due now.", "%(count)d live assessments are due now.", "count"),
            entry=_("Sent again."),
            apply=lambda rows, reason: live_assessments.retry(rows),
            **_OF_ASSESSMENTS,
        ),
        Decision(
            name="cancel",
            title=_("Do not send"),
            meaning=_(
                "Results that wait, or were set aside, will not be sent to Canvas any more. What Canvas has, or is being sent, stays as it "
                "is, and so does what is recorded from now on."
            ),
            button=_("Do not send them"),
            done=ngettext_lazy(
                "The waiting results of %(count)d live assessment will not be sent.",
                "The waiting results of %(count)d live assessments will not be sent.",
                "count",
            ),
            entry=_("Cancelled: %(reason)s"),
            apply=lambda rows, reason: live_assessments.cancel(rows, reason=reason),
            asks_why=True,
            **_OF_ASSESSMENTS,
        ),
    )
}
