"""What the README shows, works."""

import re
import sys
import types
from pathlib import Path

import pytest
from django.test import Client, override_settings

from django_lti_ags.models import Registration
from django_lti_ags.sync.engine import deliver_due
from example_project.demo.surfer import Page

README = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.django_db(transaction=True)
def test_the_code_of_the_readme_brings_a_grade_into_the_gradebook(campus):
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line.strip()]) < 25
    module = types.ModuleType("readme_urls")
    module.INSTALLED_APPS = []
    exec(compile(code, "README.md", "exec"), vars(module))
    sys.modules["readme_urls"] = module
    tool = campus.tool
    tool.login_url, tool.redirect_uris = "http://testserver/lti/login/", ["http://testserver/lti/launch/"]
    tool.target_link_uri = tool.redirect_uris[0]
    client = Client()
    try:
        with override_settings(ROOT_URLCONF="readme_urls"):
            user = campus.course.users["u1"]
            sent = client.get(*campus.platform.launches.initiation(user, campus.course, campus.link))
            assert sent.status_code == 302
            page = _open(sent["Location"])
            answer = client.post("/lti/launch/", page.form_to("/lti/launch/").fields)
    finally:
        del sys.modules["readme_urls"]
    assert answer.content == b"Your score is on its way."
    deliver_due()
    assert campus.shown("u1") == 8
    assert Registration.objects.get().services.count() == 1


def _open(url: str) -> Page:
    import urllib.request

    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return Page(url, answer.read().decode())


def test_the_two_commands_stand_alone():
    commands = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    begin = "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox run"
    assert commands == [f"{begin} -e demo", begin]


def test_what_it_points_to_is_there():
    root = Path(__file__).parent.parent.parent
    for target in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (root / target).is_file(), target
