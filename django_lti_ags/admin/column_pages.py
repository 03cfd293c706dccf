"""The page of a line item: its column, and what a person decides about it: compare, send again, retry.

Each decision is a POST that first answers with what would happen, and is done by a second one. The platform
is read while the person waits, so the reading has a deadline: what is not done by then is not half done.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags import results, scores
from django_lti_ags.admin import api_links, columns, learners
from django_lti_ags.admin.readonly import LaunchedAdmin
from django_lti_ags.admin.waiting import waiting
from django_lti_ags.exceptions import IncompleteReading, LtiAgsError, NotStarted
from django_lti_ags.models import Agreement
from django_lti_ags.results import Policy
from django_lti_ags.sync.launched import default_column
from django_lti_ags.sync.resending import MOST_TIMES

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from django_lti_ags.models import LineItem
    from django_lti_ags.results import Reconciliation

READING_SECONDS: Final = 10.0
"""How long pages of results are requested while a person waits; the request that is under way then may end."""

_RECONCILE: Final = "lti_ags.reconcile_lineitem"
_RETRY: Final = "lti_ags.retry_score"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a button of the page does."""

    name: str
    label: Any
    permissions: tuple[str, ...]

    def is_allowed(self, request: HttpRequest) -> bool:
        """Whether whoever asks may decide so."""
        return bool(request.user.has_perms(self.permissions))


DECISIONS: Final = (
    Decision("compare", _("Compare with the platform"), (_RECONCILE,)),
    Decision("resend", _("Send missing and differing again"), (_RECONCILE, _RETRY)),
    Decision("retry", _("Retry what rests"), (_RETRY,)),
)


class ColumnAdmin(LaunchedAdmin):
    """A line item's page with its column."""

    change_form_template = "admin/lti_ags/line_item.html"

    def get_urls(self) -> list[Any]:
        """One address for each decision."""
        own = [
            path(
                f"<path:object_id>/{decision.name}/",
                waiting(self.admin_site, partial(self._decide, decision)),
                name=f"lti_ags_lineitem_{decision.name}",
            )
            for decision in DECISIONS
        ]
        return own + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The column above the facts."""
        line_item = self.get_object(request, object_id)
        found = {}
        if line_item is not None and self.has_view_permission(request, line_item):
            found = self._column(request, line_item)
        return super().change_view(request, object_id, form_url, {**found, **(extra_context or {})})

    def _column(self, request: HttpRequest, line_item: LineItem) -> dict[str, Any]:
        may_search = learners.may_see(request)
        asked = columns.Asked.of(request.GET, may_search=may_search)
        totals, has_more = columns.totals(line_item, asked)
        return {
            "column": columns.page(request, line_item, asked),
            "asked": asked,
            "totals": totals,
            "has_more": has_more,
            "most": columns.MOST,
            "first_column": default_column(line_item),
            "may_search": may_search,
            "in_api": api_links.of_line_item(request, line_item),
            "decisions": [
                (reverse(f"{self.admin_site.name}:lti_ags_lineitem_{decision.name}", args=[line_item.pk]), decision.label)
                for decision in DECISIONS
                if decision.is_allowed(request)
            ],
        }

    def _decide(self, decision: Decision, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        line_item = self.get_object(request, object_id)
        if line_item is None:
            raise Http404
        if not self.has_view_permission(request, line_item) or not decision.is_allowed(request):
            raise PermissionDenied
        act = getattr(self, f"_{decision.name}")
        try:
            answer = act(request, line_item, decision, confirmed="confirmed" in request.POST)
        except LtiAgsError as problem:
            self.message_user(request, _trouble(line_item, problem), messages.ERROR)
            answer = None
        return answer or HttpResponseRedirect(reverse(f"{self.admin_site.name}:lti_ags_lineitem_change", args=[line_item.pk]))

    def _compare(self, request: HttpRequest, line_item: LineItem, decision: Decision, *, confirmed: bool) -> HttpResponse | None:
        if not confirmed:
            told, has_more = columns.totals(line_item, columns.Asked())
            count = sum(total.count for total in told)
            lead = ngettext("%(count)d learner is known here.", "%(count)d learners are known here.", count) % {"count": count}
            if has_more:
                lead = gettext("More than %(count)d learners are known here.") % {"count": columns.MOST}
            explained = gettext("All results of this column are read from the platform and kept. Nothing is sent.")
            return self._ask(request, line_item, decision, lead=lead, explained=explained)
        found = self._reconcile(line_item, Policy.REPORT)
        self._tell(
            request, line_item, gettext("Compared with the platform: %(counts)s.") % {"counts": _told(found)}, is_well=found.is_in_order
        )
        return None

    def _resend(self, request: HttpRequest, line_item: LineItem, decision: Decision, *, confirmed: bool) -> HttpResponse | None:
        if not confirmed:
            found = self._reconcile(line_item, Policy.RESEND, dry_run=True)
            edited = found.counts.get(Agreement.CHANGED_BY_TEACHER, 0)
            if not found.chosen and not edited:
                told = _spent(found) or gettext("Nothing is missing, and nothing differs: %(counts)s.") % {"counts": _told(found)}
                self._tell(request, line_item, told, is_well=not found.spent)
                return None
            lead = ngettext("%(count)d score would be sent again.", "%(count)d scores would be sent again.", found.chosen)
            explained = gettext(
                "Just read from the platform: %(counts)s. The platform is asked once more before each score is sent; what somebody "
                "edits there meanwhile stays."
            )
            return self._ask(
                request,
                line_item,
                decision,
                lead=lead % {"count": found.chosen},
                explained=f"{explained % {'counts': _told(found)}} {_spent(found)}".strip(),
                edited=edited,
            )
        overwrite = "overwrite" in request.POST
        found = self._reconcile(line_item, Policy.RESEND, overwrite_teachers=overwrite)
        told = ngettext("%(count)d score is due again.", "%(count)d scores are due again.", found.resent) % {"count": found.resent}
        if overwrite:
            told += " " + gettext("Teachers' changes are overwritten.")
        self._tell(request, line_item, told, is_well=bool(found.resent))
        return None

    def _retry(self, request: HttpRequest, line_item: LineItem, decision: Decision, *, confirmed: bool) -> HttpResponse | None:
        chosen = columns.resting(line_item)
        if not confirmed:
            count = chosen.count()
            lead = ngettext("%(count)d score failed or is blocked.", "%(count)d scores failed or are blocked.", count) % {"count": count}
            explained = gettext("They are due at once, and the blocks of this column and of its course are lifted.")
            return self._ask(request, line_item, decision, lead=lead, explained=explained)
        count = scores.retry(chosen)
        told = ngettext("%(count)d score is due now.", "%(count)d scores are due now.", count) % {"count": count}
        self._tell(request, line_item, told, is_well=bool(count))
        return None

    def _reconcile(self, line_item: LineItem, policy: Policy, **options: Any) -> Reconciliation:
        return results.reconcile(line_item, policy=policy, deadline_seconds=READING_SECONDS, **options)

    def _tell(self, request: HttpRequest, line_item: LineItem, told: str, *, is_well: bool) -> None:
        self.log_change(request, line_item, told)
        self.message_user(request, told, messages.SUCCESS if is_well else messages.WARNING)

    def _ask(
        self, request: HttpRequest, line_item: LineItem, decision: Decision, *, lead: str, explained: str, edited: int = 0
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": decision.label,
            "opts": self.opts,
            "media": self.media,
            "line_item": line_item,
            "lead": lead,
            "explained": explained,
            "edited": edited,
        }
        return TemplateResponse(request, "admin/lti_ags/confirm_column.html", context)


def _told(found: Reconciliation) -> str:
    listed = [f"{found.counts[one]} {one.label}" for one in Agreement if found.counts.get(one)]
    return ", ".join(listed) or gettext("no learners")


def _spent(found: Reconciliation) -> str:
    """What is left alone, and what a person can do."""
    told = ngettext(
        "%(count)d score was sent again %(times)d times since it was recorded, and is still not shown: it is left alone. Is the learner "
        "still in the course? Recording it anew sends it again, and so does manage.py lti_ags_resync --delivered.",
        "%(count)d scores were sent again %(times)d times since they were recorded, and are still not shown: they are left alone. Are the "
        "learners still in the course? Recording them anew sends them again, and so does manage.py lti_ags_resync --delivered.",
        found.spent,
    )
    return told % {"count": found.spent, "times": MOST_TIMES} if found.spent else ""


def _trouble(line_item: LineItem, problem: LtiAgsError) -> str:
    """What went wrong, and what a person can do; nothing was compared or sent."""
    if isinstance(problem, IncompleteReading) and isinstance(problem.problem, NotStarted):
        told = gettext(
            "The platform did not show the whole column within %(seconds)d seconds (%(read)d learners were read), so nothing was compared "
            "or sent. Try again, or let a command take its time: manage.py lti_ags_reconcile --line-item %(uid)s"
        )
        return told % {"seconds": READING_SECONDS, "read": problem.read, "uid": line_item.uid}
    return gettext("Nothing was compared or sent. %(problem)s") % {"problem": problem}
