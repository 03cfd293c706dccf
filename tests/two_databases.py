"""The suite's settings for a project that keeps grades on a database of their own, with a router that says so."""

from tests.settings import *  # noqa: F403 - all of them
from tests.settings import DATABASES, LTI_AGS

_HERE = DATABASES["default"]
_ELSEWHERE = str(_HERE["NAME"]) + "-site"
OF_GRADES = {"lti_ags", "quiz"}
"""The tool's own attempts stand beside the scores: they point at them."""


class Router:
    """Grades there, people and journals here."""

    def db_for_read(self, model, **hints):
        return "grades" if model._meta.app_label in OF_GRADES else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (app_label in OF_GRADES) == (db == "grades")


DATABASES = {"default": {**_HERE, "NAME": _ELSEWHERE, "TEST": {"NAME": _ELSEWHERE}}, "grades": _HERE}
DATABASE_ROUTERS = ["tests.two_databases.Router"]
LTI_AGS = LTI_AGS | {"DATABASE": "grades"}


def pytest_collection_modifyitems(items):
    """As a plugin: every test may use both."""
    import pytest

    for item in items:
        item.add_marker(pytest.mark.django_db(databases="__all__"), append=False)
