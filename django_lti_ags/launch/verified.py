"""A launch that was let in: what a tool sees of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags import line_items
from django_lti_ags.ags import vocabulary
from django_lti_ags.launch.claims import client_id
from django_lti_ags.launch.configuration import registration_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_lti_ags.launch.validation import StrictLaunch
    from django_lti_ags.models import Context, LineItem, Registration

_MEMBERSHIP: Final = "http://purl.imsglobal.org/vocab/lis/v2/membership"


@dataclass(frozen=True, slots=True)
class Launch:
    """A verified launch: who came, to what."""

    claims: Mapping[str, Any] = field(repr=False)
    """The id token's claims. They may name the person: keep no more of them than the tool needs."""
    target_link_uri: str = ""
    """Where the platform wants the person to arrive; blank unless it is on the tool's own host, so it is safe to redirect to."""
    message_launch: StrictLaunch | None = field(default=None, repr=False, compare=False)
    """pylti1p3's message launch, for what is not offered here."""

    @property
    def user_id(self) -> str:
        """The user: what scores are recorded for."""
        return str(self.claims["sub"])

    @property
    def roles(self) -> list[str]:
        """The user's roles here (LTI 1.3, 5.3.7)."""
        return list(self.claims.get(vocabulary.ROLES_CLAIM, []))

    @property
    def is_instructor(self) -> bool:
        """Whether they teach in this course; teaching elsewhere in the institution does not count."""
        return self._has_role("Instructor")

    @property
    def is_learner(self) -> bool:
        """Whether they learn in this course: only learners can be graded."""
        return self._has_role("Learner")

    @property
    def resource_link_id(self) -> str:
        """The activity they came from."""
        return str(self.claims[vocabulary.RESOURCE_LINK_CLAIM]["id"])

    def line_item(self) -> LineItem:
        """The activity's column; see :func:`django_lti_ags.line_items.from_launch`."""
        return line_items.from_launch(self.claims)

    def context(self) -> Context:
        """The course; see :func:`django_lti_ags.line_items.context_from_launch`."""
        return line_items.context_from_launch(self.claims)

    def registration(self) -> Registration:
        """The registration that it came through."""
        return registration_of(str(self.claims["iss"]), client_id(self.claims))

    def _has_role(self, name: str) -> bool:
        """A context role, with its sub-roles and in its short form (LTI 1.3, A.2.3)."""
        sub_role = f"{_MEMBERSHIP}/{name}#"
        return any(role in (name, f"{_MEMBERSHIP}#{name}") or role.startswith(sub_role) for role in self.roles)
