"""Every error in one envelope: ``{"status", "error", "details": {"message", "description", …}}``, as LTIAAS answers.

``message`` is a code for programs, ``description`` a sentence for people. A 400 also lists ``errors``, each with its ``field`` and
``rule``; where the platform said no, ``platform`` has its status and its words. What is told holds no secret.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist, SuspiciousOperation
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from django_lti_ags.exceptions import EncryptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_CODES: Mapping[type[Exception], tuple[str, str]] = {
    drf.NotAuthenticated: (
        "MISSING_AUTHORIZATION_HEADER",
        "Send an Authorization header: LTIK-AUTH-V2 <api key>:<ltik>, SERVICE-AUTH-V1 <api key>:<service key>, or Bearer <api key>.",
    ),
    drf.NotFound: ("NOT_FOUND", "There is nothing at this address."),
    drf.NotAcceptable: ("NOT_ACCEPTABLE", "Answers are application/json; the Accept header must allow that."),
}


class ApiError(drf.APIException):
    """An error that a view found.

    Args:
        status: of HTTP.
        message: its code.
        description: a sentence that says what to change.
        more: further ``details``.
        retry_after_seconds: when to come back, if that is known.
        scheme: what to authenticate with, of a 401.
    """

    def __init__(
        self,
        status: int,
        message: str,
        description: str,
        *,
        more: Mapping[str, Any] | None = None,
        retry_after_seconds: float | None = None,
        scheme: str = "",
    ) -> None:
        super().__init__(description)
        self.status_code = status
        self.message = message
        self.description = description
        self.more = dict(more or {})
        self.retry_after_seconds = retry_after_seconds
        self.auth_header = scheme


def bad(errors: Mapping[str, str], *, message: str = "BAD_REQUEST") -> ApiError:
    """A 400 that names each field and its rule."""
    listed = [{"field": field, "rule": rule} for field, rule in errors.items()]
    return ApiError(400, message, " ".join(f"{field}: {rule}." for field, rule in errors.items()), more={"errors": listed})


def envelope(status: int, message: str, description: str, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An error's body."""
    return {
        "status": status,
        "error": HTTPStatus(status).phrase,
        "details": {"message": message, "description": description, **(more or {})},
    }


def handle(problem: Exception, context: Any) -> Response | None:
    """DRF's exception handler; None: nobody foresaw it, and Django reports it."""
    if isinstance(problem, EncryptionError):
        logger.error("The REST API cannot read a stored secret: %s", problem)
        problem = ApiError(500, "STORED_SECRET_UNREADABLE", "This service cannot read a secret that it stored; its log says more.")
    if isinstance(problem, Http404):
        problem = drf.NotFound()
    if isinstance(problem, ObjectDoesNotExist):
        # It was there when the request began.
        problem = ApiError(404, "DELETED_MEANWHILE", "What this is about was deleted while it was asked for.")
    if isinstance(problem, SuspiciousOperation):
        # Too many parameters, say: Django would answer in HTML.
        problem = ApiError(400, "BAD_REQUEST", "The request cannot be read: it has too many parameters, or ones that nobody may send.")
    if isinstance(problem, UnreadablePostError):
        # The client hung up or fell silent: nobody's fault here, and hardly anybody hears it.
        problem = ApiError(400, "INCOMPLETE_BODY", "The body did not arrive as announced. Send the request again.")
    if not isinstance(problem, drf.APIException):
        return None
    known = _known(problem)
    answer = Response(envelope(known.status_code, known.message, known.description, known.more), status=known.status_code)
    scheme = getattr(problem, "auth_header", "")
    if scheme:
        answer["WWW-Authenticate"] = scheme
    if known.retry_after_seconds is not None:
        answer["Retry-After"] = str(max(1, round(known.retry_after_seconds)))
    return answer


def _known(problem: drf.APIException) -> ApiError:
    if isinstance(problem, ApiError):
        return problem
    status = problem.status_code
    if isinstance(problem, drf.MethodNotAllowed):
        return ApiError(status, "METHOD_NOT_ALLOWED", f"{problem.args[0] if problem.args else 'This method'} is not possible here.")
    if isinstance(problem, drf.UnsupportedMediaType):
        return ApiError(status, "UNSUPPORTED_MEDIA_TYPE", "The body must be JSON, sent with Content-Type: application/json.")
    if isinstance(problem, drf.Throttled):
        wait = problem.wait or 1
        return ApiError(status, "TOO_MANY_REQUESTS", f"This API key asks too often. Come back in {wait} s.", retry_after_seconds=wait)
    code, description = _CODES.get(type(problem), (HTTPStatus(status).name, str(problem.detail)))
    return ApiError(status, code, description)
