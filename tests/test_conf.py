"""One dict: typed defaults, read late, every mistake named."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_lti_ags import conf

NUMBERS = [item.name.upper() for item in fields(conf.Settings) if item.type in ("float", "int")]
STRINGS = [item.name.upper() for item in fields(conf.Settings) if item.type == "str"]
LISTS = [item.name.upper() for item in fields(conf.Settings) if str(item.type).startswith("list")]
DICTS = [item.name.upper() for item in fields(conf.Settings) if str(item.type).startswith("dict")]


def test_every_setting_has_a_type_that_is_checked_and_a_default():
    assert len(NUMBERS + STRINGS + LISTS + DICTS) == len(fields(conf.Settings))
    assert all(item.default is not MISSING or item.default_factory is not MISSING for item in fields(conf.Settings))
    assert conf.problems({item.name.upper(): getattr(conf.Settings(), item.name) for item in fields(conf.Settings)}) == []


def test_without_the_setting_all_are_defaults(settings):
    del settings.LTI_AGS
    assert conf.load() == conf.Settings()


def test_values_are_read_when_they_are_used(settings):
    settings.LTI_AGS = {"THREADS": 3}
    assert (conf.get("threads"), conf.get("lease_seconds")) == (3, 60.0)
    settings.LTI_AGS = {"THREADS": 4}
    assert conf.get("threads") == 4


@pytest.mark.parametrize("raw", [None, [], "x", 7])
def test_the_setting_is_a_dict(settings, raw):
    settings.LTI_AGS = raw
    with pytest.raises(ImproperlyConfigured, match="must be a dict"):
        conf.load()


@pytest.mark.parametrize("key", ["LEASE", "lease_seconds", "Threads", "", 7])
def test_an_unknown_key_is_named_with_the_known_ones(key):
    (problem,) = conf.problems({key: 1})
    assert problem.startswith(f"Unknown key {key!r}")
    assert "LEASE_SECONDS" in problem


WRONG = [
    *((key, value) for key in NUMBERS for value in (0, -1, True, "5", None, math.nan, math.inf)),
    *((key, 1e15) for key in NUMBERS),
    *((key, 1.5) for key in ("THREADS", "MAX_BODY_BYTES", "CIRCUIT_FAILURES", "THREADS_PER_SERVICE")),
    *((key, value) for key in STRINGS for value in (None, 7, b"x", ["x"])),
    *((key, value) for key in LISTS for value in ("abc", None, [1], [""], {"a": "b"})),
    *((key, value) for key in DICTS for value in (None, [], {"a": 1}, {1: "a"})),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_type_is_named_with_its_key(key, value):
    (problem,) = conf.problems({key: value})
    assert problem.startswith(f"{key} must be ")


GOOD = [
    *((key, 5) for key in NUMBERS),
    ("LEASE_SECONDS", 0.5),
    *((key, "x") for key in STRINGS),
    *((key, value) for key in LISTS for value in ([], ["x"], ("x", "y"))),
    *((key, value) for key in DICTS for value in ({}, {"a": "b"})),
]


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_a_right_value_is_taken(settings, key, value):
    settings.LTI_AGS = {key: value}
    assert conf.get(key.lower()) == value


def test_all_mistakes_are_told_at_once(settings):
    settings.LTI_AGS = {"THREADS": 0, "WAKE": 1, "X": 1}
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.load()
    assert all(key in str(caught.value) for key in ("THREADS", "WAKE", "'X'"))


@pytest.mark.parametrize("wrong", ["canary-key", ["canary-key", 7], {"canary-key": "x"}])
def test_a_misplaced_encryption_key_is_not_shown(wrong):
    (problem,) = conf.problems({"ENCRYPTION_KEYS": wrong})
    assert "canary" not in problem
    assert problem == f"ENCRYPTION_KEYS must be a list of strings, not a {type(wrong).__name__}." or isinstance(wrong, list)
