"""What operators look at, with 1 000 000 scores: pages of the admin, the status command, metrics."""

from __future__ import annotations

import io
import sys
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from benchmarks.looking import METRICS_TOKEN, main
from benchmarks.million import LARGE, LEARNERS
from django_lti_ags.models import LineItem, Registration, Score, Service
from django_lti_ags.sync import sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime


def looks() -> Iterator[tuple[str, Callable[[], Any]]]:
    """What operators look at: its name, and how to."""
    browser = Client()
    browser.force_login(User.objects.create(username="boss", is_staff=True, is_superuser=True))
    page = partial(_page, browser)
    one, service = Registration.objects.all()[0], Service.objects.all()[0]
    place = f"service__registration__id__exact={one.pk}&service__id__exact={service.pk}"
    yield "overview", page("syncsample/")
    yield "overview of one registration", page(f"syncsample/?registration={one.pk}")
    yield "status command", lambda: call_command("lti_ags_status", stdout=io.StringIO())
    yield "metrics", lambda: _scrape(browser)
    yield "a sample", _sample
    yield from _lists_of_scores(page, place)
    yield "one score", page(f"score/{Score.objects.filter(state='failed').latest('pk').pk}/change/")
    yield "errors", page("score/errors/")
    yield "export, the first portion", lambda: _export(browser)
    yield "pending scores", page("pendingscore/")
    yield "pending scores, one campus", page(f"pendingscore/?{place}")
    yield "pending scores, failed at one campus", page(f"pendingscore/?{place}&state__exact=failed")
    yield "pending scores, one code", page("pendingscore/?code=forbidden")
    yield "line items", page("lineitem/")
    large = LineItem.objects.get(tag=LARGE)
    yield f"one line item of {LEARNERS} learners", page(f"lineitem/{large.pk}/change/")
    yield "one line item, those that differ", page(f"lineitem/{large.pk}/change/?agreement=differs")
    yield "scores of that line item", page(f"score/?line_item__id__exact={large.pk}")
    yield "line items, searched", page("lineitem/?q=Quiz+77", finds="Quiz 77")
    yield "contexts", page("context/")
    yield "events", page("event/")
    yield "registrations", page("registration/")


def _lists_of_scores(page: Callable[..., Callable[[], Any]], place: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "scores", page("score/")
    yield "scores, last page but some", page("score/?p=90")
    for state in ("pending", "sending", "failed", "blocked", "delivered"):
        yield f"scores, {state}", page(f"score/?state__exact={state}")
        yield f"scores, {state} at one campus", page(f"score/?{place}&state__exact={state}")
    yield "scores waiting at one campus", page(f"score/?{place}&due_at__isnull=0")
    now = quote(timezone.now().isoformat())
    yield "scores due at one campus", page(f"score/?{place}&due_at__lte={now}")
    yield "scores due", page(f"score/?due_at__lte={now}")
    yesterday = quote((timezone.now() - timedelta(days=1)).isoformat())
    delivered = f"state__exact=delivered&delivered_at__gte={yesterday}"
    yield "scores delivered in 24 h at one campus", page(f"score/?{place}&{delivered}")
    yield "scores delivered in 24 h", page(f"score/?{delivered}")
    yield "scores, one registration", page(f"score/?service__registration__id__exact={Registration.objects.all()[0].pk}")
    yield "scores, one code", page("score/?code=score_refused")
    yield "scores, one learner", page("score/?q=learner-77", finds="learner-77")
    yield "scores, one registration, last page but some", page(f"score/?{place}&p=190")
    label = f"Quiz {LineItem.objects.latest('pk').pk}"
    yield "scores, one label", page(f"score/?q={quote(label)}", finds=label)
    yield "scores, a part of every label", page("score/?q=Quiz", finds="Quiz")


def _page(browser: Client, address: str, *, finds: str = "") -> Callable[[], Any]:
    def look() -> None:
        answer = browser.get(f"/admin/lti_ags/{address}")
        if answer.status_code != 200:
            raise AssertionError(f"{address}: {answer.status_code}")
        if finds and answer.content.decode().count(finds) < 2:  # once in the search box
            raise AssertionError(f"{address} does not find {finds}")

    return look


def _export(browser: Client) -> None:
    answer = browser.post("/admin/lti_ags/score/export/", {"format": "csv"})
    if answer.status_code != 200:
        raise AssertionError(f"export: {answer.status_code}")
    for number, _ in enumerate(answer.streaming_content):
        if number == 1:  # the first is the heading
            break
    answer.close()


def _scrape(browser: Client) -> None:
    cache.clear()
    answer = browser.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    if answer.status_code != 200:
        raise AssertionError(f"metrics: {answer.status_code}")


_later: list[datetime] = []


def _sample() -> None:
    """Of a slot that nobody has sampled yet."""
    _later.append((_later[-1] if _later else timezone.now()) + timedelta(minutes=10))
    if not sampling.sample(_later[-1]):
        raise AssertionError("there was a sample already")


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", looks))
