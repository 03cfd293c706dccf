"""The description is what the views say, valid, served, and names every address. Every other test here holds its answers to it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import reverse
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from django_lti_ags.api import generating, urls
from django_lti_ags.api.line_items import LineItemsView
from django_lti_ags.api.openapi import kept
from django_lti_ags.api.views import ApiView, NowhereView
from tests.api.conforming import TOLD, check, place, resolved

pytestmark = pytest.mark.urls("tests.api.urls")
OPERATIONS = [(path, method, told) for path, methods in TOLD["paths"].items() for method, told in methods.items()]


def test_it_is_what_the_views_say():
    """Otherwise: ``tox run -e openapi``."""
    assert generating.generated() == kept()


def test_a_view_that_says_nothing_is_no_description(monkeypatch):
    monkeypatch.setattr(LineItemsView, "get", lambda self, request: None)
    with pytest.raises(generating.Undescribed, match="unable to guess serializer"):
        generating.generated()


def test_it_is_served_for_where_the_api_is():
    answer = Client().get("/lti/api/openapi.json")
    assert answer.json() == TOLD
    assert TOLD["servers"] == [{"url": "/lti"}]
    assert Client().post("/lti/api/openapi.json").status_code == 405


def test_it_is_openapi_3_1():
    assert TOLD["openapi"] == "3.1.0"
    validate_schema(TOLD)


def test_what_a_client_may_send_as_null_is_described_so():
    """Clients that are generated send it for what is not set, as LTIAAS' own for Python does."""
    for name, needed in (("NewLineItem", {"label", "scoreMaximum"}), ("NewScore", {"userId", "activityProgress", "gradingProgress"})):
        told = TOLD["components"]["schemas"][name]["properties"]
        check({field: None for field in told if field not in needed}, {"properties": told}, name)


def test_every_address_and_method_is_described_and_nothing_else():
    real = set()
    for one in urls.urlpatterns:
        view = getattr(one.callback, "cls", None)
        if view is None or view is NowhereView or not one.name:
            continue
        assert issubclass(view, ApiView)
        path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(one.pattern))
        real |= {(path, method) for method in ("get", "post", "put", "delete") if hasattr(view, method)}
    assert real == {(path, method) for path, method, _ in OPERATIONS}
    assert reverse("lti-api-lineitem", kwargs={"id": "x"}) == "/lti/api/lineitems/x"


def test_all_is_described_with_examples_that_are_what_the_schemas_say():
    names = [told["operationId"] for _, _, told in OPERATIONS]
    assert len(set(names)) == len(names)
    for path, method, told in OPERATIONS:
        assert all(told[name] for name in ("summary", "description", "security", "tags")), (path, method)
        assert all(one["description"] for one in told["parameters"])
        assert "default" in told["responses"]
        bodies = [*told["responses"].values(), *([told["requestBody"]] if "requestBody" in told else [])]
        assert {"400", "401", "429"} <= set(told["responses"])
        for content in (one["content"]["application/json"] for one in map(resolved, bodies) if "content" in one):
            (example,) = content["examples"].values()
            check(example["value"], content["schema"], f"{method} {path}")


def test_an_answer_that_is_other_is_found():
    schemas = TOLD["components"]["schemas"]
    with pytest.raises(AssertionError, match="is a required property"):
        check({"reason": "x"}, schemas["Summary"], "x")
    with pytest.raises(AssertionError, match="Additional properties"):
        check({"state": "pending", "code": "", "more": 1}, schemas["Pending"], "x")
    with pytest.raises(AssertionError, match="is not a 'uri'"):
        check({"lineItem": "ftp://x"}, schemas["Reconcile"], "x")


def test_every_parameter_of_a_path_is_there():
    for path, _, told in OPERATIONS:
        named = {one["name"] for one in told["parameters"] if one["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))
    assert place("/lti/api/lineitems/https%3A%2F%2Fx.example%2F1/scores?wait=3") == "/api/lineitems/{id}/scores"


def test_who_may_call():
    security = {(path, method): {name for one in told["security"] for name in one} for path, method, told in OPERATIONS}
    assert security["/api/idtoken", "get"] == {"ltik"}
    assert security["/api/lineitems", "get"] == {"ltik", "serviceKey", "bearer"}
    assert security["/api/sync/scores", "get"] == {"ltik", "serviceKey", "bearer", "session"}
    assert security["/api/sync/scores", "post"] == {"ltik", "serviceKey", "bearer"}


def test_a_project_may_describe_it_with_all_of_its_own():
    """With drf-spectacular's own settings: OpenAPI 3.0, its hooks, our addresses below ``lti/``."""
    with GENERATOR_STATS.silence():
        told = SchemaGenerator(urlconf="tests.api.urls").get_schema(public=True)
        assert not GENERATOR_STATS, (GENERATOR_STATS._warn_cache, GENERATOR_STATS._error_cache)
    validate_schema(told)
    assert told["openapi"] == "3.0.3"
    assert set(told["paths"]) == {"/lti" + path for path in TOLD["paths"]}
    assert {name.removeprefix("Lti") for name in told["components"]["schemas"]} == set(TOLD["components"]["schemas"])
    assert "Error" not in told["components"]["schemas"], "its own"
    assert told["components"]["schemas"]["LtiNewScore"]["properties"]["scoreMaximum"]["nullable"]


def test_a_projects_settings_change_nothing():
    code = """
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django_lti_ags"], DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SECRET_KEY="x", ROOT_URLCONF="django_lti_ags.api.urls", ALLOWED_HOSTS=["*"], USE_TZ=True, SESSION_COOKIE_NAME="theirs",
    REST_FRAMEWORK={"DEFAULT_SCHEMA_CLASS": None, "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning"},
    SPECTACULAR_SETTINGS={"TITLE": "Theirs", "OAS_VERSION": "3.0.3", "AUTHENTICATION_WHITELIST": [], "CAMELIZE_NAMES": True,
        "SCHEMA_PATH_PREFIX_INSERT": "/theirs", "PREPROCESSING_HOOKS": ["no.such"], "DISABLE_DOCSTRING_DESCRIPTIONS": True})
django.setup()
import sys
assert not {"rest_framework", "drf_spectacular"} & set(sys.modules), "nothing asked for the API yet"
from django.test import Client
print(Client().get("/api/openapi.json").content.decode())
assert "drf_spectacular.generators" not in sys.modules
for name in [name for name in sys.modules if name.startswith("django_lti_ags.api")]:
    del sys.modules[name]
sys.modules["drf_spectacular"] = None
try:
    import django_lti_ags.api
except Exception as problem:
    assert "django-lti-ags[api]" in str(problem)
else:
    sys.exit("imported")
"""
    told = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["components"]["securitySchemes"]["session"].pop("name") == "theirs"
    assert found["servers"] == [{"url": "/"}]
    for name in ("openapi", "info", "paths"):
        assert found[name] == TOLD[name]
    assert found["components"]["schemas"] == TOLD["components"]["schemas"]
