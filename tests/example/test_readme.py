"""What the README shows, works in a project that `django-admin startproject` made."""

import re

import pytest

from django_lti_ags.testing.platforms import SimulatedPlatform, User
from example_project.demo.surfer import Surfer
from tests.example.ports import free_port
from tests.example.projects import ROOT, Project, blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path)
    yield made
    made.end()


@pytest.mark.demo
def test_the_code_of_the_readme_brings_a_grade_into_the_gradebook(project):
    shown = blocks(README)
    files = [block for block in shown if block.file]
    assert len([line for block in files for line in block.text.splitlines() if line.strip()]) < 25
    project.run("django-admin startproject mysite .")
    for block in files:
        project.write(block)
    port = free_port()
    with SimulatedPlatform() as platform:
        site = f"http://127.0.0.1:{port}/lti/"
        tool = platform.register_tool(
            client_id="ABC123", jwks_url=f"{site}jwks.json", login_url=f"{site}login/", redirect_uris=[f"{site}launch/"]
        )
        people = [User(id="u1", login="ada", name="Ada"), User(id="t1", login="ines", name="Inès", role="instructor")]
        course = platform.add_course("math", "Mathematics", people)
        link = platform.add_link(course, "Attendance", tool, score_maximum=1)
        # What the README's reader does not need: their platform is no simulated one on the same machine.
        with (project.directory / "mysite" / "settings.py").open("a") as settings:
            settings.write('LTI_AGS = {"ALLOWED_PRIVATE_HOSTS": ["127.0.0.1"]}\n')
        [migrate, register, worker, status, doctor, resync] = [line for block in shown for line in block.commands]
        project.run(migrate)
        assert "0 silenced" in project.run("python manage.py check")
        assert "https://tool.example/lti/jwks.json" in project.run(register)
        project.run(
            f"python manage.py lti_ags_register --client-id ABC123 --issuer {platform.issuer} --auth-login-url {platform.auth_url}"
            f" --token-url {platform.token_url} --jwks-url {platform.jwks_url}"
        )
        project.start(f"python manage.py runserver 127.0.0.1:{port}", f"{site}jwks.json")
        told = {person.id: _launched(platform, course, link, person) for person in people}
        assert told == {"u1": "Your score is on its way.", "t1": "Only learners are graded."}
        assert "admin" in Surfer().get(f"http://127.0.0.1:{port}/admin/login/").text
        project.run("python manage.py lti_ags_deliver")
        assert course.gradebook()[0][2] == 1, project.logs()
        assert worker == "python manage.py lti_ags_worker"
        assert platform.issuer in project.run(status)
        assert "0" in project.run(resync)
        assert doctor.startswith("python manage.py lti_ags_doctor --all")
        examined = project.run("python manage.py lti_ags_doctor 2")
        assert "FAIL" not in examined, examined


def _launched(platform, course, link, person) -> str:
    surfer = Surfer()
    page = surfer.get(platform.launches.initiation_url(person, course, link))
    return surfer.submit(page, page.form_to("/lti/launch/")).text


def test_the_two_commands_stand_alone():
    commands = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    begin = "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox run"
    assert commands == [f"{begin} -e demo", begin]


def test_whoever_pastes_a_tox_command_has_that_tox():
    for page in (README, *((ROOT / "docs").rglob("*.md"))):
        text = page if isinstance(page, str) else page.read_text(encoding="utf-8")
        assert re.findall(r"(?<!\.venv/bin/)\btox run -e", text) == [], page


def test_what_it_points_to_is_there():
    for target in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / target).is_file(), target
