"""Record scores, in your own transaction; they are delivered once it is committed.

::

    with transaction.atomic():
        attempt.save()
        scores.record(line_item, user_id=sub, score_given=8, score_maximum=10)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from django_lti_ags.ags.rules import MAX_COMMENT, check_text
from django_lti_ags.ags.types import validate_score
from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.canvas.submission import placed
from django_lti_ags.exceptions import InvalidScore
from django_lti_ags.models import Score
from django_lti_ags.profiles.base import CLEARED
from django_lti_ags.sync import file_rows, recording, resending, revival
from django_lti_ags.sync.recording import Summary
from django_lti_ags.sync.statements import KEEPS, NEWEST, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from django_lti_ags.canvas.submission import Submission
    from django_lti_ags.models import LineItem

__all__ = ["Summary", "arecord", "cancel", "clear", "follow_files", "record", "record_many", "retry", "send_again"]

_ERRORS_SHOWN = 20
_DEFAULTS: dict[str, Any] = {
    "score_given": None,
    "score_maximum": None,
    "activity_progress": ActivityProgress.COMPLETED.value,
    "grading_progress": GradingProgress.FULLY_GRADED.value,
    "comment": "",
    "started_at": None,
    "submitted_at": None,
    "scoring_user_id": "",
    "extensions": None,
    "submission": None,
    "keep": NEWEST,
}


def record(
    line_item: LineItem,
    *,
    user_id: str,
    score_given: float | Decimal | None = None,
    score_maximum: float | Decimal | None = None,
    comment: str = "",
    activity_progress: str = ActivityProgress.COMPLETED,
    grading_progress: str = GradingProgress.FULLY_GRADED,
    started_at: datetime | None = None,
    submitted_at: datetime | None = None,
    scoring_user_id: str = "",
    extensions: Mapping[str, Any] | None = None,
    submission: Submission | None = None,
    keep: str = NEWEST,
) -> Score:
    """Record the newest score of a learner in a column; it goes out when the caller's transaction is committed.

    Takes at most four queries, six with ``keep="every"``. Recording the same thing again changes nothing.

    Args:
        line_item: the column, from :func:`line_items.from_launch` or :func:`line_items.declare`.
        user_id: the learner: the launch's ``sub``.
        score_given: zero or more; more than ``score_maximum`` is extra credit. None clears the score at the platform: say
            :func:`clear` for that.
        score_maximum: above zero; needed with ``score_given``.
        comment: plain text for the learner; each score replaces the last one's comment.
        activity_progress: how far the learner is (AGS 2.0, 3.4.7).
        grading_progress: how far the grading is (AGS 2.0, 3.4.8); most platforms show a grade only when it is FullyGraded.
        started_at: when the learner began, aware.
        submitted_at: when the learner submitted, aware; a new value is a new submission.
        scoring_user_id: who graded, if a person did.
        extensions: further fields for the platform, each under a full URL.
        submission: what Canvas is to be told of the learner's submission (:class:`django_lti_ags.canvas.Submission`); kept with the
            score, and told to no other platform.
        keep: ``"newest"``: a newer submission takes the place of one that waits. ``"every"``: this one is delivered even if newer
            ones overtake it, each as an attempt of its own, in the order in which they were recorded; the newest has the grade.
            Platforms without attempts are sent the newest.

    Raises:
        ValidationError: naming the field, the value and the rule; nothing is stored.
        WrongDatabase: the caller's transaction is on another database than the scores.
    """
    statement = _statement(
        {
            "user_id": user_id,
            "score_given": score_given,
            "score_maximum": score_maximum,
            "comment": comment,
            "activity_progress": activity_progress,
            "grading_progress": grading_progress,
            "started_at": started_at,
            "submitted_at": submitted_at,
            "scoring_user_id": scoring_user_id,
            "extensions": extensions,
            "submission": submission,
            "keep": keep,
        }
    )
    return recording.record(line_item, statement)


arecord = sync_to_async(record)
"""``record`` for async views. It cannot join a transaction that was opened in another thread."""


def record_many(line_item: LineItem, items: Iterable[Mapping[str, Any]]) -> Summary:
    """Record scores of many learners, each a mapping of :func:`record`'s keywords; all or nothing.

    Raises:
        ValidationError: one error per refused item, with its position; nothing is stored.
    """
    statements, errors = _examined(enumerate(items))
    if errors:
        raise ValidationError(_shortened(errors))
    return recording.record_many(line_item, statements)


def check_many(items: Mapping[int, Mapping[str, Any]]) -> None:
    """Refuse what :func:`record_many` would of these items, each with its position; nothing is recorded.

    Raises:
        ValidationError: one error per refused item, with its position.
    """
    _, errors = _examined(items.items())
    if errors:
        raise ValidationError(errors)


def clear(line_item: LineItem, user_id: str) -> Score:
    """Take the learner's score out of the gradebook: a score without a number (AGS 2.0, 3.4.5)."""
    given, activity, grading = CLEARED
    return record(line_item, user_id=user_id, score_given=given, activity_progress=activity, grading_progress=grading)


def retry(chosen: QuerySet[Score] | Iterable[Score] | Score) -> int:
    """Send the resting ones of ``chosen`` again, and the waiting ones at once; lifts the blocks above them. Returns how many."""
    return revival.retry(_rows(chosen))


def send_again(chosen: QuerySet[Score] | Iterable[Score] | Score, *, overwrite_teachers: bool = False) -> int:
    """Send the delivered and the superseded ones of ``chosen`` once more, with a later timestamp. Returns how many are due.

    The platform is asked before each: what it shows already is not sent, and what somebody edited there stays. Where the
    tool may not read results nobody can ask, so nothing is sent.

    Args:
        chosen: at most some thousand at a time; the others of them stay as they are.
        overwrite_teachers: ask nothing, and overwrite whatever is there.
    """
    return resending.send_again(_rows(chosen), ask_first=not overwrite_teachers)


def cancel(chosen: QuerySet[Score] | Iterable[Score] | Score, *, reason: str) -> int:
    """Do not send those of ``chosen`` that nobody is sending just now. Returns how many.

    Raises:
        ValidationError: no reason given; it is kept with the score.
    """
    try:
        check_text("reason", reason, MAX_COMMENT)
    except InvalidScore as problem:
        raise _refusal(problem) from problem
    if not reason.strip():
        raise ValidationError({"reason": "Say why: it is what the next person reads."})
    return revival.cancel(_rows(chosen), reason.strip())


def follow_files(chosen: QuerySet[Score] | Iterable[Score] | Score) -> int:
    """Ask the platform again about files of ``chosen`` that failed, or that nobody could ask about. Returns how many.

    It hands nothing in: what Canvas could not fetch it does not fetch again. Record the submission with a new ``submitted_at`` for that.
    """
    return file_rows.follow_again(_rows(chosen))


def _rows(chosen: QuerySet[Score] | Iterable[Score] | Score) -> QuerySet[Score]:
    if isinstance(chosen, QuerySet) and not chosen.query.is_sliced and chosen.query.distinct_fields == ():
        return Score.objects.filter(pk__in=chosen.order_by().values_list("pk", flat=True))
    rows = [chosen] if isinstance(chosen, Score) else chosen
    return Score.objects.filter(pk__in=[row.pk for row in rows])


def _statement(item: Mapping[str, Any]) -> Statement:
    if not isinstance(item, Mapping):
        raise ValidationError(f"A score must be a mapping of its fields, not {type(item).__name__}.")
    unknown = set(item) - {"user_id", *_DEFAULTS}
    if unknown:
        known = f"Not a field of a score; the fields are user_id, {', '.join(_DEFAULTS)}."
        raise ValidationError({str(name): [known] for name in sorted(unknown, key=str)})
    values = {**_DEFAULTS, **item}
    keep = values.pop("keep")
    try:
        if keep not in KEEPS:
            raise InvalidScore("keep", keep, f"must be one of {', '.join(KEEPS)}")
        values = placed(values)
        if "user_id" not in item:
            raise InvalidScore("user_id", None, "a score needs its learner: the launch's sub")
        validate_score(**{**values, "scoring_user_id": None if values["scoring_user_id"] == "" else values["scoring_user_id"]})
    except InvalidScore as problem:
        raise _refusal(problem) from problem
    for name in ("score_given", "score_maximum"):
        values[name] = None if values[name] is None else float(values[name])
    for name, blank in (("comment", ""), ("scoring_user_id", ""), ("extensions", {})):
        values[name] = blank if values[name] is None else values[name]
    return Statement(
        **{**values, "activity_progress": str(values["activity_progress"]), "grading_progress": str(values["grading_progress"])}, keep=keep
    )


def _refusal(problem: InvalidScore) -> ValidationError:
    return ValidationError({problem.field: [str(problem)]})


def _examined(items: Iterable[tuple[int, Any]]) -> tuple[list[Statement], list[ValidationError]]:
    statements: list[Statement] = []
    errors: list[ValidationError] = []
    seen: dict[str, int] = {}
    for position, item in items:
        try:
            statement = _statement(item)
            if statement.user_id in seen:
                twice = InvalidScore("user_id", statement.user_id, f"given already by item {seen[statement.user_id]}")
                raise _refusal(twice) from twice
        except ValidationError as problem:
            text, cause = "; ".join(problem.messages), problem.__cause__
            params = {"position": position, "problem": text, "cause": cause if isinstance(cause, InvalidScore) else None}
            errors.append(ValidationError("Item %(position)s: %(problem)s", code="invalid", params=params))
        else:
            seen[statement.user_id] = position
            statements.append(statement)
    return statements, errors


def _shortened(errors: list[ValidationError]) -> list[ValidationError]:
    if len(errors) <= _ERRORS_SHOWN:
        return errors
    rest = ValidationError("… and %(count)s more", code="invalid", params={"count": len(errors) - _ERRORS_SHOWN})
    return [*errors[:_ERRORS_SHOWN], rest]
