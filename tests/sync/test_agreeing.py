"""Does the gradebook show what the tool said? The rule, case by case and platform by platform."""

import pytest

from django_lti_ags.ags.types import Result
from django_lti_ags.models import Agreement, SyncState
from django_lti_ags.profiles.base import Profile
from django_lti_ags.profiles.canvas import CanvasProfile
from django_lti_ags.profiles.moodle import MoodleProfile
from django_lti_ags.sync.agreeing import Told, judge
from django_lti_ags.sync.settling import Held

STRICT, CANVAS, MOODLE = Profile(), CanvasProfile(), MoodleProfile()
IN_SYNC, DIFFERS, MISSING, TEACHER, NOT_KEPT = (
    Agreement.IN_SYNC,
    Agreement.DIFFERS,
    Agreement.MISSING,
    Agreement.CHANGED_BY_TEACHER,
    Agreement.NOT_KEPT,
)


def held(given, maximum=10.0):
    return Held(score_given=given, score_maximum=None if given is None else maximum)


def told(given, maximum=10.0, state=SyncState.DELIVERED, before=(), **more):
    return Told(
        state=state, ours=held(given, maximum), before=tuple(held(*one) if isinstance(one, tuple) else held(one) for one in before), **more
    )


def shown(score, maximum=10.0, by=None):
    return Result(user_id="u", result_score=score, result_maximum=maximum, scoring_user_id=by)


@pytest.mark.parametrize(
    ("ours", "result", "profile", "expected"),
    [
        (told(8), shown(8), STRICT, IN_SYNC),
        (told(8), shown(80, 100), STRICT, IN_SYNC),
        (told(0), shown(0), STRICT, IN_SYNC),
        (told(None), None, STRICT, IN_SYNC),
        (told(None), shown(None), STRICT, IN_SYNC),
        # rounding: two decimals on the platform's own scale, five where it is known to keep them
        (told(1, 3), shown(3.33), STRICT, IN_SYNC),
        (told(1, 3), shown(3.32), STRICT, TEACHER),
        (told(2, 3), shown(66.67, 100), STRICT, IN_SYNC),
        (told(1, 3), shown(3.33333), MOODLE, IN_SYNC),
        (told(1, 3), shown(3.333), MOODLE, TEACHER),
        (told(1, 3), shown(0.33, 1), STRICT, IN_SYNC),
        (told(99, 100), shown(1, 1), STRICT, TEACHER),
        (told(199, 200), shown(1.0, 1), STRICT, IN_SYNC),  # 0.995 in two decimals: it cannot be told
        (told(1, 3), shown(333.333, 1000), STRICT, IN_SYNC),
        # on a small scale, a number tells by its decimals how far it was rounded
        (told(0.333333, 1), shown(0.33, 1), STRICT, IN_SYNC),
        (told(0.333333, 1), shown(0.333, 1), STRICT, IN_SYNC),
        (told(0.333333, 1), shown(0.33333, 1), STRICT, IN_SYNC),
        (told(0.333333, 1), shown(1 / 3, 1), STRICT, IN_SYNC),
        (told(0.333333, 1), shown(0.335, 1), STRICT, TEACHER),
        (told(0.333333, 1), shown(0.3334, 1), STRICT, TEACHER),
        (told(0.333333, 1), shown(0.34, 1), STRICT, TEACHER),
        (told(0.333333, 1), shown(0.3, 1), STRICT, TEACHER),
        (told(0.334, 1, before=[(0.331, 1)]), shown(0.331, 1), STRICT, DIFFERS),
        (told(0.9999, 1), shown(1, 1), STRICT, IN_SYNC),  # 1.00: it cannot be told
        (told(0.9999, 1), shown(1, 1), MOODLE, TEACHER),
        (told(0.01, 0.03), shown(0.00999, 0.03), STRICT, IN_SYNC),
        # a percentage with two decimals, kept instead of points
        (told(1, 3), shown(0.9999, 3), STRICT, IN_SYNC),
        (told(1, 3), shown(2.3331, 7), STRICT, IN_SYNC),
        (told(1, 3), shown(2.331, 7), STRICT, TEACHER),
        (told(1, 3), shown(333.3, 1000), STRICT, IN_SYNC),
        # binary fractions
        (told(1.1, 3), shown(1.1 * 10 / 3, 10), STRICT, IN_SYNC),
        (told(0.7, 10), shown(7.000000000000001, 100), STRICT, IN_SYNC),
        # above the maximum
        (told(12), shown(10), STRICT, IN_SYNC),
        (told(12), shown(12), STRICT, IN_SYNC),
        (told(12), shown(100, 100), MOODLE, IN_SYNC),
        (told(12), shown(11), STRICT, TEACHER),
        (told(12), shown(10), CANVAS, TEACHER),
        (told(12), shown(12), CANVAS, IN_SYNC),
        # none
        (told(8), None, STRICT, MISSING),
        (told(8), shown(None), STRICT, MISSING),
        (told(0), None, STRICT, MISSING),
        (told(0), shown(None), MOODLE, IN_SYNC),
        (told(8), None, MOODLE, MISSING),
        (told(8, is_graded=False), None, STRICT, IN_SYNC),
        # another number
        (told(8, before=[5]), shown(5), STRICT, DIFFERS),
        (told(8, before=[5, 6]), shown(60, 100), STRICT, DIFFERS),
        (told(8, before=[5]), shown(5, by="prof"), STRICT, TEACHER),
        (told(8, before=[5], scoring_user_id="prof"), shown(5, by="prof"), STRICT, DIFFERS),
        (told(8, before=[5]), shown(6), STRICT, TEACHER),
        (told(None, before=[5]), shown(5), STRICT, DIFFERS),
        (told(None), shown(5), STRICT, TEACHER),
        (told(8, before=[5], is_graded=False), shown(5), STRICT, IN_SYNC),
        (told(8, before=[5], is_graded=False), shown(6), STRICT, TEACHER),
        (told(8, state=SyncState.SUPERSEDED, before=[5]), shown(6), STRICT, TEACHER),
        (told(8, state=SyncState.SUPERSEDED, before=[5]), shown(5), STRICT, DIFFERS),
        (told(8, state=SyncState.SUPERSEDED), shown(8), STRICT, IN_SYNC),
        (told(8, state=SyncState.SUPERSEDED), None, STRICT, MISSING),
        # a maximum of zero, as the result says it
        (told(8), shown(0, 0), MOODLE, NOT_KEPT),
        # not delivered yet
        (told(8, state=SyncState.PENDING), shown(5), STRICT, Agreement.WAITING),
        (told(8, state=SyncState.SENDING), None, STRICT, Agreement.WAITING),
        (told(8, state=SyncState.BLOCKED), shown(8), STRICT, Agreement.BLOCKED),
        (told(8, state=SyncState.FAILED), None, STRICT, Agreement.FAILED),
        (told(8, state=SyncState.CANCELLED), shown(8), STRICT, Agreement.CANCELLED),
        # nothing from the tool
        (None, shown(7), STRICT, Agreement.ONLY_AT_PLATFORM),
        (None, shown(None), STRICT, None),
        (None, None, STRICT, None),
    ],
)
def test_how_they_stand_to_each_other(ours, result, profile, expected):
    assert judge(ours, result, profile) == expected


@pytest.mark.parametrize(("result", "expected"), [(None, NOT_KEPT), (shown(8), IN_SYNC)])
def test_a_column_that_keeps_nothing_is_said_to(result, expected):
    assert judge(told(8), result, MOODLE, column_keeps=False) == expected
