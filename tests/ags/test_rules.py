"""What AGS 2.0 allows a score to be."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.ags.rules import MAX_COMMENT, MAX_USER_ID, check_extensions, check_number, check_text, check_time, validate_score
from django_lti_ags.ags.types import compact_json, wire_number
from django_lti_ags.ags.vocabulary import ActivityProgress, GradingProgress
from django_lti_ags.exceptions import InvalidScore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEN = {"score_given": 1, "score_maximum": 10}


class Nowhere(tzinfo):
    """A zone that does not know its offset: such a time is naive."""

    def utcoffset(self, moment):
        return None


def refused(**fields):
    with pytest.raises(InvalidScore) as caught:
        validate_score(**({"user_id": "u1"} | fields))
    return caught.value


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"score_given": 0, "score_maximum": 1},
        {"score_given": 12, "score_maximum": 10},  # extra credit (AGS 2.0, 3.4.5)
        {"score_given": Decimal("0.1"), "score_maximum": Decimal(1)},
        {"score_given": -0.0, "score_maximum": 5e-324},
        {"score_maximum": 10},
        {"user_id": "u" * MAX_USER_ID},
        {"user_id": " ü\n"},
        {"comment": ""},
        {"comment": "x" * MAX_COMMENT},
        {"started_at": NOON, "submitted_at": NOON},
        {"submitted_at": NOON},
        {"started_at": NOON.astimezone(timezone(timedelta(hours=9))), "submitted_at": NOON + timedelta(microseconds=1)},
        {"started_at": datetime(1970, 1, 1, tzinfo=UTC)},
        {"scoring_user_id": "t1"},
        {"extensions": None},
        {"extensions": {}},
        {"extensions": {"https://x.example/y": {"a": [1, None, "ü"]}}},
    ],
)
def test_what_the_standard_allows(fields):
    validate_score(**({"user_id": "u1"} | fields))


@pytest.mark.parametrize("activity", list(ActivityProgress))
@pytest.mark.parametrize("grading", list(GradingProgress))
def test_every_word_is_known_as_member_and_as_text(activity, grading):
    validate_score(user_id="u1", activity_progress=activity, grading_progress=grading)
    validate_score(user_id="u1", activity_progress=activity.value, grading_progress=grading.value)


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"user_id": None}, "user_id", "a string"),
        ({"user_id": 7}, "user_id", "a string"),
        ({"user_id": b"u"}, "user_id", "a string"),
        ({"user_id": ""}, "user_id", "blank"),
        ({"user_id": " \t\n\u3000"}, "user_id", "blank"),
        ({"user_id": "u" * (MAX_USER_ID + 1)}, "user_id", "255 characters, it has 256"),
        ({"user_id": "a\x00"}, "user_id", "NUL"),
        ({"user_id": "\udc00"}, "user_id", "surrogate"),
        ({"scoring_user_id": ""}, "scoring_user_id", "blank"),
        ({"scoring_user_id": 1}, "scoring_user_id", "a string"),
        ({"comment": 5}, "comment", "a string"),
        ({"comment": "x" * (MAX_COMMENT + 1)}, "comment", "65536"),
        ({"comment": "\x00"}, "comment", "NUL"),
        ({"comment": "\ud800"}, "comment", "surrogate"),
        ({"score_given": -1, "score_maximum": 10}, "score_given", "negative"),
        ({"score_given": -1e-300, "score_maximum": 10}, "score_given", "negative"),
        ({"score_given": 1}, "score_maximum", "is needed"),
        ({"score_given": 0}, "score_maximum", "is needed"),
        ({"score_maximum": 0}, "score_maximum", "above zero"),
        ({"score_maximum": -0.0}, "score_maximum", "above zero"),
        ({"score_given": 1, "score_maximum": -10}, "score_maximum", "above zero"),
        ({"score_maximum": Decimal("1e-400")}, "score_maximum", "above zero"),  # 0.0 on the wire
        ({"activity_progress": "completed"}, "activity_progress", "Submitted"),
        ({"activity_progress": None}, "activity_progress", "Submitted"),
        ({"activity_progress": []}, "activity_progress", "Submitted"),
        ({"activity_progress": GradingProgress.NOT_READY}, "activity_progress", "Submitted"),
        ({"grading_progress": "Completed"}, "grading_progress", "PendingManual"),
        ({"started_at": NOON, "submitted_at": NOON - timedelta(microseconds=1)}, "submitted_at", "before started_at"),
        ({"started_at": "2026-03-01T12:00:00Z"}, "started_at", "a datetime"),
        ({"submitted_at": NOON.replace(tzinfo=None)}, "submitted_at", "aware"),
        ({"started_at": NOON.replace(tzinfo=Nowhere())}, "started_at", "aware"),
        ({"started_at": NOON.replace(year=1969)}, "started_at", "1970"),
        ({"extensions": ["x"]}, "extensions", "mapping"),
        ({"extensions": 0}, "extensions", "mapping"),
        ({"extensions": ""}, "extensions", "mapping"),
    ],
)
def test_what_it_does_not(fields, field, told):
    error = refused(**fields)
    assert error.field == field
    assert told in error.rule
    assert str(error).startswith(f"{field}=")


@pytest.mark.parametrize("field", ["score_given", "score_maximum"])
@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        10**400,
        -(10**400),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1e400"),
        True,
        False,
        "5",
        1j,
        [],
    ],
)
def test_what_is_no_json_number(field, value):
    error = refused(**(TEN | {field: value}))
    assert error.field == field
    assert error.value is value


@given(st.floats() | st.integers() | st.decimals(), st.floats() | st.integers() | st.decimals())
def test_whatever_passes_can_be_sent(given_, maximum):
    try:
        validate_score(user_id="u1", score_given=given_, score_maximum=maximum)
    except InvalidScore:
        return
    sent = json.loads(compact_json([wire_number(given_), wire_number(maximum)]))
    assert sent[0] >= 0
    assert sent[1] > 0
    assert sent == [float(given_), float(maximum)]


@given(st.one_of(st.none(), st.booleans(), st.text(), st.binary(), st.lists(st.integers()), st.complex_numbers()))
def test_no_other_type_is_a_number(value):
    with pytest.raises(InvalidScore):
        check_number("score_given", value)


@given(st.text(st.characters() | st.characters(categories=["Cs"]), max_size=20))
def test_text_that_passes_can_be_encoded(value):
    try:
        check_text("comment", value, 10)
    except InvalidScore:
        assert len(value) > 10 or "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value)
        return
    assert value.encode().decode() == value
    assert len(value) <= 10


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.one_of(st.none(), st.datetimes(), st.datetimes(timezones=st.timezones()), st.dates(), st.integers()))
def test_a_time_is_aware_or_none(value):
    try:
        check_time("started_at", value)
    except InvalidScore:
        assert not isinstance(value, datetime) or value.tzinfo is None or value - EPOCH < timedelta(0) or value.year == 9999
        return
    assert value is None or value.utcoffset() is not None


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("extensions", "told"),
    [
        ({"plain": 1}, "full URL"),
        ({7: 1}, "full URL"),
        ({"https://x.example/": math.nan}, "not JSON"),
        ({"https://x.example/": -math.inf}, "not JSON"),
        ({"https://x.example/": {1, 2}}, "not JSON"),
        ({"https://x.example/": NOON}, "not JSON"),
        ({"https://x.example/": nested(100_000)}, "not JSON"),
        ({"https://x.example/": "\ud800"}, "not JSON"),
        ({"https://x.example/\udfff": 1}, "not JSON"),
        ({"https://x.example/": "a\x00b"}, "NUL"),
        ({"https://x.example/": {"a\x00": 1}}, "NUL"),
        ({"https://x.example/\x00": 1}, "NUL"),
        ({"https://x.example/": nested(20)}, "20 deep"),
        ({"https://x.example/": {"a": {7: 1}}}, "not a string"),
        ({"https://x.example/": {None: 1}}, "not a string"),
        ({"https://x.example/": [{"a", "b"}]}, "holds a set"),
        ({"https://x.example/": b"bytes"}, "holds a bytes"),
        ({"https://x.example/": Decimal(1)}, "holds a Decimal"),
        ({"https://x.example/": "x" * 65_536}, "65536 bytes"),
        ({"https://x.example/": "é" * 33_000}, "65536 bytes"),
        ({f"https://x.example/{number}": "x" * 1000 for number in range(70)}, "65536 bytes"),
        ({"https://x.example/": [0] * 100_000}, "too many parts"),
        ({"https://x.example/": 10**5000}, "not JSON"),
    ],
)
def test_an_extension_that_cannot_be_sent(extensions, told):
    with pytest.raises(InvalidScore, match=told) as caught:
        check_extensions(extensions)
    assert caught.value.field == "extensions"


def test_an_extension_that_holds_itself():
    circle = {}
    circle["https://x.example/"] = circle
    with pytest.raises(InvalidScore, match="not JSON"):
        check_extensions(circle)


def test_extensions_as_deep_and_large_as_they_may_be():
    check_extensions({"https://x.example/": nested(19)})
    check_extensions({"https://x.example/": "x" * 65_000})
    check_extensions({"https://x.example/": (1, 2)})


def test_an_escaped_backslash_is_no_nul_character():
    check_extensions({"https://x.example/": "a\\u0000b"})
    with pytest.raises(InvalidScore, match="NUL"):
        check_extensions({"https://x.example/": "a\\\x00b"})


@given(
    st.dictionaries(
        st.text(max_size=3).map("https://x.example/".__add__), st.recursive(st.none() | st.floats() | st.text(), st.lists, max_leaves=5)
    )
)
def test_extensions_that_pass_can_be_sent(extensions):
    try:
        check_extensions(extensions)
    except InvalidScore:
        return
    assert json.loads(compact_json(extensions)) == extensions
