"""Who calls: an API key, and with it a launch, a course or a whole registration. Nobody sees beyond that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django_lti_ags.models import Context, Registration
from django_lti_ags.scoping import may_read_api, scoped

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from django_lti_ags.models import ApiKey, ApiLaunch


@dataclass(frozen=True, slots=True)
class Caller:
    """A recognised caller; DRF's ``request.user``."""

    key: ApiKey
    registration: Registration
    contexts: QuerySet[Context]
    """The courses that it speaks for: one, with a launch or a service key."""
    launch: ApiLaunch | None = None
    of_all: bool = False
    """It speaks for every course of its registrations."""
    is_authenticated: ClassVar[bool] = True

    @property
    def counted_as(self) -> str:
        """Whose requests they are."""
        return str(self.key.pk)

    @property
    def registrations(self) -> QuerySet[Registration]:
        """The one that it speaks for."""
        return Registration.objects.filter(pk=self.registration.pk)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """An API key alone, that names no registration: good for learning which there are."""

    key: ApiKey
    is_authenticated: ClassVar[bool] = True

    @property
    def counted_as(self) -> str:
        """Whose requests they are."""
        return str(self.key.pk)

    @property
    def registrations(self) -> QuerySet[Registration]:
        """All that the key was issued for."""
        return Registration.objects.filter(api_keys=self.key)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who is logged in to the admin, and reads here what it shows them."""

    request: HttpRequest
    of_all: ClassVar[bool] = True
    is_authenticated: ClassVar[bool] = True

    @classmethod
    def of(cls, request: HttpRequest) -> StaffMember | None:
        """Who is logged in, if they may read."""
        return cls(request) if may_read_api(request) else None

    @property
    def counted_as(self) -> str:
        """Whose requests they are."""
        user: Any = self.request.user
        return f"staff:{user.pk}"

    @property
    def registrations(self) -> QuerySet[Registration]:
        """Those that the admin shows them (``LTI_AGS["ADMIN_SCOPE"]``)."""
        return scoped(Registration.objects.all(), self.request, "pk")

    @property
    def contexts(self) -> QuerySet[Context]:
        """The courses of these."""
        return scoped(Context.objects.all(), self.request, "deployment__registration")
