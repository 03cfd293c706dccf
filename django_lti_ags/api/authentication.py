"""LTIAAS' three ways to show who calls (docs.ltiaas.com/guides/api/authentication).

A refusal never tells whether it is the key or the launch that is wrong, nor whether something exists that the key does not cover.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final
from uuid import UUID

from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import NotAuthenticated

from django_lti_ags import api_keys, launches
from django_lti_ags.api.callers import Caller, KeyHolder, StaffMember
from django_lti_ags.api.errors import ApiError
from django_lti_ags.models import Registration

if TYPE_CHECKING:
    from rest_framework.request import Request

    from django_lti_ags.models import ApiKey, ApiLaunch, Context

_LONGEST = 1000


class _Scheme(BaseAuthentication, ABC):
    """One scheme of the Authorization header; another one's is passed over."""

    scheme: ClassVar[str]
    message: ClassVar[str]
    description: ClassVar[str]

    @sensitive_variables()
    def authenticate(self, request: Request) -> tuple[Caller | KeyHolder, str] | None:
        """Who calls.

        Raises:
            ApiError: the header is of this scheme, and opens nothing.
        """
        header = get_authorization_header(request)
        if len(header) > _LONGEST or not header.isascii():
            raise self.refusal()
        scheme, _, shown = header.decode("ascii").strip().partition(" ")
        if scheme.casefold() != self.scheme.casefold():
            return None
        caller = self.caller(request, shown.strip())
        if caller is None:
            raise self.refusal()
        return caller, self.scheme

    @abstractmethod
    def caller(self, request: Request, shown: str) -> Caller | KeyHolder | None:
        """Whom ``shown`` speaks for; None: nobody."""

    def refusal(self) -> ApiError:
        """The 401."""
        return ApiError(401, self.message, self.description, scheme=self.scheme)

    def authenticate_header(self, request: Request) -> str:
        """What a caller without credentials is asked for."""
        return self.scheme


class LtikAuthentication(_Scheme):
    """``LTIK-AUTH-V2 <api key>:<ltik>``: one launch, for a day."""

    scheme = "LTIK-AUTH-V2"
    message = "INVALID_LTIK_AUTH_AUTHORIZATION_HEADER"
    description = "Invalid or expired ltik."

    @sensitive_variables()
    def caller(self, request: Request, shown: str) -> Caller | None:
        """The key and the launch."""
        text, _, ltik = shown.rpartition(":")
        key, launch = api_keys.find(text), launches.find(ltik)
        return None if key is None or launch is None else _in_course(key, launch.context, launch)


class ServiceKeyAuthentication(_Scheme):
    """``SERVICE-AUTH-V1 <api key>:<service key>``: one course, without an end."""

    scheme = "SERVICE-AUTH-V1"
    message = "INVALID_SERVICE_AUTH_AUTHORIZATION_HEADER"
    description = "Invalid service key."

    @sensitive_variables()
    def caller(self, request: Request, shown: str) -> Caller | None:
        """The key and the course."""
        text, _, service_key = shown.rpartition(":")
        key, context = api_keys.find(text), launches.context_of(service_key)
        return None if key is None or context is None else _in_course(key, context)


class BearerAuthentication(_Scheme):
    """``Bearer <api key>``, with ``?registration=<uid>``: all that the key sees of one registration."""

    scheme = "Bearer"
    message = "INVALID_BEARER_AUTHORIZATION_HEADER"
    description = (
        "Invalid API key, or no registration named: a key alone needs ?registration=<uid>, one that it was issued for; "
        "GET api/sync/registrations lists those. "
        "Within a launch use LTIK-AUTH-V2, outside of launches SERVICE-AUTH-V1."
    )

    @sensitive_variables()
    def caller(self, request: Request, shown: str) -> Caller | KeyHolder | None:
        """The key and the registration."""
        named, key = request.query_params.getlist("registration"), api_keys.find(shown)
        if key is None or len(named) != 1:
            return None
        try:
            uid = UUID(named[0])
        except ValueError:
            return None
        registration = Registration.objects.filter(api_keys=key, uid=uid).first()
        if registration is None:
            return None
        return Caller(key, registration, key.seen_contexts().filter(deployment__registration=registration), of_all=not key.narrowed)


class KeyAuthentication(BearerAuthentication):
    """The same; without ``?registration=`` it is the key alone that is recognised."""

    @sensitive_variables()
    def caller(self, request: Request, shown: str) -> Caller | KeyHolder | None:
        """The key, and the registration if one is named."""
        if "registration" in request.query_params:
            return super().caller(request, shown)
        key = api_keys.find(shown)
        return None if key is None else KeyHolder(key)


class StaffAuthentication(BaseAuthentication):
    """The admin's session, to read: without an Authorization header, and of ``GET`` only, so that no other site can make it do anything."""

    def authenticate(self, request: Request) -> tuple[StaffMember, str] | None:
        """Who is logged in; None: nobody who may read here."""
        if get_authorization_header(request) or request.method not in ("GET", "HEAD"):
            return None
        found = StaffMember.of(request._request)  # noqa: SLF001 - DRF has no public name for Django's request
        return None if found is None else (found, "session")


class NoAuthentication(BaseAuthentication):
    """The last one: whoever comes so far has shown nothing."""

    def authenticate(self, request: Request) -> None:
        """Refuse.

        Raises:
            NotAuthenticated: always.
        """
        raise NotAuthenticated


KEYS: Final = (LtikAuthentication, ServiceKeyAuthentication, BearerAuthentication, NoAuthentication)
KEYS_OR_STAFF: Final = (LtikAuthentication, ServiceKeyAuthentication, BearerAuthentication, StaffAuthentication, NoAuthentication)
KEY_ALONE_OR_STAFF: Final = (LtikAuthentication, ServiceKeyAuthentication, KeyAuthentication, StaffAuthentication, NoAuthentication)


def _in_course(key: ApiKey, context: Context, launch: ApiLaunch | None = None) -> Caller | None:
    seen = key.seen_contexts().filter(pk=context.pk)
    if not seen.exists():
        return None
    return Caller(key, context.deployment.registration, seen, launch)
