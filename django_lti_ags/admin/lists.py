"""Lists that stay cheap on a million rows, and that name learners once per page."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.core.paginator import Paginator
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from django_lti_ags.admin.calendar import is_sayable
from django_lti_ags.admin.concealing import Concealer
from django_lti_ags.admin.learners import Learner, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse

    _Paginator = Paginator[Any]
    _ModelAdmin = admin.ModelAdmin[Any]
else:  # Django's classes take no parameters at run time
    _Paginator = Paginator
    _ModelAdmin = admin.ModelAdmin

LISTED: Final = 10_000
"""So many rows a list counts, and leads to; whoever wants older ones narrows it."""


class BoundedPaginator(_Paginator):
    """Counts no further than :data:`LISTED`: neither the count nor the last page reads the whole table."""

    @cached_property
    def keys(self) -> list[int] | None:
        """The keys of what a filter leaves, in no order; None: there is no filter, or too many are left.

        Without an order a database goes by the filter's index. Asked for the newest fifty it would rather
        read the table backwards until it has found them, which for an old course is all of it.
        """
        rows: Any = self.object_list
        if not rows.query.where:
            return None
        found = list(rows.order_by().values_list("pk", flat=True)[: LISTED + 1])
        return found if len(found) <= LISTED else None

    @cached_property
    def found(self) -> int:
        """How many there are, as far as it was counted."""
        rows: Any = self.object_list
        if self.keys is not None:
            return len(self.keys)
        if rows.query.where:
            return LISTED + 1
        found: int = rows.order_by()[: LISTED + 1].count()
        return found

    @cached_property
    def count(self) -> int:
        """How many the pages lead to."""
        return min(self.found, LISTED)

    @property
    def has_more(self) -> bool:
        """Whether there are rows that no page leads to."""
        return self.found > LISTED


class CheapList(ChangeList):
    """Sorts by what an index carries, looks only at the newest rows where no index helps, names a page's learners at once."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Django hides the links that sort by other columns; here such an address does nothing either."""
        chosen = self.params.get(ORDER_VAR)
        if chosen is not None and not self._sorts_cheaply(str(chosen)):
            del self.params[ORDER_VAR]
        return super().get_ordering(request, queryset)

    def _sorts_cheaply(self, chosen: str) -> bool:
        columns = [part.removeprefix("-") for part in chosen.split(".")]
        if not all(column.isdecimal() and int(column) < len(self.list_display) for column in columns):
            return False
        cheap = self.sortable_by
        return cheap is None or all(self.list_display[int(column)] in cheap for column in columns)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The rows that the filters leave, of the newest ones only if the admin says so."""
        if not all(_makes_sense(value) for name, values in self.filter_params.items() if name != SEARCH_VAR for value in values):
            raise IncorrectLookupParameters
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        window: int | None = getattr(self.model_admin, "newest_rows", None)
        narrowing = getattr(self.model_admin, "narrowed_by", ())
        self.only_newest = window if window and not self.query and not any(name in self.params for name in narrowing) else None
        if self.only_newest:
            newest = self.root_queryset.order_by("-pk").values_list("pk", flat=True).first() or 0
            rows = rows.filter(pk__gt=newest - self.only_newest)
        return rows

    def get_results(self, request: HttpRequest) -> None:
        """One page, its learners named by one call of the tool's hook.

        Its keys are found first, and its rows by them: with everything that a row brings along, a
        database would carry all rows that a filter leaves through joins and a sort, to show fifty.
        """
        super().get_results(request)
        pks = self._page_keys(request)
        found = {row.pk: row for row in self.apply_select_related(self.root_queryset.filter(pk__in=pks))}
        rows = [found[pk] for pk in pks if pk in found]
        self.result_list = self.model_admin.named(request, rows) if isinstance(self.model_admin, NamesLearners) else rows

    def _page_keys(self, request: HttpRequest) -> list[int]:
        rows: Any = self.result_list
        if set(self.queryset.query.order_by) != {"-pk"} or not isinstance(self.paginator, BoundedPaginator):
            return list(rows.values_list("pk", flat=True))
        first, end = self._page_bounds()
        keys = self.paginator.keys
        if keys is not None:
            return sorted(keys, reverse=True)[first:end]
        newest = self.model_admin.newest_keys(self.queryset, request, end) if isinstance(self.model_admin, FindsNewest) else None
        return list(rows.values_list("pk", flat=True)) if newest is None else newest[first:]

    def _page_bounds(self) -> tuple[int, int]:
        many: int = self.paginator.count
        if not self.multi_page or (self.show_all and self.can_show_all):
            return 0, many
        first = (self.page_num - 1) * self.list_per_page
        return first, min(first + self.list_per_page, many)


def _makes_sense(value: str) -> bool:
    """Whether every database can look for it; what a field makes of it, Django says."""
    try:
        moment = parse_datetime(value) or parse_date(value)
    except ValueError:  # a 30th of February
        moment = None
    return "\x00" not in value and (moment is None or is_sayable(moment))


class FindsNewest(_ModelAdmin):
    """Rows whose newest an index finds under most filters."""

    @abstractmethod
    def newest_keys(self, rows: QuerySet[Any], request: HttpRequest, many: int) -> list[int] | None:
        """The keys of the newest ``many`` of ``rows``, the newest first; None: there is no quicker way than to sort them."""


class NamesLearners(_ModelAdmin):
    """Rows that are about learners: shows them to whoever may see them, and a pseudonym to everybody else."""

    @abstractmethod
    def people_of(self, row: Any) -> Sequence[Learner]:
        """The people of a row, its learner first; none where it is about nobody."""

    def named(self, request: HttpRequest, rows: list[Any]) -> list[Any]:
        """``rows``, knowing how their people are called here, and what of their texts may be read."""
        people = {row.pk: self.people_of(row) for row in rows}
        names = shown(request, [learner for learners in people.values() for learner in learners])
        for row in rows:
            row.names = names
            row.concealer = Concealer(request, people[row.pk])
        return rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """The row of a page of its own, named like those of a list."""
        row: Model | None = super().get_object(request, object_id, from_field)
        return row if row is None else self.named(request, [row])[0]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The page of a row, called after its learner."""
        row = self.get_object(request, object_id)
        people = self.people_of(row) if row is not None else ()
        title = {"subtitle": row.names[people[0]]} if people else {}  # type: ignore[union-attr]
        return super().change_view(request, object_id, form_url, {**title, **(extra_context or {})})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What people decided about the row, in words that may name its learner: concealed as on its page."""
        row: Any = self.get_object(request, object_id)
        response = super().history_view(request, object_id, extra_context)
        entries = (getattr(response, "context_data", None) or {}).get("action_list")
        if row is None or entries is None or row.concealer.open:
            return response
        entries.object_list = list(entries.object_list)
        for entry in entries.object_list:
            entry.change_message = row.concealer.text(entry.get_change_message())
        return response

    @admin.display(description=_("learner"))
    def learner(self, row: Any) -> str:
        """Whom the row is about."""
        people = self.people_of(row)
        return str(row.names[people[0]]) if people else ""

    @admin.display(description=_("graded by"))
    def grader(self, row: Any) -> str:
        """Who graded, where a person did."""
        people = self.people_of(row)[1:]
        return str(row.names[people[0]]) if people else ""
