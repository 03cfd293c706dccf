"""Which rows a command is about: the same options, and the same words for a mistake, in each of them.

All that is given must hold. What is named and not there, or named and not unique, is an error that says what
there is: a command that finds nothing must not look like one that found all in order.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

from django.core.management.base import CommandError
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from django_lti_ags.durations import parse
from django_lti_ags.management.registered import HOW, registered
from django_lti_ags.models import Context, LineItem, LiveAssessment, Score, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.launch_claims import storable

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Sequence

    from django.db.models import QuerySet

M = TypeVar("M", Context, LineItem, LiveAssessment)
_SHOWN: Final = 5
_AGO: Final = ("s", "m", "h", "d", "w")
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Further back lie times that other zones cannot say."""
_PLACES: Final = ("registration", "context", "line_item")


def add_place_arguments(parser: ArgumentParser) -> None:
    """Where: a platform, a course, columns."""
    parser.add_argument("--registration", metavar="NAME", help=f"Of this platform: the registration's {HOW}.")
    parser.add_argument("--context", metavar="UID", help="Of this course: its uid, or the id that the platform calls it by.")
    parser.add_argument("--line-item", metavar="UID", action="append", default=[], help="Of this column, by its uid. May be repeated.")


def add_score_arguments(parser: ArgumentParser, states: Sequence[SyncState]) -> None:
    """Which of the scores there."""
    add_place_arguments(parser)
    parser.add_argument("--user", metavar="ID", action="append", default=[], help="Of this learner: the launch's sub. May be repeated.")
    parser.add_argument(
        "--state", action="append", default=[], choices=[state.value for state in states], help="In this state. May be repeated."
    )
    parser.add_argument("--code", action="append", default=[], help="With this verdict, such as score_refused. May be repeated.")
    parser.add_argument(
        "--since", metavar="WHEN", help="Recorded or delivered since then: 2026-03-01, 2026-03-01T08:00+01:00, or 90m, 2h, 3d, 1w ago."
    )


def add_live_arguments(parser: ArgumentParser, states: Sequence[SyncState]) -> None:
    """Which live assessments."""
    parser.add_argument("--registration", metavar="NAME", help=f"Of this platform: the registration's {HOW}.")
    parser.add_argument("--context", metavar="UID", help="Of this course: its uid, or the id that the platform calls it by.")
    parser.add_argument("--assessment", metavar="UID", action="append", default=[], help="This one, by its uid. May be repeated.")
    parser.add_argument(
        "--state", action="append", default=[], choices=[state.value for state in states], help="In this state. May be repeated."
    )
    parser.add_argument("--code", action="append", default=[], help="With this verdict, such as outcome_not_linked. May be repeated.")


def live_assessments(options: dict[str, Any]) -> QuerySet[LiveAssessment]:
    """The live assessments that ``options`` choose.

    Raises:
        CommandError: nothing is chosen, or what is named is not there or not unique.
    """
    if not _given(options, ("registration", "context", "assessment", "state", "code")):
        raise CommandError(
            "Choose the assessments: --registration NAME, --context UID, --assessment UID, --state STATE or --code CODE. "
            "Several together must all hold."
        )
    rows = LiveAssessment.objects.select_related("context", "service__registration")
    places = {**options, "line_item": []}
    for condition in _places(places, registration_by="service__registration", context_by="context", column_by="pk"):
        rows = rows.filter(condition)
    if options["assessment"]:
        rows = rows.filter(pk__in=[_live_assessment(uid).pk for uid in options["assessment"]])
    for name in ("state", "code"):
        if options[name]:
            rows = rows.filter(**{f"{name}__in": options[name]})
    return rows.order_by("pk")


def line_items(options: dict[str, Any]) -> QuerySet[LineItem]:
    """The columns that ``options`` choose.

    Raises:
        CommandError: nothing is chosen, or what is named is not there or not unique.
    """
    if not _given(options, _PLACES):
        raise CommandError("Choose the columns: --registration NAME, --context UID or --line-item UID. Several together must all hold.")
    rows = LineItem.objects.select_related("context__deployment__registration__signing_key")
    for condition in _places(options, registration_by="context__deployment__registration", context_by="context", column_by="pk"):
        rows = rows.filter(condition)
    return rows.order_by("pk")


def scores(options: dict[str, Any]) -> QuerySet[Score]:
    """The scores that ``options`` choose, in no state in particular unless they name it.

    Raises:
        CommandError: nothing is chosen, or what is named is not there or not unique.
    """
    if not _given(options, (*_PLACES, "user", "state", "code", "since")):
        raise CommandError(
            "Choose the scores: --registration NAME, --context UID, --line-item UID, --user ID, --state STATE, --code CODE or "
            "--since WHEN. Several together must all hold."
        )
    rows = Score.objects.all()
    for condition in _places(options, registration_by="service__registration", context_by="line_item__context", column_by="line_item"):
        rows = rows.filter(condition)
    for name in ("user", "code"):
        for given in options[name]:
            if not storable(given):
                raise CommandError(f"--{name}: {given!r} has a NUL or a lone surrogate in it, which no text may.")
    if options["user"]:
        # With the column, as the unique index begins.
        columns = LineItem.objects.values("pk")
        rows = rows.filter(line_item__in=columns, user_digest__in=[digest(user) for user in options["user"]])
    if options["state"]:
        rows = rows.filter(state__in=options["state"])
    if options["code"]:
        rows = rows.filter(code__in=options["code"])
    if options["since"] is not None:
        moment = since(options["since"])
        rows = rows.filter(Q(recorded_at__gte=moment) | Q(delivered_at__gte=moment))
    return rows


def _given(options: dict[str, Any], names: Sequence[str]) -> bool:
    """Whether any of them is; a blank name is, and names nothing."""
    return any(options[name] not in (None, []) for name in names)


def _places(options: dict[str, Any], *, registration_by: str, context_by: str, column_by: str) -> list[Q]:
    found = []
    if options["registration"] is not None:
        found.append(Q(**{registration_by: registered(options["registration"])}))
    if options["context"] is not None:
        found.append(Q(**{context_by: context(options["context"])}))
    if options["line_item"]:
        found.append(Q(**{f"{column_by}__in": [line_item(uid).pk for uid in options["line_item"]]}))
    return found


def context(named: str) -> Context:
    """The course with this uid, or with this id at its platform.

    Raises:
        CommandError: there is none, or more than one.
    """
    named = _clean("--context", named)
    uid = _uuid(named)
    called = Q(context_id=named) if uid is None else Q(context_id=named) | Q(uid=uid)
    exact = [row for row in Context.objects.filter(called).order_by("pk") if named == row.context_id or row.uid == uid]
    return _only("--context", named, exact, lambda row: f"{row.uid} ({row})", Context.objects.all())


def line_item(named: str) -> LineItem:
    """The column with this uid.

    Raises:
        CommandError: there is none.
    """
    uid = _uuid(_clean("--line-item", named))
    found = [] if uid is None else list(LineItem.objects.filter(uid=uid))
    return _only("--line-item", named, found, lambda row: f"{row.uid} ({row})", LineItem.objects.all())


def _live_assessment(named: str) -> LiveAssessment:
    uid = _uuid(_clean("--assessment", named))
    found = [] if uid is None else list(LiveAssessment.objects.filter(uid=uid))
    return _only("--assessment", named, found, lambda row: f"{row.uid} ({row})", LiveAssessment.objects.all())


def since(text: str) -> datetime:
    """A moment: ISO 8601, in Django's time zone unless it names one; or so many minutes, hours, days or weeks ago.

    Raises:
        CommandError: it is none of these, or lies ahead.
    """
    now = timezone.now()
    try:
        if text.strip().endswith(_AGO):
            return now - timedelta(seconds=parse(text))
        moment = parse_datetime(text.strip())
        if moment is None and (day := parse_date(text.strip())) is not None:
            moment = parse_datetime(f"{day.isoformat()}T00:00")
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise CommandError(f"--since: {text!r} is no time. Give 2026-03-01, 2026-03-01T08:00+01:00, or 90m, 2h, 3d, 1w (ago).")
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    if moment < _EARLIEST:
        raise CommandError(f"--since: {text} lies before 1970.")
    if moment > now:
        raise CommandError(f"--since: {text} lies in the future.")
    return moment


def _clean(option: str, named: str) -> str:
    if not named.strip() or not storable(named):
        raise CommandError(f"{option}: {named!r} names nothing.")
    return named.strip()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _only(option: str, named: str, found: Sequence[M], told: Callable[[M], str], all_rows: QuerySet[M]) -> M:
    if len(found) == 1:
        return found[0]
    if found:
        listed = "; ".join(told(row) for row in found[:_SHOWN])
        raise CommandError(f"{option}: {named!r} names {len(found)}: {listed}{' …' if len(found) > _SHOWN else ''}. Name one of them.")
    there = "; ".join(told(row) for row in all_rows.order_by("-pk")[:_SHOWN])
    raise CommandError(f"{option}: there is no {named!r}. " + (f"The newest are: {there}." if there else "There are none yet."))
