"""Lengths of time, read and written."""

import pytest

from django_lti_ags.durations import parse, spoken, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("36h", 129_600), ("90d", 7_776_000), (" 2w ", 1_209_600), ("1.5h", 5400), ("0.5s", 0.5)],
)
def test_parse(text, seconds):
    assert parse(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "0s", "5 m", "1y", "1h30m", "nan", "1e3s", "٣m", "1.5.5d", "99999999d", "9" * 99])
def test_what_is_none_is_refused(text):
    with pytest.raises(ValueError, match="is no span of time above zero: write a number and a unit"):
        parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(7_776_000, "90d"), (5400, "90m"), (3600, "1h"), (90, "90s"), (0.5, "0.5s"), (1_209_600, "14d")]
)
def test_written_in_whole_units_and_read_again(seconds, text):
    assert written(seconds) == text
    assert parse(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.84, "0.8 s"),
        (42.9, "42 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (11_100, "3 h 5 min"),
        (86_400 * 2 + 3600 * 4, "2 d 4 h"),
    ],
)
def test_spoken(seconds, text):
    assert spoken(seconds) == text
