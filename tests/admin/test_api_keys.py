"""API keys in the admin: shown once, in the answer to the form; revoked only once that is confirmed."""

from __future__ import annotations

import re

from django_lti_ags import api_keys
from django_lti_ags.models import ApiKey
from tests.admin.conftest import address, confirm

SAVED = 302


def test_a_new_key_is_shown_once_and_never_again(world, boss):
    form = {"name": "Quiz in Go", "registrations": [world.registration.pk], "contexts": [world.context.pk]}
    made = boss.post(address(ApiKey, "add"), form)
    text = re.search(r"ltiags_\w+[\w-]+", made.content.decode())[0]
    key = api_keys.find(text)
    assert (key.name, key.narrowed, list(key.contexts.all())) == ("Quiz in Go", True, [world.context])
    assert "no-store" in made["Cache-Control"]
    secret = text.split("_", 2)[2]
    pages = [boss.get(address(ApiKey, page, key)) for page in ("change", "history")] + [boss.get(address(ApiKey, "changelist"))]
    for page in pages:
        shown = page.content.decode()
        assert page.status_code == 200
        assert key.prefix in shown or page is pages[1]
        assert secret not in shown
        assert key.key_hash[:12] not in shown
    assert not [value for value in boss.session.values() if secret in str(value)]


def test_what_a_key_cannot_be_made_for_is_said_at_its_field(world, boss):
    other = world.add_registration("Other")
    for form, field in (
        ({"name": "", "registrations": [other.pk]}, "name"),
        ({"name": "x"}, "registrations"),
        ({"name": "a\x00b", "registrations": [other.pk]}, "name"),
        ({"name": "x", "registrations": [other.pk], "contexts": [world.context.pk]}, "contexts"),
    ):
        answer = boss.post(address(ApiKey, "add"), form)
        assert set(answer.context["adminform"].form.errors) == {field}
    assert ApiKey.objects.get() == world.api_key


def test_revoking_asks_first_and_needs_the_permission(world, person, boss):
    form = {"action": "revoke", "_selected_action": [world.api_key.pk], "index": 0}
    person("view_apikey").post(address(ApiKey, "changelist"), form | {"confirmed": "yes"})
    asked = boss.post(address(ApiKey, "changelist"), form)
    assert api_keys.find(world.api_key_text) == world.api_key
    assert "no way back" in asked.content.decode()
    done = confirm(person("view_apikey", "change_apikey"), asked)
    assert done.status_code == SAVED
    assert api_keys.find(world.api_key_text) is None
    assert "Revoked." in boss.get(address(ApiKey, "history", world.api_key)).content.decode()
    again = boss.post(address(ApiKey, "changelist"), form | {"confirmed": "yes"}, follow=True)
    assert "0 API keys revoked." in again.content.decode()
