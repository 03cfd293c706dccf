"""Files on a score's page: asked about again by a person who may, counted and confirmed first."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry

from django_lti_ags.models import PendingScore, Score, SubmittedFile, SyncState
from tests.admin.conftest import NOON, address, confirm
from tests.admin.test_actions import decide, told


@pytest.fixture
def files(world):
    """Three of ``world.score``: one that nobody could ask about, one about which nobody ever can, one that is there."""

    def add(name, state, code):
        row = SubmittedFile(score=world.score, service=world.service, url=f"https://lms.example/progress/{name}", title=name)
        row.created_at, row.aged_from, row.state, row.code, row.due_at = NOON, NOON, state, code, None
        row.save()
        return row

    return [
        add("asked", SyncState.FAILED, "missing_progress_scope"),
        add("elsewhere", SyncState.FAILED, "progress_elsewhere"),
        add("there", SyncState.DELIVERED, "file_arrived"),
    ]


def states(files):
    return [SubmittedFile.objects.get(pk=row.pk).state for row in files]


def test_the_files_of_a_score_are_asked_about_again_from_its_page(world, files, person):
    page, button = address(Score, "change", world.score), address(Score, "follow_files", world.score)
    assert button not in person("view_score").get(page).content.decode()
    assert person("view_score").post(button, {"confirmed": "yes"}).status_code == 403
    browser = person("view_score", "retry_score")
    shown = browser.get(page)
    assert f'href="{button}"' in shown.content.decode()
    assert [one.state for one in shown.context["files"]] == ["Delivered", "Not known", "Not known"]
    question = browser.get(button)
    assert "It concerns 1." in question.content.decode()
    browser.get(button, {"confirmed": "yes"})
    assert states(files) == ["failed", "failed", "delivered"], "nothing happens on GET"

    answer = confirm(browser, question)
    assert (answer.url, told(answer)) == (page, [("success", "The platform is asked again about the files of 1 score.")])
    assert states(files) == ["pending", "failed", "delivered"]
    assert LogEntry.objects.get().change_message == "Asked about the files again."
    assert button not in browser.get(page).content.decode(), "nothing is left to ask about"
    assert "disabled" in browser.get(button).content.decode()
    assert browser.get(button.replace(f"/{world.score.pk}/", "/0/")).status_code == 302


@pytest.mark.parametrize("model", [Score, PendingScore])
def test_the_files_of_chosen_scores_are_asked_about_again(world, files, boss, model):
    Score.objects.filter(pk=world.score.pk).update(state=SyncState.FAILED)
    answer = decide(boss, model, "follow_files", [world.score, world.pending])
    assert told(answer) == [("warning", "The platform is asked again about the files of 1 score. 1 stays as it is.")]
    assert states(files) == ["pending", "failed", "delivered"]
