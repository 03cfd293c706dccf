"""What Canvas would refuse or pass over is refused before it is stored, by field, value and rule."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.canvas import File, Submission
from django_lti_ags.canvas.submission import TYPES, hands_nothing_in
from django_lti_ags.canvas.submission_columns import LAUNCH_URL, SUBMISSION_TYPE, check_column_extensions
from django_lti_ags.exceptions import InvalidScore

FILE = File(url="https://t.example/a")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"submitted_at": datetime(2026, 1, 1)}, "submitted_at"),  # noqa: DTZ001 - the point
        ({"new_submission": 1}, "new_submission"),
        ({"preserve_score": None}, "preserve_score"),
        ({"prioritize_non_tool_grade": "yes"}, "prioritize_non_tool_grade"),
        ({"submission_type": "essay"}, "submission_type"),
        ({"submission_type": []}, "submission_type"),
        ({"submission_type": "online_upload"}, "content_items"),
        ({"submission_type": "online_url"}, "submission_data"),
        ({"submission_type": "online_url", "submission_data": "ftp://t.example"}, "submission_data"),
        ({"submission_type": "online_url", "submission_data": "https://[x"}, "submission_data"),
        ({"submission_type": "basic_lti_launch", "submission_data": "https://t.example/a b"}, "submission_data"),
        ({"submission_type": "online_text_entry", "submission_data": " "}, "submission_data"),
        ({"submission_type": "online_text_entry", "submission_data": "a\x00"}, "submission_data"),
        ({"submission_type": "online_text_entry", "submission_data": "é" * 60_000}, ""),
        ({"submission_data": "x"}, "submission_data"),
        ({"submission_type": "external_tool", "submission_data": "https://t.example"}, "submission_data"),
        ({"content_items": "x"}, "content_items"),
        ({"content_items": [{"url": "https://t.example/a"}]}, "content_items"),
        ({"content_items": [FILE], "submission_type": "online_url"}, "submission_type"),
        ({"content_items": [FILE], "submission_data": "x"}, "submission_data"),
        ({"new_submission": True, "submission_type": "none"}, "new_submission"),
        ({"new_submission": False, "content_items": [FILE]}, "new_submission"),
        ({"new_submission": False, "submission_type": "online_url", "submission_data": "https://t.example"}, "new_submission"),
    ],
)
def test_a_submission_that_canvas_would_not_take(said, field):
    with pytest.raises(InvalidScore) as refused:
        Submission(**said)
    assert refused.value.field == f"submission.{field}".rstrip(".")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"url": "a.txt"}, "url"),
        ({"url": None}, "url"),
        ({"url": "https://t.example/a", "title": ""}, "title"),
        ({"url": "https://t.example/a", "title": "x" * 256}, "title"),
        ({"url": "https://t.example/a", "media_type": "text"}, "media_type"),
    ],
)
def test_a_file_that_canvas_could_not_fetch(said, field):
    with pytest.raises(InvalidScore) as refused:
        File(**said)
    assert refused.value.field == f"submission.content_items.{field}"


def test_a_file_on_the_wire():
    assert FILE.to_json() == {"type": "file", "url": "https://t.example/a"}
    told = File(url="https://t.example/a", title="A", media_type="text/plain; charset=utf-8").to_json()
    assert (told["title"], told["media_type"]) == ("A", "text/plain; charset=utf-8")


MAYBE = st.one_of(st.none(), st.booleans())
DATA = st.one_of(st.none(), st.text(max_size=20), st.just("https://t.example/x"))


@given(
    new=MAYBE,
    preserve=st.booleans(),
    kind=st.one_of(st.none(), st.sampled_from(TYPES), st.text(max_size=9)),
    data=DATA,
    files=st.lists(st.just(FILE), max_size=2),
    at=st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))),
)
def test_whatever_is_said_is_refused_by_name_or_taken_by_canvas(new, preserve, kind, data, files, at):
    """Canvas' own rules, written down a second time."""
    try:
        said = Submission(
            new_submission=new, preserve_score=preserve, submission_type=kind, submission_data=data, content_items=files, submitted_at=at
        ).to_json()
    except InvalidScore as problem:
        assert problem.field.startswith("submission.")
        return
    told = said.get("submission_type", "online_upload" if files else "external_tool")
    assert told in TYPES
    assert (told == "online_upload") == bool(files)
    assert ("submission_data" in said) == (told in ("basic_lti_launch", "online_text_entry", "online_url"))
    if hands_nothing_in(said):
        assert set(said) <= {"new_submission", "preserve_score", "submission_type"}
    assert "submitted_at" not in said


@pytest.mark.parametrize(
    "extensions",
    [
        {LAUNCH_URL: "https://t.example"},
        {SUBMISSION_TYPE: "none"},
        {SUBMISSION_TYPE: {"type": "online_url"}},
        {SUBMISSION_TYPE: {"type": "none", "more": 1}},
        {SUBMISSION_TYPE: {"type": "none", "external_tool_url": "https://t.example"}},
        {SUBMISSION_TYPE: {"type": "external_tool", "external_tool_url": "t.example"}},
    ],
)
def test_a_column_that_canvas_would_not_make(extensions):
    with pytest.raises(InvalidScore):
        check_column_extensions(extensions)


def test_a_column_that_it_makes():
    check_column_extensions({"https://x.example/a": 1})
    check_column_extensions({SUBMISSION_TYPE: {"type": "none"}})
    check_column_extensions({SUBMISSION_TYPE: {"type": "external_tool", "external_tool_url": "https://t.example"}})
