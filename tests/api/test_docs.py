"""The guide for other languages works as it stands there: its addresses, and its client in Node, over real sockets."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.urls import clear_url_caches, resolve, set_urlconf

from django_lti_ags import api_keys
from django_lti_ags.models import Score
from tests.api import urls
from tests.api.conftest import Worker
from tests.api.test_clients import base_url, launched

__all__ = ["base_url"]

PAGE = (Path(__file__).parent.parent.parent / "docs" / "how-to" / "other-languages.md").read_text(encoding="utf-8")
DRIVER = """
import * as tool from "./lti.mjs";
const attempt = await tool.started(process.env.LTIK);
await tool.graded(attempt, 15, "Schön!");
const column = await tool.addColumn(attempt, "From Node");
let refused;
try { await tool.started("wrong"); } catch (problem) { refused = problem.message; }
const [shown, extra] = [await tool.gradebook(attempt, attempt.column), await tool.gradebook(attempt, column)];
console.log(JSON.stringify({ attempt, shown, column, extra, refused }));
"""

pytestmark = pytest.mark.urls("tests.api.urls")


def blocks(language: str, mark: str = "") -> list[str]:
    return re.findall(rf"<!-- run by tests/api/test_docs.py{mark} -->\n```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_addresses():
    (shown,) = blocks("python")
    given: dict[str, Any] = {}
    exec(shown, given)
    assert [str(one.pattern) for one in given["urlpatterns"]] == [str(one.pattern) for one in urls.urlpatterns[:2]]
    set_urlconf(type("urls", (), {"urlpatterns": given["urlpatterns"]}))
    try:
        for path, name in (("launch/", "lti-launch"), ("api/idtoken", "lti-api-idtoken"), ("api/lineitems/x/scores", "lti-api-lineitem")):
            assert resolve(f"/lti/{path}").url_name == name
    finally:
        set_urlconf(None)
        clear_url_caches()


@pytest.mark.node
@pytest.mark.django_db(transaction=True)
def test_the_client_in_node(campus, base_url, tmp_path):
    _, key = api_keys.issue("Quiz", [campus.registration])
    (tmp_path / "lti.mjs").write_text("".join(blocks("js", ": lti.mjs")), encoding="utf-8")
    (tmp_path / "driver.mjs").write_text(DRIVER, encoding="utf-8")
    given = {"PATH": os.environ["PATH"], "LTI_URL": base_url, "LTI_API_KEY": key, "LTIK": launched(campus)}
    with Worker():
        # A missing node fails here.
        told = subprocess.run(["node", "driver.mjs"], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    seen = json.loads(told.stdout)
    assert (seen["attempt"]["userId"], seen["attempt"]["roles"]) == ("u1", ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"])
    assert seen["shown"] == [{"userId": "u1", "resultScore": 7.5, "resultMaximum": 10, "comment": "Schön!"}]
    assert (seen["extra"], seen["column"] != seen["attempt"]["column"]) == ([], True)
    assert seen["refused"] == "INVALID_LTIK_AUTH_AUTHORIZATION_HEADER: Invalid or expired ltik."
    assert Score.objects.get().state == "delivered"
