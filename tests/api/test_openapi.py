"""The description is served, names every address, and its examples are what it says. Every other test here holds its answers to it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from django_lti_ags.api import openapi_schemas, urls
from django_lti_ags.api.views import NowhereView
from tests.api.conforming import TOLD, check, place

pytestmark = pytest.mark.urls("tests.api.urls")


def test_it_is_served_for_where_the_api_is():
    answer = Client().get("/lti/api/openapi.json")
    assert answer.json() == TOLD
    assert Client().post("/lti/api/openapi.json").status_code == 405


def test_every_address_and_method_is_described_and_nothing_else():
    real = set()
    for one in urls.urlpatterns:
        view = getattr(one.callback, "cls", None)
        if view is None or view is NowhereView or not one.name:
            continue
        path = "/" + re.sub(r"<\w+:(\w+)>", lambda found: "{id}" if found[1] == "given" else f"{{{found[1]}}}", str(one.pattern))
        methods = one.callback.initkwargs.get("http_method_names", ["get", "post", "put", "delete"])
        real |= {(path, method) for method in methods if hasattr(view, method)}
    described = {(path, method) for path, methods in TOLD["paths"].items() for method in methods}
    of_scores = {("/api/lineitems/{id}", "post")}
    assert real - of_scores == described - {("/api/lineitems/{id}/scores", "get"), ("/api/lineitems/{id}/scores", "post")}


def test_the_examples_are_what_the_schemas_say():
    for name, example in openapi_schemas.EXAMPLES.items():
        check(example, TOLD["components"]["schemas"][name], name)
    with pytest.raises(AssertionError, match="lacks a field"):
        check({"reason": "x"}, TOLD["components"]["schemas"]["Summary"], "x")
    with pytest.raises(AssertionError, match="described nowhere"):
        check({"state": "pending", "code": "", "more": 1}, TOLD["components"]["schemas"]["Pending"], "x")


def test_every_parameter_of_a_path_is_there():
    for path, methods in TOLD["paths"].items():
        for operation in methods.values():
            named = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))
    assert place("/lti/api/lineitems/https%3A%2F%2Fx.example%2F1/scores?wait=3") == "/api/lineitems/{id}/scores"
