"""A column as people think of it: every learner, what the tool said, what the platform shows, and how the two stand.

A page is found by learner, never by counting rows before it, so that the last page of a large course costs
what the first does. Totals stop at :data:`MOST`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.utils.formats import number_format
from django.utils.translation import gettext

from django_lti_ags.admin import learners
from django_lti_ags.admin.readonly import advice_for
from django_lti_ags.models import OPEN, RESTING, Agreement, DeliveryAttempt, Result, Score, SyncState
from django_lti_ags.models.identity import digest
from django_lti_ags.sync.agreeing import UNDER_WAY
from django_lti_ags.sync.resending import SENDABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest, QueryDict

    from django_lti_ags.models import LineItem

PAGE: Final = 100
MOST: Final = 20_000
"""So many scores are counted, and no more."""

COMPARED: Final = (Agreement.IN_SYNC, Agreement.DIFFERS, Agreement.MISSING, Agreement.CHANGED_BY_TEACHER, Agreement.NOT_KEPT)
"""What only a comparison can say."""

_STATES: Final = {
    Agreement.WAITING: OPEN,
    Agreement.BLOCKED: (SyncState.BLOCKED,),
    Agreement.FAILED: (SyncState.FAILED,),
    Agreement.CANCELLED: (SyncState.CANCELLED,),
}
_SHA: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Row:
    """One learner in the column."""

    name: str
    score: Score | None
    result: Result | None
    agreement: Agreement | None
    attempt: DeliveryAttempt | None

    @property
    def said(self) -> str:
        """The tool's score."""
        return "" if self.score is None else fraction(self.score.score_given, self.score.score_maximum)

    @property
    def shown(self) -> str:
        """The platform's, as last read."""
        if self.result is None or self.result.result_score is None:
            return ""
        return fraction(self.result.result_score, self.result.result_maximum)

    @property
    def verdict(self) -> str:
        """What the last attempt meant, in words."""
        if self.attempt is None:
            return ""
        return advice_for(self.attempt.code) or self.attempt.failure or str(self.attempt.status or "")


@dataclass(frozen=True, slots=True)
class Total:
    """How many learners stand so."""

    agreement: Agreement
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some learners, and where the others are."""

    rows: Sequence[Row]
    previous: str
    """The query of the page before; blank: there is none."""
    following: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants to see of a column."""

    learner: str = ""
    agreement: Agreement | None = None
    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, query: QueryDict, *, may_search: bool) -> Asked:
        """What an address says; what makes no sense in it is not asked."""
        agreement = query.get("agreement", "")
        places = {name: query.get(name, "") if _SHA.fullmatch(query.get(name, "")) else "" for name in ("after", "before")}
        return cls(
            learner=query.get("learner", "").strip().replace("\x00", "") if may_search else "",
            agreement=Agreement(agreement) if agreement in Agreement.values else None,
            **places,
        )

    def rest(self) -> str:
        """The part of a page's address that stays when the page is turned."""
        return f"&agreement={self.agreement.value}" if self.agreement else ""


def page(request: HttpRequest, line_item: LineItem, asked: Asked) -> Page:
    """The learners that are ``asked`` for, at most :data:`PAGE`."""
    sides = [rows.filter(line_item=line_item) for rows in _sides(asked)]
    if asked.learner:
        sides = [rows.filter(user_digest=digest(asked.learner)) for rows in sides]
    if asked.before:
        found = _digests([rows.filter(user_digest__lt=asked.before).order_by("-user_digest") for rows in sides], backwards=True)
        has_previous, has_following, chosen = len(found) > PAGE, True, found[:PAGE][::-1]
    else:
        found = _digests([rows.filter(user_digest__gt=asked.after).order_by("user_digest") for rows in sides], backwards=False)
        has_previous, has_following, chosen = bool(asked.after), len(found) > PAGE, found[:PAGE]
    rest = asked.rest()
    return Page(
        rows=_rows(request, line_item, chosen, asked.agreement),
        previous=f"?before={chosen[0]}{rest}" if has_previous and chosen else "",
        following=f"?after={chosen[-1]}{rest}" if has_following and chosen else "",
    )


def totals(line_item: LineItem, asked: Asked) -> tuple[list[Total], bool]:
    """How many learners stand how, in the order of what wants a person; and whether there are more than are counted."""
    states = Score.objects.filter(line_item=line_item)[:MOST]
    by_state = states.aggregate(**{state.value: Count("pk", filter=Q(state=state)) for state in SyncState})
    compared = Result.objects.filter(_compared(), line_item=line_item)[:MOST]
    counts = compared.aggregate(**{one.value: Count("pk", filter=Q(agreement=one)) for one in COMPARED})
    arrived = sum(by_state[state.value] for state in SENDABLE)
    counts[Agreement.NOT_COMPARED.value] = max(0, arrived - sum(counts.values()))
    for agreement, some in _STATES.items():
        counts[agreement.value] = sum(by_state[state.value] for state in some)
    counts[Agreement.ONLY_AT_PLATFORM.value] = _only_there().filter(line_item=line_item)[:MOST].count()
    listed = [Total(one, counts[one.value], one is asked.agreement) for one in Agreement if counts[one.value] or one is asked.agreement]
    return listed, max(sum(by_state.values()), counts[Agreement.ONLY_AT_PLATFORM.value]) >= MOST


def resting(line_item: LineItem) -> QuerySet[Score]:
    """The column's scores that a person may send again."""
    return Score.objects.filter(line_item=line_item, state__in=RESTING)


def agreement_of(score: Score | None, result: Result | None) -> Agreement | None:
    """How they stand, as far as it is known now: what changed after the comparison is not compared."""
    if score is None:
        return None if result is None or result.result_score is None else Agreement.ONLY_AT_PLATFORM
    under_way = UNDER_WAY.get(SyncState(score.state))
    if under_way is not None:
        return under_way
    if result is None or result.compared_at is None or result.read_at > result.compared_at or result.agreement not in COMPARED:
        return Agreement.NOT_COMPARED
    return Agreement(result.agreement) if result.compared_version == score.version else Agreement.NOT_COMPARED


def fraction(given: float | None, maximum: float | None) -> str:
    """A score as a person reads it, with every digit that tells."""
    if given is None:
        return gettext("cleared")
    return " / ".join("" if number is None else plain_number(number) for number in (given, maximum))


def plain_number(value: float) -> str:
    """As the reader's language writes it, with every digit that tells: rounding would show 99.99999 as a full score."""
    return number_format(int(value) if value.is_integer() else value)


def _compared() -> Q:
    """Of results: the comparison still holds, as :func:`agreement_of` says it."""
    scores = Score.objects.filter(
        line_item=OuterRef("line_item"), user_digest=OuterRef("user_digest"), state__in=SENDABLE, version=OuterRef("compared_version")
    )
    return Q(Exists(scores), agreement__in=COMPARED, read_at__lte=F("compared_at"))


def _only_there() -> QuerySet[Result]:
    scores = Score.objects.filter(line_item=OuterRef("line_item"), user_digest=OuterRef("user_digest"))
    return Result.objects.filter(~Exists(scores), result_score__isnull=False)


def _sides(asked: Asked) -> list[QuerySet[Any]]:
    """Where the learners are that are asked for: among the scores, the results, or both."""
    if asked.agreement is None:
        return [Score.objects.all(), Result.objects.filter(result_score__isnull=False)]
    if asked.agreement in _STATES:
        return [Score.objects.filter(state__in=_STATES[asked.agreement])]
    if asked.agreement == Agreement.ONLY_AT_PLATFORM:
        return [_only_there()]
    if asked.agreement == Agreement.NOT_COMPARED:
        compared = Result.objects.filter(_compared_with(OuterRef("version")), line_item=OuterRef("line_item"))
        return [Score.objects.filter(~Exists(compared.filter(user_digest=OuterRef("user_digest"))), state__in=SENDABLE)]
    return [Result.objects.filter(_compared(), agreement=asked.agreement)]


def _compared_with(version: OuterRef) -> Q:
    return Q(agreement__in=COMPARED, read_at__lte=F("compared_at"), compared_version=version)


def _digests(sides: Sequence[QuerySet[Any]], *, backwards: bool) -> list[str]:
    found = {key for rows in sides for key in rows.values_list("user_digest", flat=True)[: PAGE + 1]}
    return sorted(found, reverse=backwards)[: PAGE + 1]


def _rows(request: HttpRequest, line_item: LineItem, chosen: Sequence[str], wanted: Agreement | None) -> list[Row]:
    scores = {row.user_digest: row for row in Score.objects.filter(line_item=line_item, user_digest__in=chosen)}
    shown = {row.user_digest: row for row in Result.objects.filter(line_item=line_item, user_digest__in=chosen)}
    issuer = line_item.context.deployment.registration.issuer
    people = {key: learners.Learner(issuer, (scores.get(key) or shown[key]).user_id) for key in chosen if key in scores or key in shown}
    names = learners.shown(request, people.values())
    attempts = _last_attempts([row.pk for row in scores.values()])
    rows = [
        Row(
            names[person],
            scores.get(key),
            shown.get(key),
            agreement_of(scores.get(key), shown.get(key)),
            _attempt(scores.get(key), attempts),
        )
        for key, person in people.items()
    ]
    return [row for row in rows if wanted in (None, row.agreement)]


def _attempt(score: Score | None, attempts: dict[int, DeliveryAttempt]) -> DeliveryAttempt | None:
    return None if score is None else attempts.get(score.pk)


def _last_attempts(scores: Sequence[int]) -> dict[int, DeliveryAttempt]:
    """The newest attempt at each of some scores, without its bodies."""
    newest = (
        DeliveryAttempt.objects.filter(score__in=scores).order_by().values("score").annotate(last=Max("pk")).values_list("last", flat=True)
    )
    fields = ("score", "started_at", "status", "failure", "code")
    return {row.score_id: row for row in DeliveryAttempt.objects.filter(pk__in=list(newest)).only(*fields) if row.score_id is not None}
