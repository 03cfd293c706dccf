"""What a person can decide about many scores, carried out in portions and put down in the admin's journal."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from django_lti_ags import scores
from django_lti_ags.models import DECIDABLE, Score, SyncState
from django_lti_ags.sync.file_rows import with_files_to_follow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from django.db.models import Model, QuerySet

PORTION: Final = 500
"""So many scores one transaction changes."""
SECONDS: Final = 15.0
"""After so long a request ends, says how far it came, and offers to go on: no proxy in between gives up on it."""
COUNTED: Final = 100_000
"""No preview counts further."""
NAMED: Final = 100
"""Up to so many scores get an entry each in the journal; more of them share one."""
SCORES: Final = _("%(count)s scores")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One thing to decide; whom it may concern is the models' predicate, said as a query."""

    name: str
    title: Any
    meaning: Any
    """What it does, and what stays as it is."""
    button: Any
    done: Any
    """What is told afterwards: takes ``count``."""
    entry: Any
    """What stands in the journal: takes ``reason``."""
    possible: Q
    apply: Callable[[QuerySet[Any], str], int]
    asks_why: bool = False
    many: Any = SCORES
    """What many of its rows are called: takes ``count``."""
    template: str = "admin/lti_ags/decide.html"
    """The page that asks."""
    named_by: tuple[str, ...] = ("line_item",)
    """What a row's name is made of beside itself."""


def _follow_files(rows: QuerySet[Any]) -> int:
    """How many scores, not how many files: scores were chosen."""
    meant = list(rows.filter(with_files_to_follow()))
    scores.follow_files(meant)
    return len(meant)


DECISIONS: Final = {
    decision.name: decision
    for decision in (
        Decision(
            name="deliver",
            title=_("Deliver now"),
            meaning=_("Those that wait for a later try are due at once. What failed, is blocked, settled or being sent stays as it is."),
            button=_("Deliver them now"),
            done=ngettext_lazy("%(count)d score is due now.", "%(count)d scores are due now.", "count"),
            entry=_("Made due at once."),
            possible=Q(state=SyncState.PENDING),
            apply=lambda rows, reason: scores.retry(rows.filter(state=SyncState.PENDING)),
        ),
        Decision(
            name="retry",
            title=_("Send again"),
            meaning=_(
                "Those that failed or are blocked go out again, those that wait are due at once, and the blocks above them are lifted. "
                "What is settled or being sent stays as it is."
            ),
            button=_("Send them again"),
            done=ngettext_lazy("%(count)d score is due now.", "%(count)d scores are due now.", "count"),
            entry=_("Sent again."),
            possible=Q(state__in=DECIDABLE),
            apply=lambda rows, reason: scores.retry(rows),
        ),
        Decision(
            name="cancel",
            title=_("Do not send"),
            meaning=_(
                "Those that wait, failed or are blocked will not be sent to the platform any more; only recording them again brings them "
                "back. What is delivered or being sent stays as it is, and so does what is recorded from now on."
            ),
            button=_("Do not send them"),
            done=ngettext_lazy("%(count)d score will not be sent.", "%(count)d scores will not be sent.", "count"),
            entry=_("Cancelled: %(reason)s"),
            possible=Q(state__in=DECIDABLE),
            apply=lambda rows, reason: scores.cancel(rows, reason=reason),
            asks_why=True,
        ),
        Decision(
            name="follow_files",
            title=_("Ask about the files again"),
            meaning=_(
                "The platform is asked again about files that failed, or that nobody could ask about. Nothing is handed in: what the "
                "platform could not fetch it does not fetch again."
            ),
            button=_("Ask about their files"),
            done=ngettext_lazy(
                "The platform is asked again about the files of %(count)d score.",
                "The platform is asked again about the files of %(count)d scores.",
                "count",
            ),
            entry=_("Asked about the files again."),
            possible=Q(with_files_to_follow()),
            apply=lambda rows, reason: _follow_files(rows),
        ),
    )
}


class Order(NamedTuple):
    """A confirmed decision, and how far it has been carried out."""

    by: Any
    reason: str
    asked_at: datetime
    """When the question was asked, by the database's clock: what was recorded later was not meant."""
    after: int = 0
    """The key of the last score that was looked at."""
    done: int = 0


class Progress(NamedTuple):
    """What a request did of an order."""

    after: int
    done: int
    finished: bool


class Tally(NamedTuple):
    """How many a decision would concern, of how many chosen; counted up to :data:`COUNTED`."""

    possible: int
    chosen: int

    @property
    def is_whole(self) -> bool:
        """Whether the count came to its end."""
        return self.chosen <= COUNTED


def tally(rows: QuerySet[Any], decision: Decision) -> Tally:
    """Count ``rows``, no further than the preview says."""
    plain = rows.order_by()
    return Tally(plain.filter(decision.possible)[: COUNTED + 1].count(), plain[: COUNTED + 1].count())


def carry_out(rows: QuerySet[Any], decision: Decision, order: Order) -> Progress:
    """Decide so about ``rows``, through the public API, portion by portion, until all is done or the time is over."""
    until = monotonic() + SECONDS
    # Of a proxy's rows the decision may take some out of its sight.
    model: Any = rows.model._meta.concrete_model
    meant = rows.filter(decision.possible, recorded_at__lte=order.asked_at).order_by("pk")
    after, done, touched = order.after, order.done, list[int]()
    while True:
        pks = list(meant.filter(pk__gt=after).values_list("pk", flat=True)[:PORTION])
        if pks:
            some = model._default_manager.filter(pk__in=pks, recorded_at__lte=order.asked_at)
            count = decision.apply(some, _signed(order))
            after, done = pks[-1], done + count
            # Somebody was faster with some of them: then nobody knows with which.
            touched += pks if count == len(pks) else [0] * count
        finished = len(pks) < PORTION
        if finished or monotonic() > until:
            _put_down(order, decision, model, touched)
            return Progress(after, done, finished)


def told(decision: Decision, done: int, left: int) -> str:
    """The result in words."""
    text = str(decision.done % {"count": done})
    if left:
        text += " " + ngettext("%(left)d stays as it is.", "%(left)d stay as they are.", left) % {"left": left}
    return text


def _signed(order: Order) -> str:
    return f"{order.by}: {order.reason}"


def _put_down(order: Order, decision: Decision, model: type[Model], touched: Sequence[int]) -> None:
    message = str(decision.entry) % {"reason": order.reason}
    if not touched:
        return
    if len(touched) <= NAMED and all(touched) and not order.after:
        named = model._default_manager.filter(pk__in=touched)
        if decision.named_by:  # without a name all that a row refers to would be joined
            named = named.select_related(*decision.named_by)
        LogEntry.objects.log_actions(order.by.pk, named, CHANGE, message)
    else:
        put_down_many(order.by.pk, len(touched), message, decision.many, model)


def put_down_many(user_id: Any, count: int | str, message: str, many: Any = SCORES, model: type[Model] = Score) -> None:
    """One entry for many rows; ``many`` names them, with their ``count``."""
    LogEntry.objects.create(
        user_id=user_id,
        content_type=ContentType.objects.get_for_model(model),
        object_id=None,
        object_repr=str(many) % {"count": count},
        action_flag=CHANGE,
        change_message=message,
    )
