"""The tree that is drawn is the tree that is there."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

from django_lti_ags import exceptions
from django_lti_ags.exceptions import (
    InvalidAnswer,
    InvalidScore,
    LtiAgsError,
    MissingScope,
    UnknownRegistration,
)

LINE = re.compile(r"^    ((?:│   |    )*)(?:[├└]── )?(\w+)(?: \((\w+)\))?(?:\s{2,}(\S.*))?$")


def drawn():
    """(class, its parent, its second base) by the docstring."""
    block = exceptions.__doc__.split("::")[1].split("Standard library only")[0]
    above, rows = [], set()
    for line in filter(str.strip, block.splitlines()):
        lead, name, second, text = LINE.match(line).groups()
        depth = len(lead) // 4 + ("── " in line)
        assert text or not depth, f"{name} is drawn without saying what it is"
        above[depth:] = [name]
        rows.add((name, above[depth - 1] if depth else None, second))
    return rows


def real():
    """The same, by the classes; private ones in between are passed over."""
    rows = set()
    for name, kind in inspect.getmembers(exceptions, inspect.isclass):
        if kind.__module__ != exceptions.__name__ or name.startswith("_"):
            continue
        ours = [base.__name__ for base in kind.__mro__[1:] if issubclass(base, LtiAgsError) and not base.__name__.startswith("_")]
        parent = vars(exceptions)[ours[0]] if ours else Exception
        second = next((base.__name__ for base in (ValueError,) if issubclass(kind, base) and not issubclass(parent, base)), None)
        rows.add((name, ours[0] if ours else None, second))
    return rows


def test_the_drawn_tree_is_complete_and_right():
    assert drawn() == real()


def test_every_error_says_what_it_means():
    assert all(vars(exceptions)[name].__doc__ for name, _, _ in real())


def test_they_need_nothing_but_the_standard_library():
    code = (
        "import sys; import django_lti_ags.exceptions; "
        "print([name for name in sys.modules if name.split('.')[0] in ('django', 'urllib3', 'jwt', 'cryptography')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_an_invalid_field_names_field_value_and_rule():
    problem = InvalidScore("score_given", -1, "must not be negative")
    assert (problem.field, problem.value, problem.rule) == ("score_given", -1, "must not be negative")
    assert str(problem) == "score_given=-1: must not be negative"
    long = InvalidScore("comment", "x" * 10_000, "is too long")
    assert len(str(long)) < 160
    assert long.value == "x" * 10_000


def test_an_unknown_registration_names_the_commands_that_add_it():
    problem = UnknownRegistration("https://lms.example", "quiz")
    assert (problem.issuer, problem.client_id) == ("https://lms.example", "quiz")
    for part in ("'https://lms.example'", "'quiz'", "lti_ags_register", "lti_ags_import --pylti1p3-json"):
        assert part in str(problem)


@pytest.mark.parametrize(("granted", "shown"), [([], "Granted: none."), (["a", "b"], "Granted: a, b.")])
def test_a_missing_scope_says_what_was_granted(granted, shown):
    problem = MissingScope("https://scope.example", granted)
    assert problem.granted == tuple(granted)
    assert "https://scope.example" in str(problem)
    assert str(problem).endswith(shown)


class _Exchange:
    def __init__(self, text):
        self.text = text

    def summary(self):
        return self.text


def test_a_failed_exchange_carries_all_of_them():
    problem = InvalidAnswer([_Exchange("POST token → 200"), _Exchange("GET results → 200")], "is no list")
    assert problem.exchange is problem.exchanges[-1]
    assert len(problem.exchanges) == 2
    assert str(problem) == "GET results → 200: is no list"
