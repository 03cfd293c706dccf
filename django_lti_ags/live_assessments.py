"""Canvas' live assessments: note who passed, in your own transaction; Canvas counts each note once.

::

    assessment = live_assessments.declare(context, course_id=7, key="2026-03-01,reading", title="Reading aloud", outcome=12)
    with transaction.atomic():
        answer.save()
        live_assessments.record(assessment, user_id=42, passed=True, assessed_at=answer.given_at)

Course, outcome and learners are named as Canvas' REST API names them: let the launch bring the numbers as custom parameters,
``course_id=$Canvas.course.id`` and ``user_id=$Canvas.user.id``. What is sent needs the registration's credential for that API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from django_lti_ags.ags.rules import MAX_COMMENT
from django_lti_ags.canvas import LiveAssessment as WireAssessment
from django_lti_ags.canvas import LiveAssessmentResult as WireResult
from django_lti_ags.canvas.arguments import check_known_id, check_words
from django_lti_ags.exceptions import InvalidCanvasArgument, NoAgsClaim
from django_lti_ags.models import Context, LiveAssessment
from django_lti_ags.sync import live_recording, live_revival

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django_lti_ags.models import LiveResult

__all__ = ["arecord", "cancel", "declare", "record", "record_many", "retry"]

_FIELDS: Final = ("user_id", "passed", "assessed_at")
_ERRORS_SHOWN: Final = 20
_NUMBER: Final = re.compile("[0-9]+")


def declare(context: Context, *, course_id: str | int, key: str, title: str, outcome: str | int | None = None) -> LiveAssessment:
    """An assessment that the tool wants in a Canvas course; it is found there by its key, or made, once.

    Declared again with another title or outcome, it is changed in Canvas too.

    Args:
        context: the course, from :func:`line_items.context_from_launch`.
        course_id: the course's number in Canvas, or ``sis_course_id:…``.
        key: what it is found again by, such as ``2026-03-01,reading``; up to 255 characters.
        title: what people call it; up to 255 characters.
        outcome: the number of an outcome that is linked to the course; without one, results count for nothing.

    Raises:
        InvalidCanvasArgument: one of them is not what Canvas takes, or the context is not stored; nothing is stored.
        NoAgsClaim: no launch of the course has said where its Canvas is.
        WrongDatabase: the caller's transaction is on another database than the outbox.
    """
    course = check_known_id("course_id", course_id, "sis_course_id:")
    wanted = WireAssessment(key=key, title=title, outcome=outcome)
    if not isinstance(context, Context) or context.pk is None:
        raise InvalidCanvasArgument("context", context, "must be a stored Context: take it from line_items.context_from_launch(launch)")
    if not context.line_items_url:
        raise NoAgsClaim(
            "No launch of this course has said where its Canvas is (its AGS claim has no lineitems). Launch the tool from it again."
        )
    return live_recording.declare(context, course, wanted)


def record(assessment: LiveAssessment, *, user_id: str | int, passed: bool, assessed_at: datetime) -> LiveResult:
    """Note that a learner passed, or not; it goes out when the caller's transaction is committed.

    **Each call is a result of its own**, also one that says the same: Canvas counts them all. Call it once for each thing that
    happened. Until the caller's transaction ends, others that record in the same assessment wait.

    Args:
        assessment: from :func:`declare`.
        user_id: the learner's number in Canvas (``$Canvas.user.id``), not the launch's ``sub``.
        passed: True or False.
        assessed_at: when, aware; kept to the second, as Canvas does.

    Raises:
        ValidationError: naming the field, the value and the rule; nothing is stored.
        WrongDatabase: the caller's transaction is on another database than the outbox.
    """
    result = _result({"user_id": user_id, "passed": passed, "assessed_at": assessed_at})
    return live_recording.record(_stored(assessment), [result])[0]


arecord = sync_to_async(record)
"""``record`` for async views. It cannot join a transaction that was opened in another thread."""


def record_many(assessment: LiveAssessment, items: Iterable[Mapping[str, Any]], *, once: str = "") -> int:
    """Note many results, each a mapping of :func:`record`'s keywords; all or nothing. Returns how many.

    Args:
        assessment: from :func:`declare`.
        items: the results.
        once: a name of your own for these results, for callers that cannot be in the tool's transaction: said again under the same
            name they are not counted again, as long as they are kept (``KEEP_RESULTS_SECONDS``), and 0 is returned.

    Raises:
        ValidationError: one error per refused item, with its position; or, with the code ``reused``, other results have that name.
            Nothing is stored.
    """
    results: list[WireResult] = []
    errors: list[ValidationError] = []
    for position, item in enumerate(items):
        try:
            results.append(_result(item))
        except ValidationError as problem:
            text = "; ".join(problem.messages)
            errors.append(ValidationError("Item %(position)s: %(problem)s", code="invalid", params={"position": position, "problem": text}))
    if errors:
        rest = len(errors) - _ERRORS_SHOWN
        more = [ValidationError("… and %(count)s more", code="invalid", params={"count": rest})] if rest > 0 else []
        raise ValidationError([*errors[:_ERRORS_SHOWN], *more])
    try:
        return len(live_recording.record(_stored(assessment), results, once)) if results else 0
    except live_recording.NotTheSame:
        raise ValidationError("Other results were recorded under this name.", code="reused") from None


def retry(chosen: QuerySet[LiveAssessment] | Iterable[LiveAssessment] | LiveAssessment) -> int:
    """Send those of ``chosen`` again that rest or wait, with the results that were set aside. Returns how many."""
    return live_revival.retry(_rows(chosen))


def cancel(chosen: QuerySet[LiveAssessment] | Iterable[LiveAssessment] | LiveAssessment, *, reason: str) -> int:
    """Do not send what those of ``chosen`` still have to send, unless somebody is just sending it. Returns how many.

    Raises:
        ValidationError: no reason given; it is kept with them.
    """
    try:
        check_words("reason", reason, MAX_COMMENT)
    except InvalidCanvasArgument as problem:
        raise _refusal(problem) from problem
    return live_revival.cancel(_rows(chosen), reason.strip())


def _rows(chosen: QuerySet[LiveAssessment] | Iterable[LiveAssessment] | LiveAssessment) -> QuerySet[LiveAssessment]:
    rows = [chosen] if isinstance(chosen, LiveAssessment) else chosen
    return LiveAssessment.objects.filter(pk__in=[row.pk for row in rows])


def _stored(assessment: LiveAssessment) -> LiveAssessment:
    if not isinstance(assessment, LiveAssessment) or assessment.pk is None:
        raise ValidationError({"assessment": ["must be what live_assessments.declare(…) gave"]})
    return assessment


def _result(item: Mapping[str, Any]) -> WireResult:
    if not isinstance(item, Mapping):
        raise ValidationError(f"A result must be a mapping of its fields, not {type(item).__name__}.")
    if set(item) != set(_FIELDS):
        raise ValidationError(f"A result has the fields {', '.join(_FIELDS)}, each of them and no other.")
    try:
        user_id = item["user_id"]
        if isinstance(user_id, str) and not _NUMBER.fullmatch(user_id):
            # With a tilde Canvas takes it too, but never tells it so again.
            raise InvalidCanvasArgument("user_id", user_id, "must be the learner's number in Canvas, as $Canvas.user.id tells it")
        return WireResult(user=user_id, passed=item["passed"], assessed_at=item["assessed_at"])
    except InvalidCanvasArgument as problem:
        raise _refusal(problem) from problem


def _refusal(problem: InvalidCanvasArgument) -> ValidationError:
    name = {"user": "user_id"}.get(problem.field, problem.field)
    return ValidationError({name: [str(problem)]})
