"""What else waits or fails, below the page "Grade sync": live assessments and webhooks, if there is something to say."""

from __future__ import annotations

from django_lti_ags.models import Score, SyncState

PAGE = "/admin/lti_ags/syncsample/"


def text_of(browser):
    return browser.get(PAGE).content.decode()


def test_live_assessments_and_webhooks_stand_below_where_there_is_something_to_say(busy, boss, person, settings):
    assert "Beside the scores" not in text_of(boss)
    busy.add_live_assessment("spelling", state=SyncState.BLOCKED)
    busy.add_message(Score.objects.first(), busy.webhook_endpoint)
    lines = boss.get(PAGE).context["beside"]
    assert [(line.place, line.is_bad) for line in lines] == [("Campus, https://lms.example", True), ("Quiz in Node, tool.example", True)]
    assert all(boss.get(line.url).status_code == 200 for line in lines)
    assert "Live assessments: 0 wait, 1 failed or are blocked" in text_of(boss)
    assert "Webhook: 0 messages wait, 1 failed or are blocked" in text_of(boss)
    assert "Beside the scores" not in text_of(person("view_syncsample", "view_score"))
    other = busy.add_registration("Elsewhere")
    busy.api_key.registrations.add(other)
    settings.LTI_AGS = settings.LTI_AGS | {"ADMIN_SCOPE": "tests.admin.test_overview.only_campus"}
    assert len(boss.get(PAGE).context["beside"]) == 1, "a key that sees more than they may"
