"""Who calls: an API key, and with it a launch, a course or a whole registration. Nobody sees beyond that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from django_lti_ags.models import Registration

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_lti_ags.models import ApiKey, ApiLaunch, Context


@dataclass(frozen=True, slots=True)
class Caller:
    """A recognised caller; DRF's ``request.user``."""

    key: ApiKey
    registration: Registration
    contexts: QuerySet[Context]
    """The courses that it speaks for: one, with a launch or a service key."""
    launch: ApiLaunch | None = None
    is_authenticated: ClassVar[bool] = True

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
    def registrations(self) -> QuerySet[Registration]:
        """All that the key was issued for."""
        return Registration.objects.filter(api_keys=self.key)
