"""Forget a learner: every row about them goes, and every other row that names them is made not to.

A learner is who their platform says: one ``sub``, at the registrations of one issuer, byte for byte. A score that
is being sent just now goes too; the worker that sends it finds no row when it finishes, and walks away.

Each step is a transaction of its own, and everything may be run again. What names the learner in the admin's
history changes first, since it is found by the rows that go.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.db import transaction
from django.db.models import Model, QuerySet

from django_lti_ags import conf
from django_lti_ags.models import (
    DeliveryAttempt,
    Event,
    LineItem,
    PendingScore,
    QueuedSubmission,
    Result,
    Score,
    Service,
    SubmittedFile,
    SyncState,
    WebhookDelivery,
)
from django_lti_ags.models.identity import digest
from django_lti_ags.sync import launch_forgetting, live_forgetting
from django_lti_ags.sync.mentions import FORGOTTEN, Mentions
from django_lti_ags.sync.outbox_sql import in_transaction, locked, portions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from django_lti_ags.models import Registration

_COLUMNS: Final = 200
_WINDOW: Final = 500
_TEXTS: Final = ("url", "request_body", "response_body", "detail", "reason")
_WHOLE: Final = ("request_body", "response_body", "detail", "reason")
"""What stands beside the id in these may tell as much as the id."""
_HEADERS: Final = ("request_headers", "response_headers")

_ABOUT_SCORES: Final[dict[str, type[Model]]] = {
    "attempts": DeliveryAttempt,
    "events": Event,
    "submissions": QueuedSubmission,
    "files": SubmittedFile,
    "webhooks": WebhookDelivery,
}

KINDS: Final = (
    "scores",
    "results",
    "live_results",
    "attempts",
    "events",
    "submissions",
    "files",
    "launches",
    "webhooks",
    "being_sent",
    "graded_by",
    "naming_attempts",
    "naming_launches",
    "log_entries",
)
"""What is counted: rows that go (of the scores, live results and messages, those that are being sent just now), and rows that change."""


class Forgetting:
    """The forgetting of one learner.

    Args:
        registrations: all that know the learner by this id.
        user_id: the ``sub``; or the number that Canvas has for the user, which live results go by.
        dry_run: count only.
        told: is called after each step with the counts so far.
    """

    def __init__(
        self,
        registrations: Sequence[Registration],
        user_id: str,
        *,
        dry_run: bool,
        told: Callable[[Counter[str]], None] = lambda counts: None,
    ) -> None:
        self._alias: str = conf.get("database")
        self._registrations = [registration.pk for registration in registrations]
        self._user_id = user_id
        self._mentions = Mentions(user_id)
        self._dry_run = dry_run
        self._told = told
        self.counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))

    def run(self) -> Counter[str]:
        """Forget, or count; the rows by kind."""
        for columns in self._columns():
            self._forget_portion(columns)
            for model in (Score, Result):
                for found in self._graded_by(model, columns):
                    self.counts["graded_by"] += found
            self.counts["graded_by"] += self._graded_earlier(columns)
            self._told(self.counts)
        for found, being_sent in live_forgetting.forget(self._registrations, self._user_id, self._alias, dry_run=self._dry_run):
            self.counts["live_results"] += found
            self.counts["being_sent"] += being_sent
            self._told(self.counts)
        mine = launch_forgetting.forget(self._registrations, self._user_id, self._mentions, self._alias, dry_run=self._dry_run)
        for gone, naming in mine:
            self.counts["launches"] += gone
            self.counts["naming_launches"] += naming
            self._told(self.counts)
        for found in self._attempts_that_name():
            self.counts["naming_attempts"] += found
            self._told(self.counts)
        return self.counts

    def _columns(self) -> Iterator[list[int]]:
        """The line items, some at a time: their scores are found by (line item, learner)."""
        rows = LineItem.objects.using(self._alias).filter(context__deployment__registration__in=self._registrations).order_by("pk")
        last = 0
        while pks := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:_COLUMNS]):
            last = pks[-1]
            yield pks

    def _forget_portion(self, columns: Sequence[int]) -> None:
        """Begun again where it waits for somebody who prunes, and they for it, and the database ends this one."""
        before = self.counts.copy()

        def forget() -> None:
            self.counts = before.copy()
            self._forget_rows(columns)

        in_transaction(forget, self._alias)

    def _forget_rows(self, columns: Sequence[int]) -> None:
        """The learner's own rows in ``columns``; locked in the order in which everybody locks them."""
        mine = {"line_item__in": columns, "user_digest": digest(self._user_id)}
        order = ("line_item", "user_digest")
        scores = list(locked(Score.objects.using(self._alias).filter(**mine).order_by(*order)))
        results = list(locked(Result.objects.using(self._alias).filter(**mine).order_by(*order)))
        pks: dict[type[Score | Result], list[int]] = {Score: [row.pk for row in scores], Result: [row.pk for row in results]}
        self.counts["scores"] += len(scores)
        self.counts["results"] += len(results)
        self.counts["being_sent"] += sum(row.state == SyncState.SENDING for row in scores)
        for kind, model in _ABOUT_SCORES.items():
            self.counts[kind] += model._default_manager.using(self._alias).filter(score__in=pks[Score]).count()
        if not self._dry_run:
            self._hold_what_is_sent(pks[Score])
        messages = WebhookDelivery.objects.using(self._alias).filter(score__in=pks[Score])
        # They are in a worker's memory: nobody takes them back.
        self.counts["being_sent"] += messages.filter(state=SyncState.SENDING).count()
        self._clean_log(pks)
        if not self._dry_run:
            # With all that refers to them, whatever that may be.
            Score.objects.using(self._alias).filter(pk__in=pks[Score]).delete()
            Result.objects.using(self._alias).filter(pk__in=pks[Result]).delete()

    def _hold_what_is_sent(self, scores: list[int]) -> None:
        """Wait for whoever finishes a message or a file of theirs: its attempt is not there yet, and would refer to a row that is gone."""
        for model in (SubmittedFile, WebhookDelivery):
            rows: Any = model.objects.using(self._alias)
            # By key alone: InnoDB would take the other index's locks first, and deadlock with a finish.
            for some in portions(sorted(rows.filter(score__in=scores).values_list("pk", flat=True))):
                list(locked(rows.filter(pk__in=some).order_by("pk").only("pk")))

    def _clean_log(self, pks: dict[type[Score | Result], list[int]]) -> None:
        """What the admin's history says of the rows: it repeats their names."""
        if not apps.is_installed("django.contrib.admin"):
            return
        entries: Any = apps.get_model("admin", "LogEntry")._default_manager
        types: Any = apps.get_model("contenttypes", "ContentType").objects
        for model, gone in ((Score, pks[Score]), (PendingScore, pks[Score]), (Result, pks[Result])):
            kind = types.get_for_model(model, for_concrete_model=False)
            for entry in entries.filter(content_type=kind, object_id__in=[str(pk) for pk in gone]).exclude(object_repr=FORGOTTEN):
                self.counts["log_entries"] += 1
                entry.object_repr = FORGOTTEN
                entry.change_message = self._mentions.without(entry.change_message)
                if not self._dry_run:
                    entry.save(update_fields=["object_repr", "change_message"])

    def _graded_by(self, model: type[Score | Result], columns: Sequence[int]) -> Iterator[int]:
        """Others' rows that say that the learner graded them: that is blanked."""
        rows: QuerySet[Any] = model._default_manager.using(self._alias).order_by("pk")
        # A database may take "a" for "A", and "a " for "a".
        like = rows.filter(line_item__in=columns, scoring_user_id=self._user_id)
        last = 0
        while window := list(like.filter(pk__gt=last).values_list("pk", "scoring_user_id", "user_digest")[:_WINDOW]):
            last = window[-1][0]
            mine = [pk for pk, by, of in window if by == self._user_id and not (self._dry_run and of == digest(self._user_id))]
            if not self._dry_run:
                rows.filter(pk__in=mine).update(scoring_user_id="")
            yield len(mine)

    def _graded_earlier(self, columns: Sequence[int]) -> int:
        """The same for what waits in others' queues."""
        rows = QueuedSubmission.objects.using(self._alias).filter(score__line_item__in=columns, payload__scoring_user_id=self._user_id)
        with transaction.atomic(using=self._alias):
            mine = [row for row in locked(rows.order_by("pk")) if row.payload["scoring_user_id"] == self._user_id]
            own = set(Score.objects.using(self._alias).filter(user_digest=digest(self._user_id)).values_list("pk", flat=True))
            for row in mine:
                row.payload = {**row.payload, "scoring_user_id": ""}
                if not self._dry_run:
                    row.save(using=self._alias, update_fields=["payload"])
        return sum(row.score_id not in own for row in mine)

    def _attempts_that_name(self) -> Iterator[int]:
        """Others' attempts that name the learner: readings of whole columns, what a platform said, who graded."""
        services = list(Service.objects.using(self._alias).filter(registration__in=self._registrations).values_list("pk", flat=True))
        rows = DeliveryAttempt.objects.using(self._alias).filter(service__in=services).order_by("pk")
        last = 0
        while pks := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:_WINDOW]):
            last = pks[-1]
            candidates = rows.filter(self._mentions.candidates(_TEXTS), pk__in=pks)
            yield in_transaction(partial(self._clean_attempts, candidates), self._alias)

    def _clean_attempts(self, candidates: QuerySet[DeliveryAttempt]) -> int:
        naming = [
            row
            for row in locked(candidates.select_related("webhook"))
            if any(self._mentions.named_in(getattr(row, name)) for name in _TEXTS)
        ]
        if self._dry_run:
            # Those of the learner's own scores are counted with them.
            own = Score.objects.using(self._alias).filter(user_digest=digest(self._user_id))
            scores = [row.score_id if row.webhook is None else row.webhook.score_id for row in naming]
            gone = set(own.filter(pk__in=set(scores) - {None}).values_list("pk", flat=True))
            return sum(score not in gone for score in scores)
        for row in naming:
            row.url = self._mentions.without(row.url)
            _blank(row, (name for name in _WHOLE if self._mentions.named_in(getattr(row, name))))
            for name in _HEADERS:
                setattr(row, name, self._mentions.without_in(getattr(row, name)))
            row.save(using=self._alias, update_fields=[*_TEXTS, *_HEADERS])
        return len(naming)


def _blank(row: Model, names: Iterable[str]) -> None:
    for name in names:
        setattr(row, name, FORGOTTEN)
