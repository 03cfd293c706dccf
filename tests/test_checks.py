"""System checks: each fires for its mistake, says what to do, and is quiet otherwise."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.core.checks import ERROR, WARNING, run_checks
from django.core.management import call_command

from django_lti_ags import checks, conf
from django_lti_ags.profiles.base import Profile

KEY = "LQ9Eokh1qYXtNmsE4zRdhvTnbkyhdlsS_2vbl0Q0o1Y="
pytestmark = pytest.mark.django_db  # Django's own checks of JSON fields ask the database
GOOD_OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}


ABOUT_CACHES = ("lti_ags.W004", "lti_ags.W006")
"""The suite's own cache is one per process, and small."""


class CampusProfile(Profile):
    """A project's own."""


NO_FUNCTION = "a constant"


def wake():
    """A project's own."""


@pytest.fixture
def found(settings):
    """The ids of ours among what all checks say, with LTI_AGS changed."""

    def run(**changes):
        settings.LTI_AGS = {"ENCRYPTION_KEYS": [KEY]} | changes
        messages = [message for message in run_checks() if (message.id or "").startswith("lti_ags.")]
        assert all(message.hint and message.msg for message in messages)
        assert all(KEY not in f"{message.msg} {message.hint}" for message in messages)
        return sorted(message.id for message in messages if message.id not in ABOUT_CACHES)

    return run


def test_the_suites_own_settings_have_no_errors():
    assert [message for message in run_checks() if message.level >= ERROR] == []
    call_command("check", fail_level="ERROR", databases=["default"])


def test_a_sound_configuration_is_quiet(found):
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"LEASE": 1}, ["lti_ags.E001"]),
        ({"THREADS": "8", "WAKE": 1}, ["lti_ags.E001", "lti_ags.E001"]),
        ({"DATABASE": "elsewhere"}, ["lti_ags.E002"]),
        ({"CACHE": "elsewhere"}, ["lti_ags.E002"]),
        ({"LEASE_SECONDS": 39.9, "SEND_DEADLINE_SECONDS": 20}, ["lti_ags.E003"]),
        ({"LEASE_SECONDS": 40, "SEND_DEADLINE_SECONDS": 20}, []),
        ({"PROFILES": {"campus": f"{__name__}.CampusProfile"}}, []),
        ({"PROFILES": {"campus": f"{__name__}.Missing"}}, ["lti_ags.E004"]),
        ({"PROFILES": {"campus": "missing.module.Profile"}}, ["lti_ags.E004"]),
        ({"PROFILES": {"campus": ""}}, ["lti_ags.E004"]),
        ({"PROFILES": {"campus": ".Profile"}}, ["lti_ags.E004"]),
        ({"PROFILES": {"campus": f"{__name__}.wake"}}, ["lti_ags.E005"]),
        ({"PROFILES": {"campus": "django_lti_ags.conf.Settings"}}, ["lti_ags.E005"]),
        ({"WAKE": f"{__name__}.wake"}, []),
        ({"WAKE": f"{__name__}.missing"}, ["lti_ags.E004"]),
        ({"WAKE": "wake"}, ["lti_ags.E004"]),
        ({"WAKE": f"{__name__}.NO_FUNCTION"}, ["lti_ags.E010"]),
        ({"ENCRYPTION_KEYS": ["short"]}, ["lti_ags.E006"]),
        ({"ENCRYPTION_KEYS": [KEY, "x" * 44]}, ["lti_ags.E006"]),
    ],
)
def test_mistakes_in_the_setting(found, changes, ids):
    assert found(**changes) == ids


@pytest.mark.parametrize("raw", [None, "x", []])
def test_a_setting_that_is_no_dict(settings, raw):
    settings.LTI_AGS = raw
    ids = {message.id for message in run_checks() if (message.id or "").startswith("lti_ags.E")}
    assert ids == {"lti_ags.E001"}


@pytest.mark.parametrize(("debug", "ids"), [(True, ["lti_ags.W005"]), (False, ["lti_ags.E007"])])
def test_encryption_keys_are_needed_outside_development(found, settings, debug, ids):
    settings.DEBUG = debug
    assert found(ENCRYPTION_KEYS=[]) == ids


def about_caches():
    return {message.id: message for message in run_checks(tags=["caches"]) if (message.id or "").startswith("lti_ags.")}


BACKENDS = "django.core.cache.backends."
ENOUGH = {"OPTIONS": {"MAX_ENTRIES": 10_000}}


@pytest.mark.parametrize(
    ("backend", "more", "ids"),
    [
        ("locmem.LocMemCache", {}, {"lti_ags.W004", "lti_ags.W006"}),
        ("locmem.LocMemCache", ENOUGH, {"lti_ags.W004"}),
        ("db.DatabaseCache", {}, {"lti_ags.W006"}),
        ("db.DatabaseCache", {"OPTIONS": {"MAX_ENTRIES": 9_999}}, {"lti_ags.W006"}),
        ("db.DatabaseCache", {"OPTIONS": {"MAX_ENTRIES": "many"}}, {"lti_ags.W006"}),
        ("db.DatabaseCache", {"OPTIONS": None}, {"lti_ags.W006"}),
        ("db.DatabaseCache", ENOUGH, set()),
        ("db.DatabaseCache", {"OPTIONS": {"MAX_ENTRIES": "20000"}}, set()),
        ("filebased.FileBasedCache", {}, {"lti_ags.W006"}),
        ("filebased.FileBasedCache", ENOUGH, set()),
        ("redis.RedisCache", {}, set()),
        ("memcached.PyMemcacheCache", {}, set()),
        ("dummy.DummyCache", {}, {"lti_ags.E011"}),
    ],
)
def test_caches_that_forget(settings, backend, more, ids):
    """Only settings are read: nothing is connected to."""
    kept = {"BACKEND": BACKENDS + "memcached.PyMemcacheCache"}
    settings.CACHES = {"default": kept, "launches": {"BACKEND": BACKENDS + backend, "LOCATION": "somewhere"} | more}
    settings.LTI_AGS = {"ENCRYPTION_KEYS": [KEY], "CACHE": "launches"}
    found = {message.id: message for message in checks.check_cache(None)}
    assert set(found) == ids
    for code, message in found.items():
        assert "'launches'" in message.msg
        assert "MAX_ENTRIES" in message.hint or code == "lti_ags.E011"
        assert message.level == (ERROR if code == "lti_ags.E011" else WARNING)


def test_the_cache_that_is_not_ours_is_not_looked_at(settings):
    settings.CACHES = {"default": {"BACKEND": BACKENDS + "dummy.DummyCache"}, "ours": {"BACKEND": BACKENDS + "redis.RedisCache"}}
    settings.LTI_AGS = {"ENCRYPTION_KEYS": [KEY], "CACHE": "ours"}
    assert about_caches() == {}
    settings.LTI_AGS = {"ENCRYPTION_KEYS": [KEY]}
    assert set(about_caches()) == {"lti_ags.E011"}


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (GOOD_OPTIONS, []),
        (GOOD_OPTIONS | {"transaction_mode": "exclusive"}, []),
        (GOOD_OPTIONS | {"init_command": "pragma journal_mode = wal"}, []),
        (GOOD_OPTIONS | {"transaction_mode": "DEFERRED"}, ["lti_ags.W001"]),
        (GOOD_OPTIONS | {"transaction_mode": None}, ["lti_ags.W001"]),
        (GOOD_OPTIONS | {"init_command": "PRAGMA journal_mode=DELETE"}, ["lti_ags.W002"]),
        (GOOD_OPTIONS | {"timeout": 5}, ["lti_ags.W003"]),
        (GOOD_OPTIONS | {"timeout": None}, ["lti_ags.W003"]),
        ({}, ["lti_ags.W001", "lti_ags.W002", "lti_ags.W003"]),
        (None, ["lti_ags.W001", "lti_ags.W002", "lti_ags.W003"]),
    ],
)
def test_sqlite_under_a_worker(found, monkeypatch, options, ids):
    monkeypatch.setattr(checks, "connections", {"default": SimpleNamespace(vendor="sqlite", settings_dict={"OPTIONS": options})})
    assert found() == ids


def test_other_databases_need_nothing(found, monkeypatch):
    server = SimpleNamespace(vendor="postgresql", settings_dict={})
    monkeypatch.setattr(checks, "connections", {"default": server})
    assert found() == []


@pytest.mark.parametrize(
    ("vendor", "zone", "ids"),
    [
        ("mysql", "Asia/Kolkata", ["lti_ags.E012"]),
        ("sqlite", "America/New_York", ["lti_ags.E012"]),
        ("postgresql", "Asia/Kolkata", []),
        ("mysql", "UTC", []),
        ("mysql", None, []),
    ],
)
def test_a_database_in_a_zone_of_its_own(found, monkeypatch, vendor, zone, ids):
    server = SimpleNamespace(vendor=vendor, settings_dict={"OPTIONS": GOOD_OPTIONS, "TIME_ZONE": zone})
    monkeypatch.setattr(checks, "connections", {"default": server})
    assert found() == ids


class Router:
    """Sends everything to one database."""

    def __init__(self, alias):
        self.alias = alias

    def db_for_read(self, model, **hints):
        return self.alias


@pytest.mark.parametrize(("alias", "ids"), [("other", ["lti_ags.E013"]), ("default", []), (None, [])])
def test_routers_say_what_the_setting_says(found, monkeypatch, alias, ids):
    monkeypatch.setattr(checks.router, "routers", [Router(alias)])
    assert found() == ids


@pytest.mark.parametrize("host", ["10.0.0.0/99", "https://lms.example", " ", "a*.example"])
def test_a_private_host_that_is_none(found, host):
    assert found(ALLOWED_PRIVATE_HOSTS=[host]) == ["lti_ags.E014"]


def test_times_need_a_zone(found, settings):
    settings.USE_TZ = False
    assert found() == ["lti_ags.E009"]


@pytest.mark.parametrize(
    ("names", "ids"), [(["PyLTI1p3"], []), (["pylti1p3next"], []), (["PyLTI1p3", "pylti1p3next"], ["lti_ags.E008"]), ([], [])]
)
def test_two_distributions_of_one_module(found, tmp_path, monkeypatch, names, ids):
    for name in names:
        metadata = tmp_path / f"{name}-2.0.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert found() == ids


def test_the_checks_and_the_settings_agree_on_defaults():
    defaults = conf.Settings()
    assert checks._setting("DATABASE", "default") == defaults.database
    assert checks._setting("CACHE", "default") == defaults.cache
