"""What tools ask of the REST API, with 1 000 000 scores: their own 100 000 and what became of them."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.test import Client

from benchmarks.looking import main
from benchmarks.million import LARGE, LEARNERS
from django_lti_ags import api_keys, launches
from django_lti_ags.models import Context, LineItem, Registration, Score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def looks() -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is asked for: its name, and how to. The last campus has the large column, the first the oldest scores."""
    first, last = Registration.objects.earliest("pk"), Registration.objects.latest("pk")
    _, text = api_keys.issue("benchmark", [first, last])
    for name, registration in (("the oldest campus", first), ("the newest campus", last)):
        ask = partial(_asked, Client(headers={"Authorization": f"Bearer {text}"}), registration=registration.uid)
        yield from _of_a_campus(name, ask, Score.objects.filter(service__registration=registration))
        course = _course_of(registration)
        shown = f"SERVICE-AUTH-V1 {text}:{launches.service_key(course)}"
        within = partial(_asked, Client(headers={"Authorization": shown}))
        yield f"within the course: scores of {name}", within("scores", finds=100)
        yield f"within the course: failed scores of {name}", within("scores", state="failed", finds=100)
        yield f"within the course: status of {name}", within("status")
    large = LineItem.objects.get(tag=LARGE).url
    yield f"status of a column of {LEARNERS} learners", ask("status", lineItem=large)
    yield f"scores of a column of {LEARNERS} learners", ask("scores", lineItem=large, finds=100)
    yield "one column", ask("lineitems", lineItem=large, finds=1)
    staff = Client()
    staff.force_login(User.objects.create(username="boss", is_staff=True, is_superuser=True))
    yield "staff: line items", _asked(staff, "lineitems", finds=25)
    yield "staff: scores", _asked(staff, "scores", finds=100)
    yield "staff: registrations", _asked(staff, "registrations", finds=10)


def _course_of(registration: Registration) -> Context:
    """Ten of its columns, in a course of their own: 10 000 scores."""
    course = Context.objects.create(deployment=registration.deployments.get(), context_id="of ten columns")
    columns = LineItem.objects.filter(service__registration=registration).exclude(tag=LARGE).order_by("pk")
    few = columns.values_list("pk", flat=True)[:20:2]  # of each state some
    LineItem.objects.filter(pk__in=list(few)).update(context=course)
    return course


def _of_a_campus(name: str, ask: Callable[..., Callable[[], Any]], rows: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield f"line items of {name}", ask("lineitems", finds=25)
    yield f"scores of {name}", ask("scores", finds=100)
    old = rows.order_by("pk")[500]
    yield f"scores of {name}, the last page but some", ask("scores", cursor=old.uid, finds=100)
    yield f"scores of {name}, failed", ask("scores", state="failed", finds=100)
    yield f"scores of {name}, sending", ask("scores", state="sending", finds=0)
    yield f"scores of {name}, one learner", ask("scores", userId=old.user_id)
    yield f"one score of {name}", ask(f"scores/{old.uid}")
    yield f"status of {name}", ask("status")


def _asked(client: Client, path: str, *, finds: int | None = None, **query: Any) -> Callable[[], Any]:
    def look() -> None:
        answer = client.get(f"/lti/api/sync/{path}", query)
        if answer.status_code != 200:
            raise AssertionError(f"{path}: {answer.status_code} {answer.content[:300]!r}")
        listed = next((rows for rows in answer.json().values() if isinstance(rows, list)), [])
        if finds is not None and len(listed) != finds:
            raise AssertionError(f"{path} {query} finds {len(listed)}")

    return look


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", looks))
