"""What a tool's own code calls: record, record_many, clear, retry, cancel."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags import scores
from django_lti_ags.exceptions import WrongDatabase
from django_lti_ags.models import Event, Score, SyncState
from django_lti_ags.sync.engine import deliver_due

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD_QUERIES = 4


@pytest.fixture
def line_item(campus):
    return campus.line_item()


def test_record_returns_the_row(line_item):
    row = scores.record(line_item, user_id="u1", score_given=Decimal("7.5"), score_maximum=10, comment="ok", submitted_at=NOON)
    assert (row.state, row.version, row.score_given, row.comment, row.submitted_at) == (SyncState.PENDING, 1, 7.5, "ok", NOON)
    assert row.due_at is not None
    assert row.line_item is line_item
    assert Score.objects.get() == row


@pytest.mark.parametrize("already", [False, True])
def test_record_takes_at_most_four_queries_inside_the_callers_transaction(line_item, already):
    if already:
        scores.record(line_item, user_id="u1", score_given=1, score_maximum=10)
    with (
        transaction.atomic(),
        CaptureQueriesContext(
            connection,
        ) as queries,
    ):
        scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    assert len([query for query in queries if "COMMIT" not in query["sql"] and "BEGIN" not in query["sql"]]) <= RECORD_QUERIES


def test_recording_the_same_again_changes_nothing(line_item):
    first = scores.record(line_item, user_id="u1", score_given=8, score_maximum=10, extensions={"https://x.example/a": [1, 2]})
    with CaptureQueriesContext(connection) as queries:
        again = scores.record(
            line_item, user_id="u1", score_given=8.0, score_maximum=Decimal(10), extensions={"https://x.example/a": (1, 2)}
        )
    assert (again.version, again.recorded_at) == (1, first.recorded_at)
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    assert Score.objects.get().version == 1


def test_a_change_raises_the_version(line_item):
    scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    assert scores.record(line_item, user_id="u1", score_given=8, score_maximum=10, comment="now with words").version == 2


@pytest.mark.parametrize("state", [SyncState.FAILED, SyncState.BLOCKED, SyncState.SUPERSEDED, SyncState.CANCELLED])
def test_recording_the_same_again_revives_what_rests(line_item, state):
    scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    Score.objects.update(state=state, due_at=None, code="server_error", tries=7)
    row = scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    assert (row.state, row.tries, row.code) == (SyncState.PENDING, 0, "")
    assert row.version == (1 if state in (SyncState.FAILED, SyncState.BLOCKED) else 2)


def test_what_is_being_sent_keeps_its_lease(line_item):
    row = scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    token = row.uid
    Score.objects.update(state=SyncState.SENDING, lease_token=token, wire_version=1)
    again = scores.record(line_item, user_id="u1", score_given=9, score_maximum=10)
    assert (again.state, again.lease_token, again.version) == (SyncState.SENDING, token, 2)


BAD = [
    ({"score_given": float("nan")}, "score_given"),
    ({"score_given": float("inf")}, "score_given"),
    ({"score_given": -1}, "score_given"),
    ({"score_given": True}, "score_given"),
    ({"score_given": "8"}, "score_given"),
    ({"score_given": 10**400}, "score_given"),
    ({"score_given": Decimal("sNaN")}, "score_given"),
    ({"score_maximum": None}, "score_maximum"),
    ({"score_maximum": 0}, "score_maximum"),
    ({"score_maximum": -5}, "score_maximum"),
    ({"activity_progress": "Done"}, "activity_progress"),
    ({"grading_progress": "fullygraded"}, "grading_progress"),
    ({"started_at": datetime(2026, 1, 1)}, "started_at"),  # noqa: DTZ001 - naive on purpose
    ({"submitted_at": "2026-01-01"}, "submitted_at"),
    ({"started_at": NOON, "submitted_at": NOON - timedelta(seconds=1)}, "submitted_at"),
    ({"submitted_at": datetime(1, 1, 1, tzinfo=UTC)}, "submitted_at"),
    ({"user_id": ""}, "user_id"),
    ({"user_id": " \t"}, "user_id"),
    ({"user_id": "x" * 256}, "user_id"),
    ({"user_id": "a\x00"}, "user_id"),
    ({"user_id": 7}, "user_id"),
    ({"comment": "nul \x00"}, "comment"),
    ({"comment": "half \ud800"}, "comment"),
    ({"comment": "x" * 1_000_000}, "comment"),
    ({"scoring_user_id": "  "}, "scoring_user_id"),
    ({"extensions": {"plain": 1}}, "extensions"),
    ({"extensions": {"https://x.example/a": float("nan")}}, "extensions"),
    ({"extensions": {"https://x.example/a": object()}}, "extensions"),
    ({"extensions": {"https://x.example/a": "\x00"}}, "extensions"),
    ({"extensions": {"https://x.example/a": "\ud800"}}, "extensions"),
    ({"extensions": [1]}, "extensions"),
    ({"extensions": 0}, "extensions"),
    ({"comment": 0}, "comment"),
    ({"comment": b""}, "comment"),
    ({"scoring_user_id": 0}, "scoring_user_id"),
]


@pytest.mark.parametrize(("wrong", "field"), BAD)
def test_bad_input_names_field_value_and_rule_and_stores_nothing(line_item, wrong, field):
    fields = {"user_id": "u1", "score_given": 8, "score_maximum": 10} | wrong
    with pytest.raises(ValidationError) as caught:
        scores.record(line_item, **fields)
    assert list(caught.value.message_dict) == [field]
    assert f"{field}=" in caught.value.message_dict[field][0]
    assert not Score.objects.exists()


@pytest.mark.django_db
@given(
    st.fixed_dictionaries(
        {"user_id": st.one_of(st.text(max_size=300), st.integers(), st.none())},
        optional={
            "score_given": st.one_of(st.floats(), st.integers(), st.decimals(), st.booleans(), st.text()),
            "score_maximum": st.one_of(st.floats(), st.integers(), st.none()),
            "comment": st.one_of(st.text(), st.characters(categories=["Cs"]), st.binary()),
            "submitted_at": st.one_of(st.datetimes(), st.datetimes(timezones=st.timezones())),
            "activity_progress": st.text(),
        },
    )
)
def test_whatever_comes_in_is_kept_or_refused_whole(fields):
    try:
        statement = scores._statement(fields)
    except ValidationError as refused:
        told = refused.message_dict
    else:
        told = {"kept": [statement.user_id]}
        assert statement.user_id.strip()
        assert statement.score_given is None or (statement.score_given >= 0 and statement.score_maximum > 0)
    assert told


def test_record_many_says_what_it_did(line_item):
    items = [{"user_id": f"m{number}", "score_given": number, "score_maximum": 10} for number in range(5)]
    assert scores.record_many(line_item, items) == scores.Summary(created=5)
    items[0]["score_given"] = 9
    assert scores.record_many(line_item, [*items, {"user_id": "m9"}]) == scores.Summary(created=1, changed=1, unchanged=4)
    assert Score.objects.get(user_id="m0").version == 2
    assert scores.record_many(line_item, []) == scores.Summary()


def test_record_many_is_all_or_nothing_with_an_error_per_item(line_item):
    items = [
        {"user_id": "a", "score_given": 1, "score_maximum": 10},
        {"user_id": "b", "score_given": -1, "score_maximum": 10},
        {"user_id": "a", "score_given": 2, "score_maximum": 10},
        {"score_given": 2, "score_maximum": 10},
        {"user_id": "c", "points": 3},
    ]
    with pytest.raises(ValidationError) as caught:
        scores.record_many(line_item, items)
    messages = caught.value.messages
    assert [message.split(":")[0] for message in messages] == ["Item 1", "Item 2", "Item 3", "Item 4"]
    assert "given already by item 0" in messages[1]
    assert "Not a field of a score" in messages[3]
    assert not Score.objects.exists()


def test_record_many_shortens_a_flood_of_errors(line_item):
    with pytest.raises(ValidationError) as caught:
        scores.record_many(line_item, [{"user_id": ""} for _ in range(50)])
    assert caught.value.messages[-1] == "… and 30 more"


@pytest.mark.parametrize("changed", [False, True])
def test_ten_thousand_scores_take_few_queries(line_item, changed):
    def items(given):
        return [{"user_id": f"m{number}", "score_given": given, "score_maximum": 10} for number in range(10_000)]

    if changed:
        scores.record_many(line_item, items(1))
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        summary = scores.record_many(line_item, items(2))
    assert summary == (scores.Summary(changed=10_000) if changed else scores.Summary(created=10_000))
    per_thousand = 46 if connection.vendor == "sqlite" else 4
    assert len([query for query in queries if "COMMIT" not in query["sql"] and "BEGIN" not in query["sql"]]) <= per_thousand * 10


def test_learners_that_only_look_alike_stay_apart(line_item):
    names = ["a", "A", "á", "a ", "ａ"]
    for number, name in enumerate(names):
        scores.record(line_item, user_id=name, score_given=number, score_maximum=10)
    assert {row.user_id: row.score_given for row in Score.objects.all()} == {name: float(number) for number, name in enumerate(names)}


def test_clear_is_a_score_without_a_number(line_item):
    scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    row = scores.clear(line_item, "u1")
    assert (row.score_given, row.version, row.grading_progress) == (None, 2, "NotReady")


def test_retry_sends_the_resting_again_and_the_waiting_at_once(line_item):
    for number, state in enumerate([SyncState.FAILED, SyncState.BLOCKED, SyncState.DELIVERED, SyncState.CANCELLED]):
        row = scores.record(line_item, user_id=f"r{number}", score_given=1, score_maximum=10)
        Score.objects.filter(pk=row.pk).update(state=state, due_at=None, tries=5, code="server_error")
    late = scores.record(line_item, user_id="late", score_given=1, score_maximum=10)
    Score.objects.filter(pk=late.pk).update(due_at=late.due_at + timedelta(days=1))

    assert scores.retry(Score.objects.all()) == 3

    states = dict(Score.objects.values_list("user_id", "state"))
    assert states == {"r0": "pending", "r1": "pending", "r2": "delivered", "r3": "cancelled", "late": "pending"}
    late.refresh_from_db()
    assert late.due_at < late.recorded_at + timedelta(hours=1)


def test_retry_lifts_the_block_above(line_item):
    row = scores.record(line_item, user_id="u1", score_given=1, score_maximum=10)
    Score.objects.update(state=SyncState.BLOCKED, due_at=None, code="forbidden")
    type(line_item).objects.update(block_code="forbidden", blocked_at=NOON)
    assert scores.retry(row) == 1
    line_item.refresh_from_db()
    assert line_item.block_code == ""


def test_cancel_takes_back_what_nobody_sends(line_item):
    scores.record(line_item, user_id="u1", score_given=1, score_maximum=10)
    sending = scores.record(line_item, user_id="u2", score_given=1, score_maximum=10)
    Score.objects.filter(pk=sending.pk).update(state=SyncState.SENDING, lease_token=sending.uid)
    assert scores.cancel(Score.objects.all(), reason="wrong quiz") == 1
    row = Score.objects.get(user_id="u1")
    assert (row.state, row.due_at, row.detail) == (SyncState.CANCELLED, None, "wrong quiz")
    assert Event.objects.get().name == "score_cancelled"
    with pytest.raises(ValidationError):
        scores.cancel([row], reason=" ")


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_score_is_not_sent(campus):
    scores.record(campus.line_item(), user_id="u1", score_given=1, score_maximum=10)
    scores.cancel(Score.objects.all(), reason="wrong quiz")
    deliver_due()
    assert campus.shown("u1") is None


@pytest.mark.django_db(transaction=True)
def test_arecord_records(campus):
    line_item = campus.line_item()
    row = async_to_sync(scores.arecord)(line_item, user_id="u1", score_given=8, score_maximum=10)
    assert Score.objects.get() == row


@pytest.mark.django_db(transaction=True)
def test_a_transaction_on_another_database_is_refused(campus, monkeypatch):
    line_item = campus.line_item()

    class Elsewhere:
        alias = "other"
        in_atomic_block = True

    from django_lti_ags.sync import recording

    monkeypatch.setattr(recording.connections, "all", lambda initialized_only=False: [Elsewhere()])
    with pytest.raises(WrongDatabase, match="'other'"):
        scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    assert not Score.objects.exists()


WOKEN = []


def wake():
    WOKEN.append(1)


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_woken_after_the_commit(campus, settings):
    settings.LTI_AGS = settings.LTI_AGS | {"WAKE": f"{__name__}.wake"}
    line_item = campus.line_item()
    WOKEN.clear()
    with transaction.atomic():
        scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
        assert WOKEN == []
    assert WOKEN == [1]


@pytest.mark.parametrize("item", [None, 5, [], {1: 2, "a": 3}])
def test_an_item_that_is_no_score_is_an_error_of_its_own(line_item, item):
    with pytest.raises(ValidationError, match="Item 0"):
        scores.record_many(line_item, [item, {"user_id": "u1", "score_given": 8, "score_maximum": 10}])
    assert not Score.objects.exists()


def test_true_is_not_one(line_item):
    name = "https://x.example/a"
    for value, version in ((True, 1), (True, 1), (1, 2), ([1], 3), ([True], 4)):
        row = scores.record(line_item, user_id="u1", score_given=8, score_maximum=10, extensions={name: value})
        assert row.version == version


@pytest.mark.parametrize("reason", ["", " ", None, 5, "nul \x00", "half \ud800", "x" * 1_000_000])
def test_a_reason_that_is_none_cancels_nothing(line_item, reason):
    row = scores.record(line_item, user_id="u1", score_given=8, score_maximum=10)
    with pytest.raises(ValidationError, match="reason"):
        scores.cancel(row, reason=reason)
    row.refresh_from_db()
    assert row.state == SyncState.PENDING


def test_retry_takes_a_slice_a_list_a_row_and_a_query(line_item):
    scores.record_many(line_item, [{"user_id": f"u{n}", "score_given": 1, "score_maximum": 10} for n in range(6)])
    rows = Score.objects.order_by("pk")
    assert [scores.retry(chosen) for chosen in (rows, rows[:2], list(rows), rows[0], rows.none())] == [6, 2, 6, 1, 0]
