"""Canvas' REST API beyond AGS: Outcome Results and Live Assessments. Framework-free; usable in a plain script.

::

    with Client("https://school.instructure.com", UserToken(token)) as canvas:
        for rollup in canvas.outcome_rollups(course_id, include=["outcomes", "users"]):
            print(rollup.links.user, [(score.outcome, score.score) for score in rollup.scores])
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django_lti_ags.ags.transport import Transport, UsesTransport
from django_lti_ags.ags.types import compact_json
from django_lti_ags.ags.urls import with_query
from django_lti_ags.canvas import arguments
from django_lti_ags.canvas.calls import Listing, RestCall
from django_lti_ags.canvas.live_assessments import LiveAssessment, LiveAssessmentResult
from django_lti_ags.canvas.outcomes import OutcomeResult
from django_lti_ags.canvas.reading import container
from django_lti_ags.canvas.rollup_query import rollup_pairs, which_outcomes
from django_lti_ags.canvas.rollups import ContributingScores, OutcomeRollup
from django_lti_ags.canvas.scopes import COURSE, ENQUEUE, LIVE, LIVE_RESULTS
from django_lti_ags.canvas.throttling import Patience
from django_lti_ags.exceptions import InvalidCanvasArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django_lti_ags.ags.exchange import Exchange
    from django_lti_ags.canvas.arguments import Pairs
    from django_lti_ags.canvas.tokens import TokenSource

Id = str | int
PER_PAGE: Final = 25
"""A page of rollups has a score for each learner and outcome: of 25 learners and 100 outcomes about 400 kB. The transport reads 1 MB."""


class Client(UsesTransport):
    """Calls one Canvas for one user. Thread-safe; cheap to make if the transport is shared.

    Args:
        base_url: where Canvas is, such as ``https://school.instructure.com``. The token goes nowhere else.
        tokens: whose token is used, see :mod:`django_lti_ags.canvas.tokens`.
        transport: shared between clients; by default one of its own, which ``close()`` or a ``with`` block closes.
        observe: is given each exchange, token requests too, when it ends.
        start_by: the ``time.monotonic()`` after which no request of its calls goes out.
        patience_seconds: how long a call may wait, all in all, when Canvas says that there were too many requests.

    Every call raises:
        InvalidCanvasArgument: an argument breaks a rule of Canvas'; nothing was sent.
        CanvasRefused: Canvas said no; the error quotes it, and says what to change.
        ExchangeFailed: there was no usable answer.
        NotStarted: ``start_by`` had passed before the request went out.
    """

    def __init__(
        self,
        base_url: str,
        tokens: TokenSource,
        *,
        transport: Transport | None = None,
        observe: Callable[[Exchange], None] | None = None,
        start_by: float | None = None,
        patience_seconds: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = arguments.check_base_url(base_url)
        super().__init__(transport)
        self._tokens = tokens
        self._observe = observe
        self._start_by = start_by
        self._patience = partial(Patience, patience_seconds, sleep)

    def outcome_results(
        self,
        course_id: Id,
        *,
        user_ids: Iterable[Id] | None = None,
        outcome_ids: Iterable[Id] | None = None,
        include: Iterable[str] | None = None,
        include_hidden: bool = False,
        per_page: int = PER_PAGE,
        page: int | None = None,
    ) -> Listing[OutcomeResult]:
        """Every result of every alignment, one by one.

        Args:
            course_id: its id, or ``sis_course_id:…``.
            user_ids: only these students' (also ``sis_user_id:…``).
            outcome_ids: only of these outcomes.
            include: some of alignments, outcomes, outcomes.alignments, outcome_groups, outcome_links, outcome_paths, users.
            include_hidden: also what is hidden from the learning mastery gradebook.
            per_page: how many at a time, up to 100.
            page: begin with this page, from 1.
        """
        pairs = [
            *arguments.ids("user_ids", user_ids, "sis_user_id:"),
            *which_outcomes(outcome_ids, None),
            *arguments.some_of("include", include, arguments.RESULT_INCLUDES),
            *arguments.switch("include_hidden", include_hidden),
        ]
        url = self._course_url(course_id, "outcome_results", [*pairs, *arguments.page_size(per_page), *arguments.one_id("page", page)])
        call = partial(self._call, "outcome_results", "GET", f"{COURSE}/outcome_results")
        return Listing(call, url, lambda body: container(body, "outcome_results", OutcomeResult.from_json))

    def outcome_rollups(
        self,
        course_id: Id,
        *,
        user_ids: Iterable[Id] | None = None,
        section_id: Id | None = None,
        outcome_ids: Iterable[Id] | None = None,
        outcome_group_id: Id | None = None,
        include: Iterable[str] | None = None,
        include_hidden: bool = False,
        exclude: Iterable[str] | None = None,
        aggregate: str | None = None,
        aggregate_stat: str | None = None,
        sort_by: str | None = None,
        sort_outcome_id: Id | None = None,
        sort_order: str | None = None,
        add_defaults: bool = False,
        contributing_scores: bool = False,
        rating_percents: bool = False,
        per_page: int = PER_PAGE,
        page: int | None = None,
    ) -> Listing[OutcomeRollup]:
        """Each student's scores in the outcomes, once per section; or, with ``aggregate="course"``, one rollup of them all.

        Args:
            course_id: its id, or ``sis_course_id:…``.
            user_ids: only these students (also ``sis_user_id:…``); not with ``section_id``.
            section_id: only this section's students.
            outcome_ids: only these outcomes; not with ``outcome_group_id``.
            outcome_group_id: only this group's outcomes.
            include: as for :meth:`outcome_results`; ``users`` without ``aggregate`` only, ``courses`` with it only.
            include_hidden: also what is hidden from the learning mastery gradebook.
            exclude: some of missing_user_rollups (students without results), missing_outcome_results (outcomes without results).
            aggregate: ``course``.
            aggregate_stat: ``mean``, Canvas' default, or ``median``; of an aggregate.
            sort_by: ``student``, by sortable name, or ``outcome``, by the score in ``sort_outcome_id``.
            sort_outcome_id: needed to sort by outcome.
            sort_order: ``asc``, Canvas' default, or ``desc``.
            add_defaults: default colours and mastery levels in the outcomes' ratings.
            contributing_scores: deprecated by Canvas, which then sends more than is read here; see :meth:`contributing_scores`.
            rating_percents: in the included outcomes, how many students are at each level.
            per_page: how many students at a time, up to 100.
            page: begin with this page, from 1.
        """
        given = {name: value for name, value in locals().items() if name not in ("self", "course_id", "per_page", "page")}
        pairs = [*rollup_pairs(given), *arguments.page_size(per_page), *arguments.one_id("page", page)]
        url = self._course_url(course_id, "outcome_rollups", pairs)
        call = partial(self._call, "outcome_rollups", "GET", f"{COURSE}/outcome_rollups")
        return Listing(call, url, lambda body: container(body, "rollups", OutcomeRollup.from_json))

    def contributing_scores(
        self,
        course_id: Id,
        outcome_id: Id,
        *,
        user_ids: Iterable[Id] | None = None,
        only_assignment_alignments: bool = False,
        show_unpublished_assignments: bool = False,
    ) -> ContributingScores:
        """What an outcome's rollups stand on: its alignments, and each student's score in each. One answer, without pages."""
        pairs = [
            *arguments.ids("user_ids", user_ids),
            *arguments.switch("only_assignment_alignments", only_assignment_alignments),
            *arguments.switch("show_unpublished_assignments", show_unpublished_assignments),
        ]
        path = f"outcomes/{arguments.check_id('outcome_id', outcome_id)}/contributing_scores"
        call = self._call("outcome_results", "GET", f"{COURSE}/outcomes/:outcome_id/contributing_scores")
        return call.one(self._course_url(course_id, path, pairs), ContributingScores.from_json)

    def assign_outcome_order(self, course_id: Id, outcome_ids: Sequence[Id]) -> None:
        """Show the outcomes in this order in the learning mastery gradebook of the token's user."""
        ordered = [identifier for _, identifier in arguments.ids("outcome_ids", outcome_ids)]
        if not ordered or len(set(ordered)) < len(ordered) or not all(map(str.isdigit, ordered)):
            raise InvalidCanvasArgument("outcome_ids", outcome_ids, "must name outcomes of this Canvas, each once")
        call = self._call("outcome_order", "POST", f"{COURSE}/assign_outcome_order", "application/json")
        call.body = compact_json([{"outcome_id": int(one), "position": position} for position, one in enumerate(ordered, 1)])
        call.send(self._course_url(course_id, "assign_outcome_order"))

    def enqueue_outcome_rollup_calculation(self, course_id: Id, *, student_uuid: str | None = None) -> None:
        """Let Canvas calculate the rollups anew: of one student, or of the whole course. It does so later, in its own time."""
        form = {"course_id": arguments.check_id("course_id", course_id)}
        if student_uuid is not None:
            arguments.check_words("student_uuid", student_uuid, 255)
            form["student_uuid"] = student_uuid
        call = self._call("outcome_rollups", "POST", ENQUEUE, "application/x-www-form-urlencoded")
        call.body = urlencode(form).encode()
        call.send(self._base_url + ENQUEUE)

    def live_assessments(self, course_id: Id, *, per_page: int = PER_PAGE) -> Listing[LiveAssessment]:
        """The course's live assessments."""
        url = self._course_url(course_id, "live_assessments", arguments.page_size(per_page))
        call = partial(self._call, "live_assessments", "GET", LIVE)
        return Listing(call, url, lambda body: container(body, "assessments", LiveAssessment.from_json))

    def create_or_find_live_assessments(self, course_id: Id, assessments: Sequence[LiveAssessment]) -> tuple[LiveAssessment, ...]:
        """Make the assessments, or find those whose key the course has; their titles become these. All or nothing, and safe to repeat."""
        call = self._call("live_assessments", "POST", LIVE, "application/json")
        call.body = compact_json({"assessments": [one.to_json() for one in _of(LiveAssessment, "assessments", assessments)]})
        url = self._course_url(course_id, "live_assessments")
        return call.one(url, lambda body: container(body, "assessments", LiveAssessment.from_json))

    def live_assessment_results(
        self, course_id: Id, assessment_id: Id, *, user_id: Id | None = None, per_page: int = PER_PAGE
    ) -> Listing[LiveAssessmentResult]:
        """What was recorded in an assessment, for everybody or for one user."""
        pairs = [*arguments.one_id("user_id", user_id), *arguments.page_size(per_page)]
        url = self._course_url(course_id, _results_path(assessment_id), pairs)
        call = partial(self._call, "live_results", "GET", LIVE_RESULTS)
        return Listing(call, url, lambda body: container(body, "results", LiveAssessmentResult.from_json))

    def create_live_assessment_results(
        self, course_id: Id, assessment_id: Id, results: Sequence[LiveAssessmentResult]
    ) -> tuple[LiveAssessmentResult, ...]:
        """Record results: all or nothing. **Not safe to repeat**: each one is counted again.

        After an ExchangeFailed that may have reached Canvas (``exchange.sent``), look whether they are there before you repeat it.
        The answer is grouped by user, so its order may differ from that of ``results``.
        """
        call = self._call("live_results", "POST", LIVE_RESULTS, "application/json")
        call.body = compact_json({"results": [one.to_json() for one in _of(LiveAssessmentResult, "results", results)]})
        url = self._course_url(course_id, _results_path(assessment_id))
        return call.one(url, lambda body: container(body, "results", LiveAssessmentResult.from_json))

    def _course_url(self, course_id: Id, path: str, pairs: Pairs | None = None) -> str:
        url = f"{self._base_url}/api/v1/courses/{arguments.path_id('course_id', course_id)}/{path}"
        return arguments.check_length(with_query(url, pairs or []))

    def _call(self, kind: str, method: str, path: str, content: str = "") -> RestCall:
        headers: Mapping[str, str] = {"Accept": "application/json"} | ({"Content-Type": content} if content else {})
        return RestCall(
            transport=self._transport,
            observe=self._observe,
            kind=kind,
            method=method,
            headers=headers,
            start_by=self._start_by,
            base_url=self._base_url,
            tokens=self._tokens,
            scope=f"url:{method}|{path}",
            patience=self._patience(),
        )


def _results_path(assessment_id: Id) -> str:
    return f"live_assessments/{arguments.check_id('assessment_id', assessment_id)}/results"


def _of(kind: type[Any], field: str, values: Any) -> list[Any]:
    """What is to be sent: at least one, and nothing else."""
    found = list(values) if hasattr(values, "__iter__") and not isinstance(values, (str, bytes, dict)) else []
    if not found or not all(isinstance(one, kind) for one in found):
        raise InvalidCanvasArgument(field, values, f"must be a list of at least one {kind.__name__}")
    return found
