"""A column compared with what its platform shows, and put right."""

from __future__ import annotations

import gc

import pytest

from django_lti_ags import line_items, results, scores, signals
from django_lti_ags.ags import types, vocabulary
from django_lti_ags.exceptions import ExchangeFailed, IncompleteReading, MissingScope, NotStarted
from django_lti_ags.models import Agreement, DeliveryAttempt, Event, LineItem, Result, Score, SyncState
from django_lti_ags.sync import comparing, outbox_sql, reconcile, result_rows
from django_lti_ags.testing.platforms import User
from tests.sync.conftest import record

pytestmark = pytest.mark.django_db(transaction=True)
IN_SYNC, DIFFERS, MISSING, TEACHER = Agreement.IN_SYNC, Agreement.DIFFERS, Agreement.MISSING, Agreement.CHANGED_BY_TEACHER


@pytest.fixture
def column(campus):
    """The platform's side."""
    return campus.link.line_item


@pytest.fixture
def told():
    """The divergences that the signal told of."""
    heard = []

    def hear(result, code, **rest):
        heard.append((result.user_id, code))

    signals.result_diverged.connect(hear)
    yield heard
    signals.result_diverged.disconnect(hear)


def agreements():
    return dict(Result.objects.values_list("user_id", "agreement"))


def give(line_item, deliver, **given):
    for user, number in given.items():
        record(line_item, user, number)
    deliver()


def edit(campus, column, user, number):
    campus.platform.set_result(column, user, number)


def test_every_learner_gets_an_agreement(campus, column, line_item, deliver):
    give(line_item, deliver, u1=1, u2=2, u3=3)
    record(line_item, "u3", 9)
    deliver()
    campus.platform.set_result(column, "u2", 7)  # nobody of ours said 7
    campus.platform.set_result(column, "u3", 3)  # we said 3 before
    del column.scores["u1"]
    campus.platform.set_result(column, "u4", 4)
    record(line_item, "u5", 5)
    found = results.reconcile(line_item)
    assert agreements() == {"u1": MISSING, "u2": TEACHER, "u3": DIFFERS, "u4": Agreement.ONLY_AT_PLATFORM}
    assert found.counts == {
        MISSING: 1,
        TEACHER: 1,
        DIFFERS: 1,
        Agreement.ONLY_AT_PLATFORM: 1,
        Agreement.WAITING: 1,
    }
    assert (found.read, found.chosen, found.resent, found.is_in_order) == (3, 0, 0, False)
    assert LineItem.objects.get().compared_at == line_item.compared_at == found.compared_at


def test_a_report_changes_no_score(campus, column, line_item, deliver):
    give(line_item, deliver, u1=1, u2=2)
    del column.scores["u1"]
    before = list(Score.objects.order_by("pk").values())
    results.reconcile(line_item)
    assert list(Score.objects.order_by("pk").values()) == before


def test_what_is_in_sync_is_in_order(line_item, deliver):
    give(line_item, deliver, u1=1, u2=0, u3=3)
    scores.clear(line_item, "u3")
    deliver()
    found = results.reconcile(line_item, policy="resend")
    assert found.counts == {IN_SYNC: 3}
    assert found.is_in_order
    assert agreements() == {"u1": IN_SYNC, "u2": IN_SYNC, "u3": IN_SYNC}
    assert not Event.objects.filter(name="result_diverged").exists()


def test_missing_and_differing_ones_are_sent_again_and_arrive(campus, column, line_item, deliver):
    give(line_item, deliver, u1=1, u2=2, u3=3)
    give(line_item, deliver, u3=9)
    del column.scores["u1"]
    campus.platform.set_result(column, "u2", 7)
    campus.platform.set_result(column, "u3", 3)
    recorded = dict(Score.objects.values_list("user_id", "recorded_at"))
    found = results.reconcile(line_item, policy="resend")
    assert (found.chosen, found.resent) == (2, 2)
    assert set(Score.objects.filter(state=SyncState.PENDING).values_list("user_id", flat=True)) == {"u1", "u3"}
    assert set(Event.objects.filter(name="score_sent_again").values_list("score__user_id", "version")) == {("u1", 2), ("u3", 3)}
    deliver()
    assert [campus.shown(user) for user in ("u1", "u2", "u3")] == [1, 7, 9]
    assert results.reconcile(line_item).counts == {IN_SYNC: 2, TEACHER: 1}
    assert dict(Score.objects.values_list("user_id", "recorded_at")) == recorded


def test_timestamps_rise_also_when_sent_again(campus, column, line_item, deliver):
    give(line_item, deliver, u1=1)
    first = column.scores.pop("u1").moment
    results.reconcile(line_item, policy="resend")
    deliver()
    assert column.scores["u1"].moment > first


def test_a_dry_run_counts_and_sends_nothing(column, line_item, deliver):
    give(line_item, deliver, u1=1, u2=2)
    del column.scores["u1"]
    found = results.reconcile(line_item, policy="resend", dry_run=True)
    assert (found.chosen, found.resent) == (1, 0)
    assert set(Score.objects.values_list("state", flat=True)) == {SyncState.DELIVERED}


def test_a_teachers_change_is_overwritten_only_when_asked(campus, column, line_item, deliver):
    give(line_item, deliver, u1=1)
    campus.platform.set_result(column, "u1", 7)
    assert results.reconcile(line_item, policy="resend").resent == 0
    assert results.reconcile(line_item, policy="resend", overwrite_teachers=True).resent == 1
    deliver()
    assert campus.shown("u1") == 1


def test_an_edit_between_the_comparison_and_the_send_stays(campus, column, line_item, deliver):
    give(line_item, deliver, u1=1)
    held = column.scores.pop("u1")
    results.reconcile(line_item, policy="resend")
    column.scores["u1"] = held
    campus.platform.set_result(column, "u1", 6)
    deliver()
    assert campus.shown("u1") == 6
    assert Score.objects.get().code == "changed_elsewhere"


@pytest.mark.parametrize("arrives", [False, True])
def test_what_was_recorded_meanwhile_is_left_alone(column, line_item, deliver, monkeypatch, arrives):
    give(line_item, deliver, u1=1)
    del column.scores["u1"]
    real = reconcile.send_again

    def late(*args, **options):
        record(line_item, "u1", 4)
        if arrives:
            deliver()
        return real(*args, **options)

    monkeypatch.setattr(reconcile, "send_again", late)
    found = results.reconcile(line_item, policy="resend")
    assert (found.chosen, found.resent) == (1, 0)
    row = Score.objects.get()
    assert (row.score_given, row.version, row.unsettled) == (4, 2, False)


def test_what_was_delivered_during_the_reading_is_not_compared(line_item, deliver, monkeypatch):
    give(line_item, deliver, u1=1)
    real = reconcile._read_all

    def slow(*args):
        read = real(*args)
        give(line_item, deliver, u1=8, u2=2)
        return read

    monkeypatch.setattr(reconcile, "_read_all", slow)
    found = results.reconcile(line_item, policy="resend")
    assert found.counts == {Agreement.NOT_COMPARED: 2}
    assert found.chosen == 0
    monkeypatch.undo()
    assert results.reconcile(line_item).counts == {IN_SYNC: 2}


def test_a_divergence_is_told_once(campus, column, line_item, deliver, told):
    give(line_item, deliver, u1=1, u2=2)
    campus.platform.set_result(column, "u1", 7)
    for _ in range(3):
        results.reconcile(line_item)
    assert told == [("u1", TEACHER)]
    event = Event.objects.get(name="result_diverged")
    assert (event.score.user_id, event.code, event.version) == ("u1", TEACHER, 1)
    assert event.payload["result_score"] == 7
    assert Result.objects.get(user_id="u1").diverged_at is not None
    campus.platform.set_result(column, "u1", 6)
    results.reconcile(line_item)
    assert told == [("u1", TEACHER)] * 2
    campus.platform.set_result(column, "u1", 1)
    results.reconcile(line_item)
    row = Result.objects.get(user_id="u1")
    assert (row.divergence, row.diverged_at, row.agreement) == ("", None, IN_SYNC)
    campus.platform.set_result(column, "u1", 6)
    results.reconcile(line_item)
    assert len(told) == 3


def test_one_that_is_on_its_way_is_not_told_again_if_nothing_came_of_it(column, line_item, deliver, told):
    give(line_item, deliver, u1=1)
    for _ in range(2):
        column.scores.pop("u1", None)
        results.reconcile(line_item, policy="resend")
        assert results.reconcile(line_item).counts == {Agreement.WAITING: 1}
        deliver()
    column.scores.pop("u1")
    results.reconcile(line_item)
    assert told == [("u1", MISSING)]


def test_nothing_is_told_of_a_divergence_that_was_rolled_back(column, line_item, deliver, told, monkeypatch):
    give(line_item, deliver, u1=1)
    del column.scores["u1"]
    monkeypatch.setattr(comparing, "insert_many", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        results.reconcile(line_item)
    assert told == []
    assert Result.objects.filter(agreement=MISSING).count() == 0


def test_all_pages_in_several_batches(make_campus, deliver, monkeypatch):
    monkeypatch.setattr(result_rows, "_BATCH", 7)
    monkeypatch.setattr(comparing, "_BATCH", 4)
    campus = make_campus(learners=33)
    line_item = campus.line_item()
    give(line_item, deliver, **{f"u{number}": number % 10 for number in range(1, 31)})
    column = campus.link.line_item
    for user in ("u3", "u30"):
        del column.scores[user]
    campus.platform.set_result(column, "u33", 1)
    heard = []
    found = results.reconcile(line_item, policy="resend", progress=heard.append)
    assert found.counts == {IN_SYNC: 28, MISSING: 2, Agreement.ONLY_AT_PLATFORM: 1}
    assert (found.read, found.resent) == (29, 2)
    assert heard == [7, 14, 21, 28, 29]
    assert DeliveryAttempt.objects.filter(kind="results", line_item=line_item).count() == 3


def test_a_reading_that_ends_half_way_calls_nobody_missing(make_campus, deliver, monkeypatch):
    campus = make_campus(learners=25)
    line_item = campus.line_item()
    give(line_item, deliver, **{f"u{number}": 5 for number in range(1, 26)})
    results.reconcile(line_item)
    before = agreements()
    compared = LineItem.objects.get().compared_at
    column = campus.link.line_item
    first = next(iter(column.scores))
    campus.platform.set_result(column, first, 9)
    real, calls = campus.platform.gradebook._page, []

    def ends(*args):
        calls.append(1)
        if len(calls) == 2:
            campus.platform.faults.add("status", kind="results", status=500, body="sorry")
        return real(*args)

    monkeypatch.setattr(campus.platform.gradebook, "_page", ends)
    attempts = DeliveryAttempt.objects.filter(kind="results").count()
    with pytest.raises(IncompleteReading, match="20 learners") as raised:
        results.reconcile(line_item, policy="resend")
    assert raised.value.read == 20
    assert isinstance(raised.value.__cause__, ExchangeFailed)
    assert agreements() == before
    assert Result.objects.get(user_id=first).result_score == 9
    assert LineItem.objects.get().compared_at == compared
    assert DeliveryAttempt.objects.filter(kind="results").count() == attempts + 3
    assert not Score.objects.exclude(state=SyncState.DELIVERED).exists()


def test_a_deadline_ends_a_reading(line_item, deliver):
    give(line_item, deliver, u1=1)
    with pytest.raises(IncompleteReading) as raised:
        results.reconcile(line_item, deadline_seconds=-1)
    assert isinstance(raised.value.__cause__, NotStarted)
    assert agreements() == {}


def test_who_disappears_keeps_a_row_without_a_score(column, line_item, deliver):
    give(line_item, deliver, u1=1, u2=2)
    results.reconcile(line_item)
    del column.scores["u2"]
    results.reconcile(line_item)
    row = Result.objects.get(user_id="u2")
    assert (row.result_score, row.agreement) == (None, MISSING)


@pytest.mark.parametrize(
    ("values", "problem"), [({"policy": "fix"}, "'fix'; there are report and resend"), ({"overwrite_teachers": True}, "resend")]
)
def test_bad_input_is_said(line_item, values, problem):
    with pytest.raises(ValueError, match=problem):
        results.reconcile(line_item, **values)
    assert not DeliveryAttempt.objects.exists()


def test_without_the_scope_it_is_said(campus):
    with pytest.raises(MissingScope):
        results.reconcile(line_items.from_launch(campus.claims(scope=[vocabulary.SCOPE_SCORE])))


def test_learners_that_differ_in_a_blank_or_in_case_stay_apart(campus, column, line_item, deliver):
    names = ("a", "A", "a ", "á")
    campus.course.enrol(*(User(id=name, login=f"x{number}", name=name) for number, name in enumerate(names)))
    for number, name in enumerate(names):
        record(line_item, name, number + 1)
    deliver()
    del column.scores["A"]
    results.reconcile(line_item)
    assert agreements() == {"a": IN_SYNC, "A": MISSING, "a ": IN_SYNC, "á": IN_SYNC}


def test_two_comparisons_at_once_agree(column, line_item, deliver, monkeypatch, told):
    give(line_item, deliver, u1=1, u2=2)
    del column.scores["u1"]
    real = reconcile.compare

    def twice(terms):
        list(real(terms))
        return real(terms)

    monkeypatch.setattr(reconcile, "compare", twice)
    assert results.reconcile(line_item).counts == {MISSING: 1, IN_SYNC: 1}
    assert told == [("u1", MISSING)]


def test_memory_does_not_grow_with_the_column(make_campus, monkeypatch):
    campus = make_campus(learners=1)
    line_item = campus.line_item()
    monkeypatch.setattr(type(campus.platform.gradebook), "page_size", 20)
    held = []
    gc.collect()
    gc.freeze()  # what is there already is neither counted nor looked through

    def watch(rows, objects, **options):
        gc.collect()
        held.append(sum(isinstance(one, Result | types.Result) for one in gc.get_objects()))
        outbox_sql.upsert_by_pk(rows, objects, **options)

    for module in (comparing, result_rows):
        monkeypatch.setattr(module, "_BATCH", 20)
        monkeypatch.setattr(module, "upsert_by_pk", watch)

    def most(learners):
        users = [User(id=f"m{number}", login=f"m{number}", name="x") for number in range(learners)]
        campus.course.enrol(*users)
        for user in users:
            campus.platform.set_result(campus.link.line_item, user.id, 5)
        held.clear()
        assert results.reconcile(line_item).counts == {Agreement.ONLY_AT_PLATFORM: learners}
        return max(held)

    few = most(60)
    more = most(240)
    gc.unfreeze()
    assert more <= few


def test_a_column_where_all_wait_and_one_without_any(line_item):
    assert results.reconcile(line_item).counts == {}
    record(line_item)
    assert results.reconcile(line_item).counts == {Agreement.WAITING: 1}
    assert not Result.objects.exists()


def test_a_number_that_was_sent_before_a_clear_is_no_edit(campus, column, line_item, deliver):
    give(line_item, deliver, u1=3)
    scores.clear(line_item, "u1")
    deliver()
    give(line_item, deliver, u1=9)
    campus.platform.set_result(column, "u1", 3)
    assert results.reconcile(line_item).counts == {DIFFERS: 1}


def test_who_was_only_at_the_platform_and_is_there_no_more_counts_for_nothing(campus, column, line_item):
    campus.platform.set_result(column, "u4", 4)
    assert results.reconcile(line_item).counts == {Agreement.ONLY_AT_PLATFORM: 1}
    del column.scores["u4"]
    assert results.reconcile(line_item).counts == {}
    assert agreements() == {"u4": ""}
