"""What a view's method takes and answers, said beside it: drf-spectacular makes the API's description of it (``openapi.json``).

Said here is what is true of every address: errors stand in one envelope, and a caller with an API key alone names a registration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest, OpenApiResponse, extend_schema

from django_lti_ags.api import schemes
from django_lti_ags.api.once import HEADER, LONGEST
from django_lti_ags.api.queries import MOST_WAIT_SECONDS
from django_lti_ags.api.schemas import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django_lti_ags.api.schema_parts import Shape

ONLY_LTIK: Final = schemes.ONLY_LTIK
PLATFORM: Final = (403, 502, 503, 504)
"""How what is asked of a platform may fail."""
_FAILURES: Final = {
    400: "What was sent is not as described; `errors` names each field and its rule.",
    401: "Whoever calls is not recognised.",
    403: "The platform does not grant or allow it.",
    404: "There is no such thing here, or it is somebody else's.",
    409: "Something is in its way, or it waits for somebody; `description` says what to do.",
    411: "The body's length is not given, and this server cannot do without.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    422: "The platform refuses it, or the Idempotency-Key belongs to another request.",
    429: "The key asks too often; `Retry-After` says when to come back.",
    502: "The platform is away, or fails.",
    503: "The platform is busy; `Retry-After` says when to come back.",
    504: "The platform does not answer in time.",
}
_ALWAYS: Final = (400, 401, 404, 429)
_OF_BODIES: Final = (411, 413, 415)
_WHOLE: Final = {"type": "integer", "minimum": 1}


def query(name: str, said: str, kind: Any = str, **more: Any) -> OpenApiParameter:
    """A parameter; ``kind``: a type of Python's, or a schema."""
    return OpenApiParameter(name, kind, description=said, **more)


def path(name: str, said: str, kind: Any = str) -> OpenApiParameter:
    """A part of the path."""
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=said)


def header(name: str, said: str, kind: Any = str) -> OpenApiParameter:
    """A header of the request's."""
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=said)


def wait(said: str) -> OpenApiParameter:
    """``?wait=``, seconds."""
    return query("wait", said, {"type": "number", "minimum": 0, "maximum": int(MOST_WAIT_SECONDS)})


UUID: Final = {"type": "string", "format": "uuid"}
URI: Final = {"type": "string", "format": "uri"}
LIMIT: Final = query("limit", "At most so many; the platform may give fewer.", _WHOLE)
OUR_LIMIT: Final = query("limit", "At most so many, and never more than 100.", _WHOLE)
PAGE: Final = query("url", "A page that an earlier answer named; every other parameter is ignored.", URI)
LINE_ITEM: Final = query("lineItem", "Only this line item's: its id.", URI)
USER: Final = query("userId", "Only this learner's: the launch's user id.")
CURSOR: Final = query("cursor", "The next of an earlier answer.")
ONCE: Final = header(
    HEADER,
    "A text of your own for this request: repeated with it, the request is answered alike and not carried out again.",
    {"type": "string", "maxLength": LONGEST},
)
_BEARER: Final = (
    query("registration", "With an API key alone: the registration's uid.", UUID),
    query("context", "With an API key alone: the course's uid.", UUID),
)


def described(
    operation_id: str,
    summary: str,
    answers: Mapping[int, tuple[type[Shape] | None, str]],
    *,
    body: type[Shape] | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    fails: Iterable[int] = (),
    auth: Any = None,
) -> Callable[[Any], Any]:
    """A decorator of a view's method.

    Args:
        operation_id: what generated clients call it.
        summary: in a few words; the method's docstring says more.
        answers: by status, each with its shape, None: it has no body, and a sentence.
        body: what it takes; None: nothing.
        parameters: of its path, query and headers.
        fails: the statuses of errors, beside those that any address may answer with, or any with a body.
        auth: OpenAPI's security requirements, where they are not what the view's ``authentication_classes`` say.
    """
    told = {status: OpenApiResponse(shape, said, _examples(shape)) for status, (shape, said) in answers.items()}
    failing = sorted({*_ALWAYS, *fails, *(() if body is None else _OF_BODIES)})
    told |= {status: OpenApiResponse(Error, _FAILURES[status], _examples(Error)) for status in failing}
    annotate = extend_schema(
        operation_id=operation_id,
        summary=summary,
        parameters=[*parameters, *(_BEARER if auth is None else ())],
        request=None if body is None else {"application/json": OpenApiRequest(body, examples=_examples(body))},
        responses={**told, "default": OpenApiResponse(Error, "An error.", _examples(Error))},
        auth=auth,
    )

    def decorate(method: Any) -> Any:
        # Otherwise it would build on the project's DEFAULT_SCHEMA_CLASS, which may be None.
        method.schema = AutoSchema
        return annotate(method)

    return decorate


def _examples(shape: type[Shape] | None) -> list[OpenApiExample]:
    return [] if shape is None else [OpenApiExample(shape.__name__, shape.example)]
