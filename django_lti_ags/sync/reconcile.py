"""A column compared with what its platform shows, and put right where the tool may.

Reading comes first, without a lock: pages are kept as they come. Only a reading that reached its end is
compared, since who was not read is not missing. What is sent again is decided on locked rows, by the
version that was compared; and the platform is asked once more just before each, so that an edit that
was made meanwhile stays.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django_lti_ags import conf
from django_lti_ags.ags.vocabulary import SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY
from django_lti_ags.exceptions import AgsError, IncompleteReading
from django_lti_ags.models import Agreement, LineItem, Score, SyncState
from django_lti_ags.profiles.verdict import SUBMISSION_REFUSED
from django_lti_ags.sync import resending
from django_lti_ags.sync.comparing import Compared, Terms, compare
from django_lti_ags.sync.outbox_sql import database_now
from django_lti_ags.sync.resending import send_again
from django_lti_ags.sync.result_rows import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

WRONG: Final = (Agreement.DIFFERS, Agreement.MISSING)
"""What the tool may put right without being asked to overwrite anybody."""


class Policy(StrEnum):
    """What is done about what differs."""

    REPORT = "report"
    """Nothing."""
    RESEND = "resend"
    """It is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """How a column stands, and what was done about it."""

    line_item: LineItem
    policy: Policy
    dry_run: bool
    read: int
    """How many learners the platform listed."""
    counts: Mapping[Agreement, int]
    """Learners by agreement; only what occurs."""
    chosen: int
    """How many the policy would send again."""
    spent: int
    """How many it leaves alone: they were sent again three times since they were recorded, and are still not shown."""
    resent: int
    """How many it did make due; less than ``chosen`` if something was recorded for them meanwhile."""
    submissions_refused: int
    """How many of the failed ones are delivered themselves: what the platform refused is an earlier submission, and a person decides."""
    compared_at: datetime

    @property
    def is_in_order(self) -> bool:
        """Whether the gradebook shows what the tool delivered, apart from teachers' edits."""
        return not any(self.counts.get(agreement) for agreement in WRONG)


def reconcile(
    line_item: LineItem,
    *,
    policy: Policy,
    dry_run: bool,
    overwrite_teachers: bool,
    deadline_seconds: float | None,
    progress: Callable[[int], None] | None,
) -> Reconciliation:
    """Read, compare, send again; see :func:`django_lti_ags.results.reconcile`."""
    alias: str = conf.get("database")
    start_by = None if deadline_seconds is None else time.monotonic() + deadline_seconds
    reading = Reading(line_item)
    began = database_now(alias)
    read = _read_all(reading, start_by, progress)
    keeps = _column_keeps(reading, start_by)
    counts: Counter[Agreement] = Counter()
    chosen = spent = resent = 0
    for some in compare(Terms(line_item=line_item, profile=reading.profile, began=began, column_keeps=keeps)):
        counts += some.counts
        if policy is Policy.RESEND:
            versions = _wrong(some, overwrite_teachers=overwrite_teachers)
            tired = resending.spent(list(versions))
            versions = {pk: version for pk, version in versions.items() if pk not in tired}
            spent += len(tired)
            chosen += len(versions)
            resent += 0 if dry_run else _resend(versions, some, overwrite_teachers=overwrite_teachers)
    now = database_now(alias)
    LineItem.objects.using(alias).filter(pk=line_item.pk).update(compared_at=now)
    line_item.compared_at = now
    return Reconciliation(
        line_item=line_item,
        policy=policy,
        dry_run=dry_run,
        read=read,
        counts=dict(counts),
        chosen=chosen,
        spent=spent,
        resent=resent,
        submissions_refused=_submissions_refused(line_item, alias) if counts[Agreement.FAILED] else 0,
        compared_at=now,
    )


def _submissions_refused(line_item: LineItem, alias: str) -> int:
    rows = Score.objects.using(alias).filter(line_item=line_item, state=SyncState.FAILED, code=SUBMISSION_REFUSED)
    return rows.count()


def _read_all(reading: Reading, start_by: float | None, progress: Callable[[int], None] | None) -> int:
    read = 0
    try:
        for some in reading.batches(start_by=start_by):
            read += len(some)
            if progress is not None:
                progress(read)
    except AgsError as problem:
        raise IncompleteReading(read, problem) from problem
    return read


def _column_keeps(reading: Reading, start_by: float | None) -> bool:
    """Whether the column keeps scores at all; if that cannot be read, it is taken to."""
    scopes = reading.line_item.scopes
    if not reading.profile.drops_without_maximum or not {SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READONLY} & set(scopes):
        return True
    try:
        maximum = reading.client.get_line_item(reading.line_item.url, start_by=start_by).score_maximum
    except AgsError:
        return True
    finally:
        reading.keep_attempts()
    return maximum is None or maximum > 0


def _wrong(some: Compared, *, overwrite_teachers: bool) -> dict[int, int]:
    wanted = (*WRONG, Agreement.CHANGED_BY_TEACHER) if overwrite_teachers else WRONG
    return {pk: version for agreement in wanted for pk, version in some.versions.get(agreement, {}).items()}


def _resend(versions: dict[int, int], some: Compared, *, overwrite_teachers: bool) -> int:
    if not versions:
        return 0
    rows = Score.objects.using(conf.get("database")).filter(pk__in=list(versions))
    return send_again(rows, ask_first=not overwrite_teachers, versions=versions, shown=some.shown)
