"""Line items, scores and results, to the wire and back."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.ags.types import UNSET, LineItem, Result, Score, compact_json, wire_number, wire_time
from django_lti_ags.exceptions import InvalidLineItem, InvalidScore
from tests.ags.scripted import answer

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_score_on_the_wire():
    score = Score(
        user_id="u1",
        timestamp=NOON.astimezone(timezone(timedelta(hours=5, minutes=30))),
        score_given=Decimal("8.50"),
        score_maximum=10.0,
        comment="Zwölf\n“ok”",
        started_at=NOON,
        submitted_at=NOON + timedelta(minutes=1),
        scoring_user_id="t1",
        extensions={"https://x.example/y": {"a": 1}},
    )
    body = score.to_json()
    assert body == {
        "userId": "u1",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-03-01T12:00:00.123456Z",
        "scoreGiven": 8.5,
        "scoreMaximum": 10,
        "comment": "Zwölf\n“ok”",
        "scoringUserId": "t1",
        "submission": {"startedAt": "2026-03-01T12:00:00.123456Z", "submittedAt": "2026-03-01T12:01:00.123456Z"},
        "https://x.example/y": {"a": 1},
    }
    text = compact_json(body)
    assert b'"scoreMaximum":10,' in text
    assert b"\n" not in text
    assert b", " not in text
    assert json.loads(text) == body


def test_a_cleared_score_has_no_number():
    body = Score(user_id="u1", timestamp=NOON, grading_progress="NotReady").to_json()
    assert "scoreGiven" not in body
    assert "scoreMaximum" not in body


@pytest.mark.parametrize("wrong", [{"timestamp": None}, {"timestamp": datetime(2026, 1, 1)}, {"score_given": 1}, {"user_id": ""}])  # noqa: DTZ001
def test_a_bad_score_cannot_be_made(wrong):
    with pytest.raises(InvalidScore) as caught:
        Score(**({"user_id": "u1", "timestamp": NOON} | wrong))
    assert caught.value.field in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "https://l.example/1", "label": "Essay", "scoreMaximum": 20},
        {"label": "Essay", "scoreMaximum": 12.5, "resourceId": "r", "tag": "t", "resourceLinkId": "l", "gradesReleased": False},
        {"label": "E", "scoreMaximum": 1, "startDateTime": None, "endDateTime": "2026-03-06T20:05:02Z"},
        {"label": "E", "scoreMaximum": 1, "submissionReview": {"reviewableStatus": ["Submitted"]}, "https://x.example/y": [1, None]},
    ],
)
def test_a_line_item_comes_back_as_it_was(body):
    assert LineItem.from_json(body).to_json() == body


def test_a_date_that_is_set_goes_out_in_utc():
    assert LineItem(label="E", score_maximum=1, start_date_time=NOON).to_json()["startDateTime"] == "2026-03-01T12:00:00.123456Z"
    assert repr(UNSET) == "UNSET"
    assert not UNSET


@pytest.mark.parametrize(
    "wrong", [{"label": " "}, {"score_maximum": 0}, {"score_maximum": float("nan")}, {"score_maximum": True}, {"extensions": {"x": 1}}]
)
def test_a_bad_line_item_cannot_be_made(wrong):
    with pytest.raises(InvalidLineItem):
        LineItem(**({"label": "Essay", "score_maximum": 1} | wrong))


@pytest.mark.parametrize("body", [[], "x", None, 7])
def test_an_answer_that_is_no_line_item_is_refused(body):
    with pytest.raises(ValueError):
        LineItem.from_json(body)


@pytest.mark.parametrize(
    ("body", "maximum", "label"),
    [
        ({"label": 1.5, "scoreMaximum": 1}, 1, ""),
        ({"label": "x", "scoreMaximum": "many"}, None, "x"),
        ({"label": "x"}, None, "x"),
        ({"label": "x", "scoreMaximum": None}, None, "x"),
        ({"label": "x", "scoreMaximum": 0}, 0, "x"),
        ({"label": "x", "scoreMaximum": -5}, -5, "x"),
        ({"label": " ", "scoreMaximum": 1}, 1, " "),
        ({"scoreMaximum": 1}, 1, ""),
        ({"label": "x\x00", "scoreMaximum": 1}, 1, ""),
        ({"label": "x", "scoreMaximum": 10**400}, None, "x"),
    ],
)
def test_an_odd_column_is_read_but_not_sent(body, maximum, label):
    item = LineItem.from_json(body | {"id": "https://l.example/1", "tag": "t", "resourceId": 7, "resourceLinkId": "l"})
    assert (item.score_maximum, item.label) == (maximum, label)
    assert (item.id, item.tag, item.resource_id, item.resource_link_id) == ("https://l.example/1", "t", "7", "l")
    with pytest.raises(InvalidLineItem):
        item.to_json()
    assert replace(item, label="x", score_maximum=1).to_json()["label"] == "x"


def test_what_is_odd_in_a_column_that_is_read_is_left_out():
    odd = {"gradesReleased": "yes", "submissionReview": "yes", "startDateTime": 5.5, "endDateTime": [], "tag": 5.5, "id": "\ud800"}
    item = LineItem.from_json({"label": "E", "scoreMaximum": 1, "resourceId": {}} | odd | {"https://x.example/": math.nan})
    assert item == LineItem(label="E", score_maximum=1, start_date_time=None, end_date_time=None)
    assert LineItem.from_json({"label": "E", "scoreMaximum": 1, "submissionReview": {"a": "\x00"}}).submission_review is None


@pytest.mark.parametrize("name", ["userId", "id", "scoreOf", "scoringUserId"])
@pytest.mark.parametrize("character", ["\x00", "\ud800"])
def test_a_result_whose_ids_cannot_be_stored_is_refused(name, character):
    with pytest.raises(ValueError, match=name):
        Result.from_json({"userId": "u1", name: f"a{character}b"})


def test_what_of_a_result_cannot_be_stored_is_left_out():
    deep = []
    for _ in range(50):
        deep = [deep]
    odd = {"nan": math.nan, "nul": "a\x00", "surrogate": ["\ud800"], "deep": deep, "large": "x" * 70_000, "good": {"a": [1]}}
    result = Result.from_json(
        {"userId": "u1", "comment": "a\x00\ud800b"} | {f"https://x.example/{name}": value for name, value in odd.items()}
    )
    assert result.extensions == {"https://x.example/good": {"a": [1]}}
    assert result.comment == "a\ufffd\ufffdb"
    many = Result.from_json({"userId": "u1"} | {f"https://x.example/{number}": "x" * 1000 for number in range(100)})
    assert 50 < len(many.extensions) < 66


def test_one_odd_column_does_not_hide_the_others(scripted):
    listed = [{"id": "a", "label": "", "scoreMaximum": 0}, {"id": "b", "label": "E", "scoreMaximum": 1, "tag": "t"}]
    client, server = scripted("read", answer(json.dumps(listed).encode()))
    assert [(item.id, item.tag) for item in client.list_line_items(server.url)] == [("a", None), ("b", "t")]


EDGES = [
    datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-5))),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    datetime.max.replace(tzinfo=UTC),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=12))),
    datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=5))),
]


@pytest.mark.parametrize("moment", EDGES)
@pytest.mark.parametrize("name", ["timestamp", "started_at", "submitted_at"])
def test_a_time_that_cannot_be_written_in_utc_is_no_score(moment, name):
    with pytest.raises(InvalidScore, match="lies") as caught:
        Score(**({"user_id": "u1", "timestamp": NOON} | {name: moment}))
    assert caught.value.field == name


@pytest.mark.parametrize("moment", [datetime(1969, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))), datetime(9998, 12, 31, tzinfo=UTC)])
def test_a_time_that_can_be_written_in_utc_is_one(moment):
    assert Score(user_id="u1", timestamp=moment).to_json()["timestamp"][:4] in ("1970", "9998")


def test_a_result_without_a_maximum_is_of_one_and_without_a_score_of_none():
    result = Result.from_json({"userId": 7, "id": "https://l.example/r", "https://x.example/y": 1})
    assert (result.user_id, result.result_score, result.result_maximum, result.extensions) == ("7", None, 1.0, {"https://x.example/y": 1})
    assert Result.from_json({"userId": "u", "resultScore": "0.5", "resultMaximum": 0}).result_score == 0.5


@pytest.mark.parametrize(
    "body", [{}, {"userId": ""}, {"userId": "u", "resultScore": True}, {"userId": "u", "resultScore": float("inf")}, 7]
)
def test_an_answer_that_is_no_result_is_refused(body):
    with pytest.raises(ValueError):
        Result.from_json(body)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)
NAMES = ["id", "label", "scoreMaximum", "resourceId", "tag", "startDateTime", "gradesReleased", "submissionReview", "https://x.example/y"]
NAMES += ["userId", "resultScore", "resultMaximum", "comment", "scoreOf", "scoringUserId"]


@given(st.dictionaries(st.sampled_from(NAMES), JSON) | JSON)
def test_no_answer_breaks_more_than_a_value_error(body):
    for kind in (LineItem, Result):
        told = ""
        try:
            kind.from_json(body)
        except ValueError as problem:
            told = str(problem)
        assert len(told) < 400


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_a_line_item_that_was_read_can_be_written(body):
    try:
        item = LineItem.from_json({"label": "E", "scoreMaximum": 1} | body)
        written = item.to_json()
    except ValueError:
        return
    assert LineItem.from_json(json.loads(compact_json(written))) == item


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_arrives_as_it_was(value):
    assert float(json.loads(compact_json(wire_number(value)))) == value


@pytest.mark.parametrize(
    ("value", "written"), [(10, b"10"), (10.0, b"10"), (Decimal("10.00"), b"10"), (-0.0, b"0"), (0.1, b"0.1"), (Decimal("0.10"), b"0.1")]
)
def test_numbers_are_written_short(value, written):
    assert compact_json(wire_number(value)) == written


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}])
def test_json_has_no_other_numbers(value):
    with pytest.raises(ValueError):
        compact_json(value)


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.timezones()))  # noqa: DTZ001 - hypothesis wants it naive
def test_a_time_arrives_as_it_was(moment):
    written = wire_time(moment)
    assert len(written) == len("2026-03-01T12:00:00.123456Z")
    assert datetime.fromisoformat(written) == moment.astimezone(UTC)


def test_a_score_without_a_given_one_tells_its_maximum():
    body = Score(user_id="u1", timestamp=NOON, score_maximum=10, activity_progress="Started", grading_progress="NotReady").to_json()
    assert body["scoreMaximum"] == 10
    assert "scoreGiven" not in body
    assert "submission" not in body
    assert "comment" not in body


def test_a_score_without_extensions():
    assert Score(user_id="u1", timestamp=NOON, extensions=None).to_json() == Score(user_id="u1", timestamp=NOON).to_json()


def test_zero_is_a_score():
    body = Score(user_id="u1", timestamp=NOON, score_given=0, score_maximum=10, comment="").to_json()
    assert (body["scoreGiven"], body["comment"]) == (0, "")


def test_an_extension_does_not_replace_a_field():
    with pytest.raises(InvalidScore, match="full URL"):
        Score(user_id="u1", timestamp=NOON, extensions={"userId": "u2"})


@pytest.mark.parametrize("maximum", [Decimal("sNaN"), Decimal("NaN"), 10**400, Decimal("1e400"), Decimal("1e-400"), "5", None, -1])
def test_a_line_item_of_no_sendable_maximum(maximum):
    with pytest.raises(InvalidLineItem) as caught:
        LineItem(label="E", score_maximum=maximum)
    assert caught.value.field == "score_maximum"


@pytest.mark.parametrize("number", [10**400, "1e999", "nan", True, [], {}])
def test_an_answer_whose_number_is_none_names_the_field(number):
    with pytest.raises(ValueError, match="resultScore"):
        Result.from_json({"userId": "u", "resultScore": number})


def test_a_result_in_full():
    body = {"userId": "u", "id": "r", "scoreOf": "l", "resultScore": 0, "resultMaximum": 20, "comment": "c", "scoringUserId": "t"}
    expected = Result(user_id="u", id="r", score_of="l", result_score=0.0, result_maximum=20.0, comment="c", scoring_user_id="t")
    assert Result.from_json(body | {"unknown": 1}) == expected
