"""What delivery is compared with: the bare HTTP client, and pylti1.3 as tools use it. Neither remembers anything."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import local
from typing import TYPE_CHECKING, Any

import requests
from pylti1p3.assignments_grades import AssignmentsGradesService
from pylti1p3.grade import Grade
from pylti1p3.registration import Registration
from pylti1p3.service_connector import ServiceConnector

from benchmarks.campus import CLIENT_ID, SCOPES, private_key
from django_lti_ags.ags import vocabulary
from django_lti_ags.ags.types import Score, compact_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class BareClient:
    """``requests.Session.post`` of ready-made bytes, with a warm session per thread: the limit of the transport."""

    def __init__(self, in_flight: int) -> None:
        self._threads = ThreadPoolExecutor(in_flight)
        self._own = local()

    def rate(self, url: str, items: Sequence[dict[str, Any]]) -> float:
        """Scores per second."""
        bodies = [compact_json(Score(timestamp=datetime.now(UTC), **item).to_json()) for item in items]
        headers = {"Authorization": "Bearer " + "t" * 64, "Content-Type": vocabulary.MEDIA_SCORE}

        def post(body: bytes) -> None:
            if not hasattr(self._own, "session"):
                self._own.session = requests.Session()
            self._own.session.post(f"{url}/scores", data=body, headers=headers, timeout=20).raise_for_status()

        return _rate(self._threads, post, bodies)


class PyLti1p3:
    """A connector per score, since its cache lives no longer than the request that made it: a token for each score."""

    def __init__(self, in_flight: int, issuer: str) -> None:
        self._threads = ThreadPoolExecutor(in_flight)
        self._registration = Registration()
        self._registration.set_issuer(issuer).set_client_id(CLIENT_ID).set_auth_token_url(f"{issuer}/token")
        self._registration.set_tool_private_key(private_key())

    def rate(self, url: str, items: Sequence[dict[str, Any]]) -> float:
        """Scores per second."""

        def put(item: dict[str, Any]) -> None:
            grade = Grade().set_score_given(item["score_given"]).set_score_maximum(item["score_maximum"])
            grade.set_user_id(item["user_id"]).set_timestamp(datetime.now(UTC).isoformat())
            grade.set_activity_progress("Completed").set_grading_progress("FullyGraded")
            AssignmentsGradesService(ServiceConnector(self._registration), {"scope": SCOPES, "lineitem": url}).put_grade(grade)

        return _rate(self._threads, put, items)


def _rate(threads: ThreadPoolExecutor, send: Callable[[Any], None], items: Sequence[Any]) -> float:
    started = time.perf_counter()
    for _ in threads.map(send, items):
        pass
    return len(items) / (time.perf_counter() - started)
