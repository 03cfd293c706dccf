"""What every admin page here has in common: who may change what, how JSON looks, how large tables stay cheap."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth import get_permission_codename
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags import conf
from django_lti_ags.admin.filters import is_key
from django_lti_ags.admin.lists import BoundedPaginator, CheapList
from django_lti_ags.models import LiveAssessment, Score
from django_lti_ags.profiles.advice import ADVICE
from django_lti_ags.scoping import scoped

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpRequest

    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _BaseInlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:  # Django's classes take no parameters at run time
    _ModelAdmin = admin.ModelAdmin
    _TabularInline = admin.TabularInline
    _BaseInlineFormSet = BaseInlineFormSet

INLINE_ROWS = 20
"""How many rows an inline shows; the rest are on their own page."""

ADVICE_LABEL = _("what to do")


class ChosenActionForm(ActionForm):
    """Django's choice of an action; django-unfold shows its button once this says that one is chosen. Django passes over it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].widget.attrs["x-model"] = "action"


class KeptAdmin(_ModelAdmin):
    """Nothing recorded is lost: a row with scores below it stays. The rest is as Django's permissions say.

    There is no date hierarchy: on MariaDB without time zone tables it fails, and it reads the whole table.
    """

    scores_below: ClassVar[str]
    """The look-up that leads from a score up to this model."""
    live_below: ClassVar[str] = ""
    """The look-up that leads from a live assessment up to this model; blank: none does."""
    registration_paths: ClassVar[tuple[str, ...]]
    """The look-ups that lead to the registration that decides who sees a row; ``"pk"``: it is one itself."""
    lookups: ClassVar[Collection[str]]
    """All that an address may filter by: more would find out, letter by letter, what no page shows, read every row for it, or ask for
    numbers that a database does not know."""
    paginator = BoundedPaginator
    action_form = ChosenActionForm
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    class Media:
        css: ClassVar = {"all": ["lti_ags/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows that are shown to whoever asks: lists, pages, actions, searches and choices all begin here."""
        return scoped(super().get_queryset(request), request, *self.registration_paths)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """What the filters and links here use."""
        return lookup in self.lookups

    def get_ordering(self, request: HttpRequest) -> Any:
        """As the model or the admin says; else newest first, which costs nothing."""
        return super().get_ordering(request) or self.opts.ordering or ("-pk",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CheapList]:
        """The list that stays cheap."""
        return CheapList

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Who has the permission, unless scores or live results would go along."""
        if not super().has_delete_permission(request, obj):
            return False
        if obj is None:
            return True
        below = bool(self.live_below) and LiveAssessment.objects.filter(**{self.live_below: obj}).exists()
        return not below and not Score.objects.filter(**{self.scores_below: obj}).exists()

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        """Without deletion in bulk: it would load everything below before it asks each row's permission.

        ``action_location``: Django 6.1 names the page that asks; older ones know only one.
        """
        place = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **place)
        actions.pop("delete_selected", None)
        return actions

    def response_action(self, request: HttpRequest, queryset: models.QuerySet[Any], *place: Any, **named: Any) -> Any:
        """What a chosen action answers; a choice of what is no row's key is an address that makes no sense. Django would look for it.

        ``place``: Django 6.1 names the page that asks; older ones know only one.
        """
        if all(is_key(chosen) for chosen in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return super().response_action(request, queryset, *place, **named)
        return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """For actions: who may change this model may decide about its rows, even where nobody may edit them."""
        codename = get_permission_codename("change", self.opts)
        return bool(request.user.has_perm(f"{self.opts.app_label}.{codename}"))

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        """Save where all tables of this package are, whatever a router says."""
        obj.save(using=conf.get("database"))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the rows of that database, and only those that are shown to whoever asks."""
        return super().formfield_for_foreignkey(db_field, request, **self._offered(db_field, request, kwargs))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The same of what a row may have several of."""
        return super().formfield_for_manytomany(db_field, request, **self._offered(db_field, request, kwargs))

    def _offered(self, db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> dict[str, Any]:
        owner = self.admin_site._registry.get(db_field.remote_field.model)  # noqa: SLF001 - get_model_admin raises instead
        if isinstance(owner, KeptAdmin):
            kwargs.setdefault("queryset", owner.get_queryset(request))
        return {**kwargs, "using": conf.get("database")}


class LaunchedAdmin(KeptAdmin):
    """Rows that launches make and refresh: nobody edits them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: launches make them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody: the next launch would undo it."""
        return False


class ReadOnlyAdmin(LaunchedAdmin):
    """What happened: it stays as it was."""

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody."""
        return False


class NewestFormSet(_BaseInlineFormSet):
    """The first rows only, so that a page stays small whatever is below."""

    def get_queryset(self) -> Any:
        """At most :data:`INLINE_ROWS`."""
        if not hasattr(self, "_newest"):
            self._newest = super().get_queryset()[:INLINE_ROWS]
        return self._newest


class ReadOnlyInline(_TabularInline):
    """Rows below another, shown only."""

    extra = 0
    can_delete = False
    show_change_link = True
    formset = NewestFormSet

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody."""
        return False


def pretty(value: Any) -> str:
    """JSON as a person reads it, escaped."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False))


def pretty_text(text: str) -> str:
    """A body: as JSON if it is JSON, else as it came."""
    try:
        return pretty(json.loads(text))
    except ValueError:
        return format_html("<pre>{}</pre>", text) if text else ""


def advice_for(code: str) -> str:
    """What a person can do about a verdict, in their language; blank where there is none."""
    return gettext(ADVICE[code]) if code in ADVICE else ""
