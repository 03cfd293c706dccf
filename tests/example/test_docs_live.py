"""The guide's live assessments work as they stand there, from the stored credential to what Canvas has."""

import re
from pathlib import Path

import pytest

from django_lti_ags.models import LiveAssessment, LiveResult
from tests.sync.conftest import deliver
from tests.sync.live import held

__all__ = ["deliver"]

ROOT = Path(__file__).parent.parent.parent
MARK = r"<!-- run by tests/example/test_docs_live.py -->\n```python\n(.*?)```"

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_guide_to_live_assessments(school, deliver, capsys):
    text = (ROOT / "docs" / "how-to" / "canvas.md").read_text(encoding="utf-8")
    connect, note, look = re.findall(MARK, text, re.DOTALL)
    given = {
        "registration": school.registration,
        "base_url": school.base_url,
        "access_token": school.token,
        "launch": school.campus.claims(),
        "course_id": 7,
        "outcome_id": 1,
        "user_id": 3,
    }
    exec(connect + note, given)
    deliver()
    assert [(user, passed) for user, _, passed in held(school, "2026-03-01,reading")] == [(3, True)]
    exec(look, given)
    assert capsys.readouterr().out == "1 of 1\n"
    assert LiveResult.objects.get().state == LiveAssessment.objects.get().state == "delivered", "what Canvas has is not taken back"
