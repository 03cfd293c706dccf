"""Who calls: an API key, and with it a launch, a course or a whole registration. Nobody sees beyond that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from django_lti_ags.models import ApiKey, ApiLaunch, Context, Registration


@dataclass(frozen=True, slots=True)
class Caller:
    """A recognised caller; DRF's ``request.user``."""

    key: ApiKey
    registration: Registration
    contexts: QuerySet[Context]
    """The courses that it speaks for: one, with a launch or a service key."""
    launch: ApiLaunch | None = None
    is_authenticated: ClassVar[bool] = True
