"""What Canvas' REST API says no with, in the envelope: in Canvas' words, and with what a person can change."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django_lti_ags.api.errors import ApiError, bad
from django_lti_ags.api.platform_errors import told_to
from django_lti_ags.exceptions import (
    CanvasBadRequest,
    CanvasNotAuthorized,
    CanvasNotFound,
    CanvasRefused,
    CanvasScopeMissing,
    CanvasThrottled,
    CanvasTokenRefused,
    InvalidCanvasArgument,
    NoCanvasCredential,
    UnknownCanvasCourse,
)
from django_lti_ags.sync.profiles import profile_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_lti_ags.models import Registration

_REFUSALS: Final[tuple[tuple[type[CanvasRefused], int, str], ...]] = (
    (CanvasThrottled, 503, "PLATFORM_BUSY"),
    (CanvasTokenRefused, 409, "CANVAS_TOKEN_REFUSED"),
    (CanvasScopeMissing, 403, "CANVAS_SCOPE_MISSING"),
    (CanvasNotAuthorized, 403, "CANVAS_NOT_AUTHORIZED"),
    (CanvasNotFound, 404, "CANVAS_NOT_FOUND"),
    (CanvasBadRequest, 400, "REFUSED_BY_PLATFORM"),
)
_PAUSE_SECONDS: Final = 30.0


@contextmanager
def told_by_canvas(registration: Registration) -> Iterator[None]:
    """Turn what the calls inside raise into an :class:`ApiError`. 409: nothing was asked, since something is not set up here."""
    with told_to(profile_of(registration)):
        try:
            yield
        except NoCanvasCredential as problem:
            raise ApiError(409, "NO_CANVAS_CREDENTIAL", str(problem)) from None
        except UnknownCanvasCourse as problem:
            raise ApiError(409, "UNKNOWN_CANVAS_COURSE", str(problem)) from None
        except InvalidCanvasArgument as problem:
            raise bad({problem.field: problem.rule}, message="INVALID_CANVAS_ARGUMENT") from None
        except CanvasRefused as problem:
            raise _refusal(problem) from None


def _refusal(problem: CanvasRefused) -> ApiError:
    platform = {"status": problem.exchange.status} | ({"said": problem.said} if problem.said else {})
    more: dict[str, Any] = {"platform": platform}
    if isinstance(problem, CanvasScopeMissing):
        more["scope"] = problem.scope
    status, code = next((status, code) for kind, status, code in _REFUSALS if isinstance(problem, kind))
    quoted = f"Canvas says: “{problem.said}”. " if problem.said else ""
    pause = _PAUSE_SECONDS if status == 503 else None
    return ApiError(status, code, quoted + problem.advice, more=more, retry_after_seconds=pause)
