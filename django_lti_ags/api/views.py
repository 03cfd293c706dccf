"""What every address of the API has in common: JSON only, no session, no transaction, one envelope for errors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from django.db import connections, transaction
from django.views.decorators.cache import never_cache
from drf_spectacular.openapi import AutoSchema
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from django_lti_ags.api import authentication, errors
from django_lti_ags.api.bodies import MOST_BYTES, ObjectParser
from django_lti_ags.api.requests import ApiRequest
from django_lti_ags.api.throttling import KeyThrottle

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from django_lti_ags.api.callers import Caller


class AsciiRenderer(JSONRenderer):
    """JSON that can be sent whatever a client put into it: half a surrogate pair stands escaped, as it came."""

    ensure_ascii = True
    compact = True


class Negotiation(DefaultContentNegotiation):
    """By the Accept header alone: in a query ``format`` is passed over like whatever else means nothing here."""

    settings: Any = SimpleNamespace(URL_FORMAT_OVERRIDE=None)


class ApiView(APIView):
    """A view; a project's ``REST_FRAMEWORK`` settings change nothing here."""

    authentication_classes: Any = authentication.KEYS
    permission_classes: Any = ()
    throttle_classes: Any = (KeyThrottle,)
    parser_classes: Any = (ObjectParser,)
    renderer_classes: Any = (AsciiRenderer,)
    content_negotiation_class: Any = Negotiation
    versioning_class: Any = None
    schema: Any = AutoSchema()
    most_bytes = MOST_BYTES
    """Of a body."""
    http_method_names: Any = ("get", "head", "post", "put", "delete")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Outside of transactions, also where the project wraps its requests in one: a platform is waited for."""
        view: Any = never_cache(super().as_view(**initkwargs))
        view.csrf_exempt = True
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> ApiRequest:
        """Django's request, for DRF."""
        return ApiRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def get_exception_handler(self) -> Callable[..., Any]:
        """Ours."""
        return errors.handle

    @property
    def caller(self) -> Caller:
        """Who calls: nobody else gets so far."""
        return cast("Caller", self.request.user)


class NowhereView(ApiView):
    """Every other address below ``api/``."""

    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Whatever is asked.

        Raises:
            NotFound: always.
        """
        raise NotFound
