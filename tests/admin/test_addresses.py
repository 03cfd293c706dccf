"""Addresses that make no sense: every list, and what hangs on one, answers as Django does, and never with a fault."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from django_lti_ags.models import DeliveryAttempt, Event, LineItem, PendingScore, Registration, Score, SyncSample
from tests.admin.conftest import MODELS, NOON, address

LISTED = [model for model in MODELS if model is not SyncSample]
UNSAYABLE = [
    "0001-01-01T00:00:00+23:59",
    "0001-01-01",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31 23:59",
    "00010101T000000+2359",
]
SENSELESS = ["2026-02-30", "\x00", "9" * 40, "1e999", "'￿"]
OF_DJANGO = ("p", "o", "all", "_to_field")
TIMES = [(Score, "due_at__lte"), (PendingScore, "delivered_at__gte"), (Event, "created_at__gte"), (Event, "created_at__lt")]


def is_refused(answer) -> bool:
    return answer.status_code == 400 or (answer.status_code == 302 and answer.url.endswith("?e=1"))


@pytest.mark.parametrize("given", UNSAYABLE)
@pytest.mark.parametrize(("model", "lookup"), TIMES)
def test_a_time_at_the_ends_of_the_calendar_is_an_incorrect_lookup(world, boss, model, lookup, given):
    answer = boss.get(address(model, "changelist"), {lookup: given})
    assert (answer.status_code, answer.url) == (302, f"{address(model, 'changelist')}?e=1")
    assert boss.get(answer.url).status_code == 200


@pytest.mark.parametrize("lookup", ["due_at__lte", "delivered_at__gte"])
def test_nor_is_one_exported_or_acted_on(world, boss, lookup):
    query = f"?{lookup}=0001-01-01T00:00:00%2B23:59"
    for answer in (boss.get, boss.post):
        assert is_refused(answer(reverse("admin:lti_ags_score_export") + query, {"format": "csv"} if answer == boss.post else {}))
    form = {"action": "retry", "_selected_action": [world.pending.pk], "index": 0}
    assert is_refused(boss.post(address(Score, "changelist") + query, form))
    for page in ("errors", "retry_since"):
        assert boss.get(reverse(f"admin:lti_ags_score_{page}") + query).status_code == 200


@pytest.mark.parametrize("model", LISTED)
def test_no_list_fails(world, boss, model):
    listed = address(model, "changelist")
    for lookup in (*admin.site._registry[model].lookups, *OF_DJANGO):
        for given in SENSELESS:
            answer = boss.get(listed, {lookup: given})
            assert answer.status_code in (200, 302, 400), (lookup, given)


@pytest.mark.parametrize(("model", "lookup"), [(LineItem, "score_maximum"), (Registration, "created_at__gte"), (DeliveryAttempt, "url")])
def test_what_no_filter_here_uses_is_refused(world, boss, model, lookup):
    assert boss.get(address(model, "changelist"), {lookup: "1"}).status_code == 400


@pytest.mark.parametrize("given", [*UNSAYABLE, *SENSELESS])
def test_no_page_beside_the_lists_fails(world, boss, given):
    overview, column = address(SyncSample, "changelist"), address(LineItem, "change", world.line_item)
    assert boss.get(overview, {"registration": given}).status_code in (200, 404)
    for name in ("learner", "agreement", "after", "before"):
        assert boss.get(column, {name: given}).status_code == 200
    since = boss.post(reverse("admin:lti_ags_score_retry_since"), {"since": given, "registration": given})
    assert "errorlist" in since.content.decode()


@pytest.mark.parametrize(
    "chosen", [["x"], ["\x00"], ["9" * 40], ["-1"], ["1.5"], ["", " "], ["²"], [str(number) for number in range(10**6, 10**6 + 900)]]
)
@pytest.mark.parametrize(("model", "action"), [(Score, "retry"), (Score, "export"), (Registration, "pause"), (Registration, "resume")])
def test_a_choice_of_what_is_no_row_chooses_nothing(world, boss, model, action, chosen):
    Registration.objects.update(paused_at=NOON, paused_code="by_hand")
    answer = boss.post(address(model, "changelist"), {"action": action, "_selected_action": chosen, "index": "x", "select_across": "0"})
    assert answer.status_code in (200, 302)
    assert Score.objects.get(pk=world.pending.pk).state == "failed"
    assert Registration.objects.get().is_paused
