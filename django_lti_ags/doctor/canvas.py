"""Whether what is stored for Canvas' REST API works, and which scopes its developer key lacks.

Nothing is changed at Canvas: each endpoint is asked about a course that cannot exist, number 0. Canvas looks at the token
and its scopes before it looks for the course.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django_lti_ags import outcomes
from django_lti_ags.canvas import SCOPES
from django_lti_ags.canvas.calls import RestCall
from django_lti_ags.canvas.throttling import Patience
from django_lti_ags.doctor.causes import unanswered
from django_lti_ags.doctor.findings import Finding, Side, fail, ok, skipped, warn
from django_lti_ags.exceptions import (
    CanvasBadRequest,
    CanvasNotAuthorized,
    CanvasNotFound,
    CanvasRefused,
    CanvasScopeMissing,
    CanvasTokenRefused,
    EncryptionError,
    ExchangeFailed,
    NoCanvasCredential,
    UnknownCanvasCourse,
)
from django_lti_ags.models import Context
from django_lti_ags.sync.canvas_clients import client_with, credential_of, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_lti_ags.canvas import TokenSource
    from django_lti_ags.doctor.case import Case
    from django_lti_ags.models import CanvasCredential

_TOKEN: Final = "canvas_token"  # noqa: S105 - a check's name
_SCOPES: Final = "canvas_scopes"
_COURSE: Final = "canvas_course"
_STORE: Final = "Store another: manage.py lti_ags_canvas_credential."
_ADD: Final = (
    "Add the scope to the developer key, and tick Allow Include Parameters; then let the user authorise the tool again: a token keeps the "
    "scopes that it was given."
)
_PATIENCE_SECONDS: Final = 5.0


def rest_api(case: Case) -> Iterator[Finding]:
    """The token, its scopes, and the newest course; nothing, if nothing is stored."""
    try:
        credential = credential_of(case.registration)
    except NoCanvasCredential:
        return
    try:
        tokens = tokens_of(credential, case.clients.token_store)
        missing = _missing(case, credential, tokens)
    except EncryptionError as problem:
        yield fail(_TOKEN, str(problem), f"Or give up the stored one. {_STORE}", Side.TOOL)
        return
    except ExchangeFailed as problem:
        yield _useless(problem)
        return
    yield ok(_TOKEN, f"{credential.base_url} takes the stored {credential.get_kind_display()}.")
    for scope in missing:
        yield warn(_SCOPES, f"Not granted: {scope}", _ADD, Side.PLATFORM)
    if not missing:
        yield ok(_SCOPES, f"None of the {len(SCOPES)} scopes for outcome results and live assessments is missing.")
    yield _seen_course(case, credential)


def _missing(case: Case, credential: CanvasCredential, tokens: TokenSource) -> list[str]:
    """The scopes that Canvas says are not there.

    Raises:
        ExchangeFailed: no endpoint can be asked with this token.
    """
    missing = []
    for scope in SCOPES:
        try:
            _probe(case, credential, tokens, scope)
        except CanvasScopeMissing:
            missing.append(scope)
        except (CanvasNotFound, CanvasBadRequest, CanvasNotAuthorized):
            continue  # the scope was there
    return missing


def _probe(case: Case, credential: CanvasCredential, tokens: TokenSource, scope: str) -> None:
    method, _, path = scope.removeprefix("url:").partition("|")
    call = RestCall(
        transport=case.transport,
        observe=None,
        kind="canvas",
        method=method,
        headers={"Accept": "application/json"},
        base_url=credential.base_url,
        tokens=tokens,
        scope=scope,
        patience=Patience(_PATIENCE_SECONDS),
    )
    call.send(credential.base_url + re.sub(r":\w+", "0", path))


def _useless(problem: ExchangeFailed) -> Finding:
    found = unanswered(_TOKEN, problem.exchange)
    if found is not None:
        return found
    if isinstance(problem, CanvasTokenRefused):
        return fail(_TOKEN, str(problem), f"{problem.advice} {_STORE}", Side.TOOL)
    if isinstance(problem, CanvasRefused):
        return fail(_TOKEN, str(problem), problem.advice, Side.PLATFORM)
    todo = "Is this the address of your Canvas? If it is not, store another; if it is, Canvas is in trouble: try again later."
    return fail(_TOKEN, str(problem), f"{todo} manage.py lti_ags_canvas_credential", Side.TOOL)


def _seen_course(case: Case, credential: CanvasCredential) -> Finding:
    """Whether the token's user sees the learners of the course that was launched last."""
    launched = Context.objects.select_related("deployment__registration").filter(deployment__registration=case.registration)
    context = launched.exclude(seen_at=None).order_by("-seen_at", "-pk").first()
    if context is None:
        return skipped(_COURSE, "No course has been launched yet.")
    try:
        course = outcomes.course_of(context)
        course.check(credential)
        client = client_with(credential, clients=case.clients, patience_seconds=_PATIENCE_SECONDS)
        next(iter(client.outcome_rollups(course.course_id, per_page=1)), None)
    except UnknownCanvasCourse as problem:
        return warn(_COURSE, str(problem), "Without it, name the course by its number: --registration NAME --course ID.", Side.TOOL)
    except CanvasScopeMissing:
        return skipped(_COURSE, f"Without the scope for rollups, {context} cannot be looked at.")
    except CanvasRefused as problem:
        return warn(_COURSE, str(problem), problem.advice, Side.PLATFORM)
    except ExchangeFailed as problem:
        return warn(_COURSE, str(problem), "Try again; if it stays so, ask the Canvas administrator.", Side.PLATFORM)
    return ok(_COURSE, f"The outcomes of {context} (course {course.course_id}) can be read.")
