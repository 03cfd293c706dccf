"""What the platforms show, as read."""

import pytest

from django_lti_ags import line_items, results, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.exceptions import ExchangeFailed, MissingScope, NoLineItem
from django_lti_ags.models import DeliveryAttempt, Result
from django_lti_ags.sync.engine import deliver_due

pytestmark = pytest.mark.django_db(transaction=True)


def test_all_pages_are_read_and_kept(make_campus):
    campus = make_campus(learners=23)
    line_item = campus.line_item()
    scores.record_many(
        line_item,
        [{"user_id": f"u{n}", "score_given": n, "score_maximum": 20, "comment": f"c{n}", "scoring_user_id": "t"} for n in range(1, 24)],
    )
    deliver_due()
    rows = results.fetch(line_item)
    assert len(rows) == Result.objects.count() == 23
    row = Result.objects.get(user_id="u4")
    assert (row.result_score, row.result_maximum, row.comment, row.scoring_user_id) == (2.0, 10.0, "c4", "t")
    assert row.url.endswith("/results/u4")
    assert [attempt.kind for attempt in DeliveryAttempt.objects.filter(line_item=line_item)] == ["results"] * 3


def test_reading_again_shows_what_changed(campus):
    line_item = campus.line_item()
    for user in ("u1", "u2"):
        scores.record(line_item, user_id=user, score_given=5, score_maximum=10)
    deliver_due()
    results.fetch(line_item)
    campus.platform.set_result(campus.link.line_item, "u1", 9)
    del campus.link.line_item.scores["u2"]
    assert [row.user_id for row in results.fetch(line_item)] == ["u1"]
    assert dict(Result.objects.values_list("user_id", "result_score")) == {"u1": 9.0, "u2": None}
    assert [row.result_score for row in results.fetch(line_item, user_id="u1")] == [9.0]
    assert results.fetch(line_item, user_id="u2") == []


def test_what_cannot_be_read_is_said(campus):
    wanted = line_items.declare(line_items.context_from_launch(campus.claims()), resource_id="e", label="E", score_maximum=1)
    with pytest.raises(NoLineItem):
        results.fetch(wanted)
    with pytest.raises(MissingScope):
        results.fetch(line_items.from_launch(campus.claims(scope=[vocabulary.SCOPE_SCORE])))


def test_a_failed_reading_is_on_record(campus):
    line_item = campus.line_item()
    campus.platform.faults.add("status", kind="results", status=500, body="sorry\x00")
    with pytest.raises(ExchangeFailed):
        results.fetch(line_item)
    assert DeliveryAttempt.objects.get(kind="results").response_body == "sorry\ufffd"
