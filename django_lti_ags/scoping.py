"""Whose rows a person sees: all, or those of the registrations that ``LTI_AGS["ADMIN_SCOPE"]`` allows them.

The setting names a callable: request → queryset of registrations, or None for all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db.models import Q
from django.utils.module_loading import import_string

from django_lti_ags import conf

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from django_lti_ags.models import Registration

M = TypeVar("M", bound="Model")


READ_BY_API: Final = ("lti_ags.view_score", "lti_ags.view_lineitem", "lti_ags.view_registration", "lti_ags.see_learners")
"""The API conceals no learner, so whoever must not know them is told nothing there."""


def may_read_api(request: HttpRequest) -> bool:
    """Whether whoever is logged in may read scores over the REST API, too; a project need not have users."""
    user: Any = getattr(request, "user", None)
    return bool(user is not None and user.is_active and getattr(user, "is_staff", False) and user.has_perms(READ_BY_API))


def allowed(request: HttpRequest) -> QuerySet[Registration] | None:
    """The registrations that are shown to whoever asks; None: all."""
    path = conf.get("admin_scope")
    chosen: QuerySet[Registration] | None = import_string(path)(request) if path else None
    return chosen


def scoped(rows: QuerySet[M], request: HttpRequest, *paths: str) -> QuerySet[M]:
    """Those of ``rows`` that are shown; each of ``paths`` leads from a row to its registration (``"pk"``: it is one itself).

    A path may lead to many (a signing key's registrations), and one of them may lead nowhere: who sees any of the
    registrations sees the row, once.
    """
    registrations = allowed(request)
    if registrations is None:
        return rows
    found = Q()
    for path in paths:
        found |= Q(**{f"{path}__in": registrations.order_by().values("pk")})
    if any(_leads_to_many(rows.model, path) for path in paths if path != "pk"):
        return rows.filter(pk__in=rows.model._default_manager.filter(found).values("pk"))
    return rows.filter(found)


def _leads_to_many(model: Any, path: str) -> bool:
    for name in path.split("__"):
        field = model._meta.get_field(name)
        if field.one_to_many or field.many_to_many:
            return True
        model = field.related_model
    return False
