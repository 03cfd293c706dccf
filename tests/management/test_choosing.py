"""Which rows a command is about: named in several ways, and every mistake said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from django_lti_ags import line_items as columns
from django_lti_ags import scores
from django_lti_ags.management import choosing
from django_lti_ags.models import Context, LineItem, Registration, Score

pytestmark = pytest.mark.django_db
NOTHING = {
    "registration": None,
    "context": None,
    "line_item": [],
    "user": [],
    "state": [],
    "code": [],
    "since": None,
}


@pytest.fixture
def line_item(campus):
    Registration.objects.update(name="Campus")
    return campus.line_item()


def chosen(**options):
    return {row.user_id for row in choosing.scores(NOTHING | options)}


@pytest.mark.parametrize("name", ["campus", "  ", "\x00"])
def test_a_registration_that_is_not_there_is_said(line_item, name):
    with pytest.raises(CommandError, match=r"no registration|No registration"):
        choosing.scores(NOTHING | {"registration": name})


@pytest.mark.parametrize("option", ["registration", "context", "since"])
def test_a_blank_is_not_taken_for_everything(line_item, option):
    with pytest.raises(CommandError):
        choosing.scores(NOTHING | {"user": ["u1"], option: ""})


@pytest.mark.parametrize("bad", ["a\x00", "a\udcff"])
@pytest.mark.parametrize("option", ["registration", "context", "line_item", "user", "code"])
def test_what_no_text_may_hold_is_said(line_item, option, bad):
    given = bad if option in ("registration", "context") else [bad]
    with pytest.raises(CommandError, match=r"NUL|names nothing"):
        choosing.scores(NOTHING | {option: given})


def test_a_course_has_two_names(line_item):
    there = Context.objects.get()
    assert choosing.context("course-1") == choosing.context(str(there.uid)) == there
    for name in ("course", "COURSE-1", "6a0e6f4e-0000-0000-0000-000000000000"):
        with pytest.raises(CommandError, match="--context: there is no"):
            choosing.context(name)
    Context.objects.create(deployment=there.deployment, context_id=str(there.uid))
    with pytest.raises(CommandError, match="names 2"):
        choosing.context(str(there.uid))


def test_a_column_has_one(line_item):
    assert choosing.line_item(str(line_item.uid)) == line_item
    for name in ("Quiz", "6a0e6f4e-0000-0000-0000-000000000000"):
        with pytest.raises(CommandError, match="--line-item: there is no"):
            choosing.line_item(name)


def test_all_that_is_given_must_hold(line_item, campus):
    for user in ("u1", "u2", "u3"):
        scores.record(line_item, user_id=user, score_given=1, score_maximum=10)
    context = columns.context_from_launch(campus.claims())
    essay = columns.declare(context, resource_id="e", label="E", score_maximum=1)
    scores.record(essay, user_id="u1", score_given=1, score_maximum=1)
    Score.objects.filter(user_id="u2").update(state="failed", due_at=None, code="score_refused")
    old = timezone.now() - timedelta(days=4)
    Score.objects.filter(user_id="u3").update(recorded_at=old)
    assert chosen(registration="Campus") == {"u1", "u2", "u3"}
    assert chosen(registration="Campus", user=["u1"], line_item=[str(line_item.uid)]) == {"u1"}
    assert choosing.scores(NOTHING | {"user": ["u1"]}).count() == 2
    assert chosen(state=["failed"], user=["u1", "u2"]) == {"u2"}
    assert chosen(code=["score_refused"]) == {"u2"}
    assert chosen(context="course-1", since="3d") == {"u1", "u2"}
    Score.objects.filter(user_id="u3").update(delivered_at=timezone.now())
    assert chosen(context="course-1", since="3d") == {"u1", "u2", "u3"}
    assert chosen(user=["U1"]) == set()
    found = choosing.line_items(NOTHING | {"registration": "Campus"})
    assert list(found) == [line_item, essay]
    assert list(choosing.line_items(NOTHING | {"context": "course-1", "line_item": [str(essay.uid)]})) == [essay]


def test_nothing_chosen_says_how_to_choose(line_item):
    with pytest.raises(CommandError, match="--registration NAME, --context UID"):
        choosing.line_items(NOTHING)
    with pytest.raises(CommandError, match="--since WHEN"):
        choosing.scores(NOTHING)


def test_moments(settings):
    now = timezone.now()
    for text, ago in (("90m", timedelta(minutes=90)), ("2h", timedelta(hours=2)), (" 3d", timedelta(days=3)), ("1w", timedelta(weeks=1))):
        assert abs(choosing.since(text) - (now - ago)) < timedelta(minutes=1)
    assert choosing.since("2026-03-01T08:00+01:00") == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert choosing.since("2026-03-01T05:30") == datetime(2026, 3, 1, tzinfo=UTC)  # Kolkata
    assert choosing.since("2026-03-01") == datetime(2026, 2, 28, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "3", "3y", "-3d", "2026-02-30", "2026-13-01T00:00", "9999-01-01", "999999w", "x" * 50])
def test_no_moment_is_said(text):
    with pytest.raises(CommandError, match="--since: "):
        choosing.since(text)


def test_a_column_of_another_platform_goes_with_no_registration(line_item):
    other = Registration.objects.create(
        name="Other", issuer="https://o.example", client_id="x", signing_key=Registration.objects.get().signing_key
    )
    assert not choosing.line_items(NOTHING | {"registration": "Other", "line_item": [str(line_item.uid)]}).exists()
    assert other.pk
    assert LineItem.objects.exists()
