"""A Canvas course's outcome rollups as a table: learners × outcomes, with what was reached and whether that is mastery.

Read through: each page is asked of Canvas when it is opened, and nothing of it is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_lti_ags import outcome_records, outcomes
from django_lti_ags.admin.columns import plain_number
from django_lti_ags.admin.learners import Learner, may_see, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.http import HttpRequest, QueryDict

    from django_lti_ags.canvas import Listing, Outcome, OutcomeRollup, OutcomeRollupScore, Page
    from django_lti_ags.models import Context

LEARNERS: Final = 25
"""So many are on a page: of Canvas, and so of ours."""
_PAGE: Final = re.compile("[1-9][0-9]{0,3}")
_ID: Final = re.compile("[1-9][0-9]{0,18}(?:~[1-9][0-9]{0,18})?")
_PATIENCE_SECONDS: Final = 5.0
"""How long a person waits for a throttled Canvas, beside the request itself."""
STATISTICS: Final = {"mean": _("Mean of the course"), "median": _("Median of the course")}
ASCENDING: Final = "asc"
DESCENDING: Final = "desc"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants to see."""

    page: int = 1
    sort: str = ""
    """The outcome by whose score learners are sorted; blank: as Canvas lists them."""
    order: str = ASCENDING
    statistic: str = ""
    """Of the whole course, instead of its learners; blank: the learners."""

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        """What an address says; what makes no sense in it is not asked."""
        page, sort, statistic = (query.get(name, "") for name in ("page", "sort", "of"))
        return cls(
            page=int(page) if _PAGE.fullmatch(page) else 1,
            sort=sort if _ID.fullmatch(sort) else "",
            order=DESCENDING if query.get("order") == DESCENDING else ASCENDING,
            statistic=statistic if statistic in STATISTICS else "",
        )

    def query(self, page: int) -> str:
        """The address of another page of the same."""
        return f"?page={page}{f'&sort={self.sort}&order={self.order}' if self.sort else ''}"


@dataclass(frozen=True, slots=True)
class Heading:
    """An outcome, and how to sort by it."""

    title: str
    scale: str
    sort: str
    """The query that sorts by it, or the other way round."""
    sorted: str
    """``ascending``, ``descending`` or blank, as ARIA says it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a learner reached in an outcome."""

    text: str
    verdict: str
    level: str
    state: str
    """``mastered``, ``below`` or ``unknown``: the colour, which :attr:`verdict` says in words."""


@dataclass(frozen=True, slots=True)
class Row:
    """A learner, once for each section."""

    name: str
    section: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True, slots=True)
class Table:
    """A page of the course."""

    headings: Sequence[Heading]
    rows: Sequence[Row]
    has_sections: bool
    """Whether the sections tell rows apart."""
    count: int | None
    previous: str
    following: str


def table(request: HttpRequest, context: Context, asked: Asked) -> Table:
    """The page that is ``asked`` for.

    Raises:
        LtiAgsError: it cannot be asked, or Canvas did not tell.
    """
    page = next(_listing(request, context, asked, page=asked.page).pages())
    names = names_on(request, context, page)
    of_all = str(STATISTICS.get(asked.statistic, ""))
    sections = {rollup.links.section for rollup in page.items}
    return Table(
        headings=[_heading(outcome, asked) for outcome in page.linked.outcomes],
        rows=[_row(page.linked.outcomes, rollup, names.get(rollup.links.user or "", of_all)) for rollup in page.items],
        has_sections=len(sections) > 1,
        count=None if of_all else page.count,
        previous=asked.query(asked.page - 1) if asked.page > 1 and not asked.statistic else "",
        following=asked.query(asked.page + 1) if _has_more(page, asked) else "",
    )


def _has_more(page: Page[OutcomeRollup], asked: Asked) -> bool:
    if asked.statistic:
        return False
    if page.count is not None:
        return asked.page * LEARNERS < page.count
    return len({rollup.links.user for rollup in page.items}) >= LEARNERS


def columns(request: HttpRequest) -> tuple[str, ...]:
    """What is exported to whoever asks: ids only to whoever may see learners."""
    return tuple(name for name in outcome_records.ROLLUP_COLUMNS if name != "user_id" or may_see(request))


def records(request: HttpRequest, context: Context, asked: Asked) -> Iterator[list[dict[str, Any]]]:
    """The whole course, page by page, as it is exported.

    Raises:
        LtiAgsError: it cannot be asked, or Canvas did not tell.
    """
    wanted = columns(request)
    for page in _listing(request, context, asked).pages():
        names = names_on(request, context, page)
        found = outcome_records.rollup_records(page, names.__getitem__)
        yield [{name: record[name] for name in wanted} for record in found]


def names_on(request: HttpRequest, context: Context, page: Page[OutcomeRollup]) -> dict[str, str]:
    """What the page's learners are called: as the tool knows them, else as Canvas does, and only to whoever may see them."""
    issuer = context.deployment.registration.issuer
    people = {rollup.links.user: Learner(issuer, rollup.links.user) for rollup in page.items if rollup.links.user}
    known = shown(request, people.values())
    told = outcome_records.names_of(page.linked) if may_see(request) else {}
    return {
        user_id: f"{told[user_id]} ({user_id})" if known[learner] == user_id and told.get(user_id) else known[learner]
        for user_id, learner in people.items()
    }


def _listing(request: HttpRequest, context: Context, asked: Asked, *, page: int | None = None) -> Listing[OutcomeRollup]:
    if asked.statistic:
        return outcomes.rollups(
            context,
            include=["outcomes"],
            aggregate="course",
            aggregate_stat=asked.statistic,
            add_defaults=True,
            patience_seconds=_PATIENCE_SECONDS,
        )
    include = ["outcomes", "users"] if may_see(request) else ["outcomes"]
    sorting: dict[str, Any] = {"sort_by": "outcome", "sort_outcome_id": asked.sort, "sort_order": asked.order} if asked.sort else {}
    return outcomes.rollups(
        context, include=include, add_defaults=True, per_page=LEARNERS, page=page, patience_seconds=_PATIENCE_SECONDS, **sorting
    )


def _heading(outcome: Outcome, asked: Asked) -> Heading:
    chosen = outcome.id == asked.sort
    other = DESCENDING if chosen and asked.order == ASCENDING else ASCENDING
    scale = ""
    if outcome.mastery_points is not None and outcome.points_possible is not None:
        told = {"mastery": plain_number(outcome.mastery_points), "most": plain_number(outcome.points_possible)}
        scale = gettext("mastered from %(mastery)s of %(most)s") % told
    return Heading(
        title=outcome_records.title(outcome) or outcome.id,
        scale=scale,
        sort=f"?sort={outcome.id}&order={other}",
        sorted="" if not chosen else ("ascending" if asked.order == ASCENDING else "descending"),
    )


def _row(listed: Sequence[Outcome], rollup: OutcomeRollup, name: str) -> Row:
    scores = {score.outcome: score for score in rollup.scores}
    cells = [_cell(outcome, scores[outcome.id]) if outcome.id in scores else None for outcome in listed]
    return Row(name, rollup.links.section or "", cells)


def _cell(outcome: Outcome, score: OutcomeRollupScore) -> Cell | None:
    if score.score is None:
        return None
    mastered = outcome_records.is_mastered(outcome, score.score)
    state, verdict = "unknown", ""
    if mastered is not None:
        state, verdict = ("mastered", gettext("Mastered")) if mastered else ("below", gettext("Not mastered"))
    return Cell(
        text="" if score.hide_points else plain_number(score.score),
        verdict=verdict,
        level=outcome_records.level(outcome, score.score),
        state=state,
    )
