"""The guide's examples run, and it names the permissions and numbers that the code has."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from django_lti_ags.admin import decisions, history, lists
from django_lti_ags.models import Score
from tests.admin.conftest import address

TEXT = (Path(__file__).parent.parent.parent / "docs/how-to/use-the-admin.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def tool(monkeypatch, settings):
    """The guide's modules, and its settings."""
    monkeypatch.setitem(sys.modules, "tool", types.ModuleType("tool"))
    for block in BLOCKS:
        name = re.match(r"# tool/(\w+)\.py", block)
        if name:
            module = types.ModuleType(f"tool.{name[1]}")
            exec(block, module.__dict__)
            monkeypatch.setitem(sys.modules, module.__name__, module)
        else:
            given = {}
            exec(block, given)
            settings.LTI_AGS = settings.LTI_AGS | given["LTI_AGS"]


def test_the_tools_names(world, tool, boss):
    User.objects.create(username="u1", first_name="Ada", last_name="Okafor")
    page = boss.get(address(Score, "changelist")).content.decode()
    assert "Ada Okafor (u1)" in page
    assert ">u2</a>" in page


def test_the_tools_scope(world, tool, person, boss):
    browser = person("view_score")
    assert browser.get(address(Score, "changelist")).context["cl"].result_count == 0
    user = browser.get(reverse("admin:index")).wsgi_request.user
    user.groups.add(Group.objects.create(name="Campus"))
    assert browser.get(address(Score, "changelist")).context["cl"].result_count == 2
    assert boss.get(address(Score, "changelist")).context["cl"].result_count == 2


def test_every_permission_in_the_table_exists(db):
    named = {name for line in TEXT.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+_\w+)`", line.split("|")[1])}
    assert len(named) == 18
    assert set(Permission.objects.filter(content_type__app_label="lti_ags", codename__in=named).values_list("codename", flat=True)) == named


def test_its_numbers_are_the_codes():
    for words in (
        f"up to {lists.LISTED:,}".replace(",", " "),
        f"newest {history.NEWEST:,}".replace(",", " "),
        f"after {decisions.SECONDS:.0f} seconds",
        f"up to {decisions.NAMED} scores",
    ):
        assert words in TEXT
