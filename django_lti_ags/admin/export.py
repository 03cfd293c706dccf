"""Scores as CSV or JSON lines, streamed: a million rows in the memory of one portion.

Portions are found by key, not by a cursor: MariaDB's would hold the whole result in memory, and
PostgreSQL's would hold a transaction open as long as somebody downloads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.utils import timezone, translation

from django_lti_ags.admin.concealing import Concealer
from django_lti_ags.admin.learners import Learner, may_see, shown
from django_lti_ags.exporting import TYPES, exported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
    from datetime import datetime

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from django_lti_ags.models import Score

PORTION: Final = 1000
_COLUMNS: Final = (
    "uid",
    "learner",
    "registration",
    "course",
    "line_item",
    "line_item_uid",
    "score_given",
    "score_maximum",
    "comment",
    "activity_progress",
    "grading_progress",
    "state",
    "code",
    "detail",
    "tries",
    "version",
    "recorded_at",
    "due_at",
    "delivered_version",
    "delivered_given",
    "delivered_maximum",
    "delivered_at",
)
_IDENTITY: Final = ("issuer", "user_id")
"""Only for whoever may see learners."""


def response(request: HttpRequest, rows: QuerySet[Score], kind: str) -> StreamingHttpResponse:
    """``rows``, newest first, as a file to be saved."""
    return file(request, "scores", kind, exported(kind, columns(request), _portions(request, rows)))


def file(request: HttpRequest, name: str, kind: str, lines: Iterator[str]) -> StreamingHttpResponse:
    """``lines`` as a file that is called after ``name`` and the time."""
    streamed: Any = _awaited(lines) if isinstance(request, ASGIRequest) else lines
    name = f"{name}-{timezone.now():%Y%m%d-%H%M%S}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(streamed, content_type=TYPES[kind], headers=headers)


def columns(request: HttpRequest) -> tuple[str, ...]:
    """What is exported to whoever asks."""
    return (*_COLUMNS, *_IDENTITY) if may_see(request) else _COLUMNS


def _portions(request: HttpRequest, rows: QuerySet[Score]) -> Iterator[list[dict[str, Any]]]:
    language = translation.get_language() or "en"
    related = rows.select_related("line_item__context", "service__registration").order_by("-pk")
    portion = list(related[:PORTION])
    while portion:
        # The stream outlives the request, and with it the language of whoever asked.
        with translation.override(language):
            records = _records(request, portion)
        yield records
        portion = list(related.filter(pk__lt=portion[-1].pk)[:PORTION]) if len(portion) == PORTION else []


def _records(request: HttpRequest, portion: Iterable[Score]) -> list[dict[str, Any]]:
    people = {row.pk: Learner(row.registration.issuer, row.user_id) for row in portion}
    names = shown(request, people.values())
    wanted = columns(request)
    return [_record(row, names, people[row.pk], Concealer(request, [people[row.pk]]), wanted) for row in portion]


def _record(row: Score, names: Mapping[Learner, str], learner: Learner, concealer: Concealer, wanted: Iterable[str]) -> dict[str, Any]:
    told = {
        "uid": str(row.uid),
        "learner": names[learner],
        "registration": str(row.registration),
        "course": str(row.line_item.context),
        "line_item": str(row.line_item),
        "line_item_uid": str(row.line_item.uid),
        "comment": concealer.free(row.comment),
        "detail": concealer.text(row.detail),
        "issuer": learner.issuer,
        "user_id": learner.user_id,
    }
    return {name: told[name] if name in told else _plain(getattr(row, name)) for name in wanted}


def _plain(value: Any) -> Any:
    moment: datetime | None = value if hasattr(value, "isoformat") else None
    return value if moment is None else moment.isoformat()


async def _awaited(lines: Iterator[str]) -> AsyncIterator[str]:
    """The same under ASGI, where Django would read a plain iterator to its end before it sends the first line."""
    one_more = sync_to_async(_next)
    while (line := await one_more(lines)) is not None:
        yield line


def _next(lines: Iterator[str]) -> str | None:
    return next(lines, None)
