"""Comparing columns at platforms with habits of their own."""

from __future__ import annotations

import pytest

from django_lti_ags import line_items, results
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import Agreement, DeliveryAttempt, Registration
from tests.sync.conftest import record

pytestmark = pytest.mark.django_db(transaction=True)
IN_SYNC, MISSING = Agreement.IN_SYNC, Agreement.MISSING


def give(line_item, deliver, **given):
    for user, number in given.items():
        record(line_item, user, number)
    deliver()


def make(make_campus, profile, learners=3):
    campus = make_campus(dialect=profile, learners=learners)
    Registration.objects.update(profile=profile)
    return campus, campus.line_item(), campus.link.line_item


def test_canvas_gets_no_second_comment_and_no_second_attempt(make_campus, deliver):
    campus, line_item, column = make(make_campus, "canvas")
    for user in ("u1", "u2"):
        record(line_item, user, 8, comment="Well done")
    deliver()
    del column.scores["u1"]
    assert results.reconcile(line_item, policy="resend").resent == 1
    deliver()
    book = campus.platform.gradebook
    assert campus.shown("u1") == 8
    assert (book.comments(column, "u1"), book.attempts(column, "u1")) == (["Well done"], 1)


def test_a_large_course_at_canvas_is_asked_for_in_large_pages(make_campus, deliver):
    _, line_item, _ = make(make_campus, "canvas", learners=25)
    give(line_item, deliver, **{f"u{number}": 5 for number in range(1, 26)})
    assert results.reconcile(line_item).counts == {IN_SYNC: 25}
    assert "limit=100" in DeliveryAttempt.objects.get(kind="results").url


def test_moodle_is_never_asked_for_a_page_size_and_may_hide_zeros(make_campus, deliver):
    _, line_item, column = make(make_campus, "moodle")
    give(line_item, deliver, u1=0, u2=1)
    del column.scores["u1"]
    assert results.reconcile(line_item).counts == {IN_SYNC: 2}
    assert "limit" not in DeliveryAttempt.objects.get(kind="results").url


def test_a_moodle_course_without_points_keeps_nothing_and_is_sent_nothing_again(make_campus, deliver):
    _, line_item, column = make(make_campus, "moodle")
    give(line_item, deliver, u1=5)
    column.scores.clear()
    column.score_maximum = 0
    found = results.reconcile(line_item, policy="resend")
    assert found.counts == {Agreement.NOT_KEPT: 1}
    assert (found.chosen, found.is_in_order) == (0, True)
    assert DeliveryAttempt.objects.filter(kind="line_item", line_item=line_item).count() == 1


def test_a_moodle_column_that_cannot_be_read_is_taken_to_keep_scores(campus, make_campus, deliver):
    campus, line_item, column = make(make_campus, "moodle")
    give(line_item, deliver, u1=5)
    column.scores.clear()
    campus.platform.faults.add("status", kind="line_item", status=500)
    assert results.reconcile(line_item).counts == {MISSING: 1}


def test_a_moodle_column_whose_scope_was_not_granted_is_taken_to_keep_scores(make_campus, deliver):
    campus = make_campus(dialect="moodle")
    Registration.objects.update(profile="moodle")
    line_item = line_items.from_launch(campus.claims(scope=[vocabulary.SCOPE_SCORE, vocabulary.SCOPE_RESULT_READONLY]))
    give(line_item, deliver, u1=5)
    campus.link.line_item.scores.clear()
    assert results.reconcile(line_item).counts == {MISSING: 1}
    assert not DeliveryAttempt.objects.filter(kind="line_item").exists()
