"""Promise 5: a crash at any step is safe. A worker is killed at every write that it makes, before it and after it."""

import pytest

from django_lti_ags import line_items, scores
from django_lti_ags.models import DeliveryAttempt, LineItem, Score, SyncState

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = {"LEASE_SECONDS": 2, "SEND_DEADLINE_SECONDS": 1}


def state_everything(campus, line_item, number):
    """A score that is new, one that is delivered before, one that the platform refuses, and a column that is to be made."""
    context = line_items.context_from_launch(campus.claims(lineitem=None))
    essay = line_items.declare(context, label=f"Essay {number}", resource_id=f"essay-{number}", score_maximum=20)
    scores.record(line_item, user_id="u1", score_given=number, score_maximum=1000)
    scores.record(line_item, user_id=f"n{number}", score_given=number, score_maximum=1000)
    scores.record(line_item, user_id="u2", score_given=number + 0.5, score_maximum=1000)
    scores.record(essay, user_id="u1", score_given=number, score_maximum=1000)


def check_everything(campus, number):
    applied = [(entry.path, entry.body["userId"], entry.body["scoreGiven"]) for entry in campus.platform.ledger.scores()]
    assert len(applied) == len(set(applied)), "a score was applied twice"
    assert {"u1": number, "u2": number + 0.5} == {user: campus.link.line_item.scores[user].given for user in ("u1", "u2")}, (
        "the newest score does not stand"
    )
    made = [item for item in campus.course.line_items.values() if item.resource_id == f"essay-{number}"]
    assert [item.scores["u1"].given for item in made] == [number], "not one column with one score"
    assert set(Score.objects.exclude(user_id__startswith="n").values_list("state", flat=True)) == {SyncState.DELIVERED}
    assert set(Score.objects.filter(user_id__startswith="n").values_list("state", "code")) == {(SyncState.FAILED, "score_refused")}
    assert set(LineItem.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}


def test_a_worker_is_killed_at_every_write(campus, nursery, deliver, later, tmp_path):
    line_item = campus.line_item()
    state_everything(campus, line_item, 1)
    told = tmp_path / "writes"
    with nursery(**LEASE) as children:
        children.wait(children.start("pass", tell=str(told)))
        writes = int(told.read_text())
        assert writes >= 6, "claims, health, rows, attempts and events of columns and scores"
        check_everything(campus, 1)
        points = [(write, when) for write in range(1, writes + 1) for when in ("before", "after")]
        killed = 0
        for number, (write, when) in enumerate(points, start=2):
            state_everything(campus, line_item, number)
            children.wait(children.start("pass", write=write, when=when))
            killed += Score.objects.exclude(state=SyncState.DELIVERED).exclude(user_id__startswith="n").exists()
            for _ in range(3):
                deliver(later())
            check_everything(campus, number)
    assert killed >= len(points) / 2, "hardly any kill came in between"
    assert DeliveryAttempt.objects.filter(abandoned=True).exists()
