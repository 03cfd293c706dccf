"""The tutorial, to the letter but for the ports: from an empty directory to a grade in a gradebook."""

import re
import urllib.error

import pytest

from django_lti_ags.testing.platforms import SimulatedPlatform
from example_project.demo.surfer import Surfer
from tests.example.ports import free_port
from tests.example.projects import ROOT, Project, blocks, wait_until

pytestmark = pytest.mark.demo
PAGE = ROOT / "docs" / "tutorial" / "first-grade.md"


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The project of somebody who followed the tutorial up to "A real LMS", and the addresses of tool and LMS."""
    project = Project(tmp_path_factory.mktemp("tutorial"))
    ports = {"8000": str(free_port()), "8001": str(free_port())}
    text = re.sub(r"\b800[01]\b", lambda found: ports[found[0]], PAGE.read_text(encoding="utf-8")).partition("## 6.")[0]
    project.tool, project.lms = (f"http://127.0.0.1:{ports[port]}" for port in ("8000", "8001"))
    project.told = {}
    wait_for = {"python manage.py runserver": f"{project.tool}/lti/jwks.json", "python lms.py": project.lms}
    try:
        for block in blocks(text):
            if block.file:
                project.write(block)
            elif "pip install" not in block.text:  # what is installed here is this checkout
                for command in block.commands:
                    server = re.match(r"python (lms\.py|manage\.py (runserver|lti_ags_worker))", command)
                    if server:
                        project.start(command, wait_for.get(server[0], ""))
                    else:
                        project.told[command] = project.run(command)
        yield project
    finally:
        project.end()


def opened(surfer, followed, who):
    page = surfer.get(f"{followed.lms}/open?who={who}")
    return surfer.submit(page, page.form_to("/lti/launch/"))


def grades(followed) -> dict[str, str]:
    return dict(re.findall(r"Open as (\w+)</a>: ([^<]+)<", Surfer().get(followed.lms).text))


def test_the_checks_find_nothing(followed):
    assert followed.told["python manage.py check"] == "System check identified no issues (0 silenced).\n"


def test_it_ends_with_a_grade_in_the_gradebook(followed):
    surfer = Surfer()
    page = opened(surfer, followed, "u-ada")
    page = surfer.submit(page, page.form_to(""), answer="56")
    assert "You have 10 of 10 points." in page.text
    wait_until(lambda: grades(followed)["Ada"] == "10 of 10", f"no grade came\n{followed.logs()}")


def test_a_tab_that_was_opened_for_somebody_else_is_turned_away(followed):
    surfer = Surfer()
    tab = opened(surfer, followed, "u-ada")
    opened(surfer, followed, "u-ben")
    with pytest.raises(urllib.error.HTTPError) as caught:
        surfer.submit(tab, tab.form_to(""), answer="56")
    with caught.value:
        assert caught.value.code == 403
    assert grades(followed)["Ben"] == "no grade yet"


def test_a_score_waits_until_the_lms_is_back(followed):
    surfer = Surfer()
    page = opened(surfer, followed, "u-ben")
    followed.stop("python lms.py")
    page = surfer.submit(page, page.form_to(""), answer="57")
    assert "You have 0 of 10 points." in page.text
    followed.start("python lms.py", followed.lms)
    wait_until(lambda: grades(followed)["Ben"] == "0 of 10", f"no grade came\n{followed.logs()}")


def test_the_quiz_is_tested_as_the_guide_says(followed):
    page = (ROOT / "docs" / "how-to" / "test-your-tool.md").read_text(encoding="utf-8")
    shown, run, faults = blocks(page)
    followed.write(shown)
    told = followed.run(run.text)
    assert "Ran 2 tests" in told
    assert told.rstrip().endswith("OK") or "\nOK\n" in told
    with SimulatedPlatform() as platform:
        exec(compile(faults.text, str(page), "exec"), {"platform": platform})


def test_over_https_its_cookies_reach_a_frame(followed):
    asked = "session_cookie_samesite session_cookie_secure csrf_cookie_samesite csrf_cookie_secure".upper()
    settings = followed.directory / "mysite" / "settings.py"
    production = followed.directory / "mysite" / "production.py"
    text = settings.read_text()
    assert "DEBUG = True" in text
    production.write_text(text.replace("DEBUG = True", "DEBUG = False"))
    script = f"from django.conf import settings; print([getattr(settings, name) for name in '{asked}'.split()])"
    assert "['None', True, 'None', True]" in followed.run(f'DJANGO_SETTINGS_MODULE=mysite.production python -c "{script}"')


@pytest.mark.browser
def test_in_chromium_the_quiz_works_inside_the_frame_of_the_lms(followed, chromium):
    page = chromium.new_page()
    page.goto(followed.lms)
    page.get_by_role("link", name="Open as Ben").click()
    frame = page.frame_locator("iframe")
    frame.get_by_label("7 × 8 =").fill("56")
    frame.get_by_role("button", name="Hand in").click()
    frame.get_by_text("You have 10 of 10 points.").wait_for()
    page.get_by_role("link", name="Look again").click()
    wait_until(lambda: grades(followed)["Ben"] == "10 of 10", f"no grade came\n{followed.logs()}")
    page.reload()
    page.get_by_text("10 of 10").first.wait_for()
    page.close()
