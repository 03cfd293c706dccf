"""The doctor and files: whether the scope to ask about them is granted, where files are handed in."""

from __future__ import annotations

import pytest

from django_lti_ags import canvas, scores
from django_lti_ags.canvas.progress import SCOPE
from django_lti_ags.doctor import Side, Status, examine
from django_lti_ags.models import Registration, SubmittedFile
from django_lti_ags.sync.engine import deliver_due

pytestmark = pytest.mark.django_db(transaction=True)


def of_files(registration):
    registration = Registration.objects.select_related("signing_key").get(pk=registration.pk)
    return [finding for finding in examine(registration) if finding.check == "files"]


def test_the_scope_for_files_is_looked_for_where_files_are_handed_in(make_campus):
    campus = make_campus(dialect="canvas")
    Registration.objects.update(profile="canvas")
    column = campus.line_item()
    assert of_files(campus.registration) == [], "no file was ever handed in"
    essay = canvas.Submission(content_items=[canvas.File(url="https://tool.example/a.txt")])
    scores.record(column, user_id="u1", score_given=1, score_maximum=10, submission=essay)
    [found] = of_files(campus.registration)
    assert (found.status, found.side) == (Status.WARN, Side.PLATFORM)
    assert (column.url in found.seen, SCOPE in found.todo, "--files" in found.todo) == (True, True, True)
    deliver_due()
    assert SubmittedFile.objects.get().code == "missing_progress_scope"

    granted = campus.tool.scopes
    campus.tool.scopes = (*granted, SCOPE)
    campus.line_item()
    assert [found.status for found in of_files(campus.registration)] == [Status.OK]
    campus.tool.scopes = granted
    [found] = of_files(campus.registration)
    assert (found.status, "no token" in found.seen or "does not carry" in found.seen) == (Status.WARN, True)
    Registration.objects.update(token_url="http://127.0.0.1:1/token")
    assert [found.status for found in of_files(campus.registration)] == [Status.SKIPPED]
    Registration.objects.update(profile="moodle")
    assert of_files(campus.registration) == []
