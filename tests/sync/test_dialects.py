"""Promise 6 on real platforms' words: a send that nobody heard an answer to is settled, and nothing is doubled."""

import pytest

from django_lti_ags import line_items, scores
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import Context, Score, SyncState
from tests.sync.conftest import Tomorrow, claimed, record

pytestmark = pytest.mark.django_db(transaction=True)

DIALECTS = ["", "canvas", "moodle", "openedx"]


@pytest.fixture
def platform_of(make_campus):
    def make(dialect, **options):
        campus = make_campus(dialect=dialect, **options)
        campus.registration.profile = dialect
        campus.registration.save()
        return campus

    return make


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_lost_answer_is_settled(platform_of, deliver, dialect, fault):
    campus = platform_of(dialect)
    line_item = campus.line_item()
    record(line_item, given=5, comment="First")
    deliver()
    record(line_item, given=8, comment="Well done")
    campus.platform.faults.add(fault, kind="score", count=1)
    deliver(Tomorrow(minutes=1))
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.code) == (SyncState.DELIVERED, "already_there" if fault == "drop_after" else "delivered")
    assert campus.shown("u1") == 8
    if dialect == "canvas":
        assert campus.platform.gradebook.comments(campus.link.line_item, "u1") == ["First", "Well done"]
        assert campus.platform.gradebook.attempts(campus.link.line_item, "u1") == 1, "the second is a regrade"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_worker_that_died_after_the_platforms_yes_is_settled(platform_of, deliver, dialect):
    """Its send is repeated here as the platform saw it, so that the gradebook holds what the dead worker sent."""
    campus = platform_of(dialect)
    line_item = campus.line_item()
    record(line_item, given=8, comment="Well done")
    claimed(line_item)
    campus.platform.set_result(campus.link.line_item, "u1", 8)
    deliver(Tomorrow(minutes=5))
    row = Score.objects.get()
    assert (row.state, row.code) == (SyncState.DELIVERED, "already_there")
    assert campus.platform.ledger.of("score") == []


@pytest.mark.parametrize("dialect", ["canvas", "moodle", "openedx"])
def test_a_platform_that_holds_a_later_timestamp_is_asked(platform_of, deliver, dialect):
    """Its clock ran ahead once, or another installation of the tool wrote there: a teacher's edit is never overwritten."""
    campus = platform_of(dialect)
    line_item = campus.line_item()
    record(line_item, given=5)
    deliver(Tomorrow(hours=2))
    Score.objects.update(wire_timestamp=None)
    record(line_item, given=8)
    deliver()
    row = Score.objects.get()
    assert (row.state, row.code, row.unsettled) == (SyncState.PENDING, "conflict", True)
    deliver(Tomorrow(hours=3))
    row.refresh_from_db()
    assert (row.state, campus.shown("u1")) == (SyncState.DELIVERED, 8)


@pytest.mark.parametrize("dialect", ["canvas", "moodle", "openedx"])
def test_a_teachers_edit_stays(platform_of, deliver, dialect):
    campus = platform_of(dialect)
    line_item = campus.line_item()
    record(line_item, given=5)
    deliver()
    record(line_item, given=8)
    campus.platform.faults.add("drop_before", kind="score", count=1)
    deliver(Tomorrow(minutes=1))
    campus.platform.set_result(campus.link.line_item, "u1", 2)
    deliver(Tomorrow(hours=1))
    row = Score.objects.get()
    assert (row.state, row.code, campus.shown("u1")) == (SyncState.SUPERSEDED, "changed_elsewhere", 2)


def test_a_course_that_has_concluded_rests_as_one(platform_of, deliver):
    """Not four hundred refusals, one by one; and its other columns are told too."""
    campus = platform_of("canvas", learners=400)
    line_item = campus.line_item()
    more = campus.platform.add_link(campus.course, "More", campus.tool)
    there = campus.claims(lineitem=campus.platform.line_item_url(campus.course, more.line_item))
    other = line_items.from_launch(there | {vocabulary.RESOURCE_LINK_CLAIM: {"id": more.id}})
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 1, "score_maximum": 10} for n in range(1, 401)])
    campus.course.concluded = True
    deliver()
    assert len(campus.platform.ledger.of("score")) <= 12, "no more than were in flight"
    assert set(Score.objects.values_list("state", "code")) == {(SyncState.BLOCKED, "course_concluded")}
    assert Context.objects.get().block_code == "course_concluded"
    record(other)
    before = len(campus.platform.ledger.of("score"))
    deliver(Tomorrow(hours=1))
    assert len(campus.platform.ledger.of("score")) == before, "what is recorded afterwards meets the block"

    campus.course.concluded = False
    assert scores.retry(Score.objects.all()) >= 400
    deliver()
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}


def test_a_class_of_five_hundred_takes_one_token(make_campus, deliver):
    """Promise 9; revoked in the middle, it takes a second."""
    campus = make_campus(learners=500)
    line_item = campus.line_item()
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 1, "score_maximum": 10} for n in range(1, 501)])
    deliver(limit=250)
    assert len(campus.platform.ledger.of("token")) == 1
    campus.platform.desk.revoke_all()
    deliver()
    assert len(campus.platform.ledger.of("token")) == 2
    assert Score.objects.filter(state=SyncState.DELIVERED).count() == 500
