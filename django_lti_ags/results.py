"""Read what the platforms show, and compare it with what the tool said.

::

    for result in results.fetch(line_item):
        print(result.user_id, result.result_score, result.result_maximum)

    found = results.reconcile(line_item)
    print(found.counts)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_lti_ags.models import Agreement, Result
from django_lti_ags.sync import reconcile as reconciling
from django_lti_ags.sync.reconcile import Policy, Reconciliation
from django_lti_ags.sync.result_rows import Reading, forget_unseen

if TYPE_CHECKING:
    from collections.abc import Callable

    from django_lti_ags.models import LineItem

__all__ = ["Agreement", "Policy", "Reconciliation", "fetch", "reconcile"]


def fetch(line_item: LineItem, *, user_id: str | None = None) -> list[Result]:
    """Ask the platform for a column's results, all pages, and keep them; returns what it shows now.

    A learner whose result is no longer shown keeps a row without a score. Do not call it inside a
    transaction: it waits for the platform.

    Args:
        line_item: the column.
        user_id: only this learner's.

    Raises:
        NoLineItem: the column is not at the platform yet.
        MissingScope: the platform does not let the tool read results.
        ExchangeFailed: no usable answer; it carries the exchanges, and they are kept as attempts. What was read before stays.
    """
    shown = {row.user_digest: row for some in Reading(line_item).batches(user_id=user_id) for row in some}
    forget_unseen(line_item, set(shown), user_id)
    return [shown[key] for key in sorted(shown)]


def reconcile(
    line_item: LineItem,
    *,
    policy: Policy | str = Policy.REPORT,
    dry_run: bool = False,
    overwrite_teachers: bool = False,
    deadline_seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Reconciliation:
    """Compare a column with what the platform shows, and send again what is missing or differs, if ``policy`` says so.

    Every learner gets an :class:`Agreement`, which is kept with the Result. A divergence is told once: as an Event and by
    the signal ``result_diverged``. Do not call it inside a transaction: it waits for the platform.

    Args:
        line_item: the column.
        policy: ``report`` changes nothing but the Results; ``resend`` makes due what is missing or differs. The platform is
            asked once more before each is sent: what somebody edited meanwhile stays.
        dry_run: read, compare and count, but make nothing due.
        overwrite_teachers: with ``resend``: also what a teacher changed, whatever is there by then.
        deadline_seconds: request nothing more after so many seconds; a reading that has not ended by then is incomplete.
        progress: is given the number of learners read, now and then.

    Raises:
        ValueError: there is no such policy, or overwriting is asked for without sending.
        NoLineItem: the column is not at the platform yet.
        MissingScope: the platform does not let the tool read results.
        IncompleteReading: a page could not be read, so nothing was compared and nothing is due; the exchanges are kept as
            attempts, and so is what was read.
    """
    chosen = _policy(policy)
    if overwrite_teachers and chosen is not Policy.RESEND:
        raise ValueError("overwrite_teachers needs policy='resend': a report overwrites nothing.")
    return reconciling.reconcile(
        line_item,
        policy=chosen,
        dry_run=dry_run,
        overwrite_teachers=overwrite_teachers,
        deadline_seconds=deadline_seconds,
        progress=progress,
    )


def _policy(policy: Policy | str) -> Policy:
    try:
        return Policy(policy)
    except ValueError:
        raise ValueError(f"There is no policy {policy!r}; there are {' and '.join(Policy)}.") from None
