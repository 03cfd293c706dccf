"""A nursery on the test's own database."""

import pytest
from django.db import connection

from tests.crashes.nursery import Nursery
from tests.sync.conftest import Tomorrow, canvas_campus, column, deliver

__all__ = ["canvas_campus", "column", "deliver"]


@pytest.fixture
def later():
    """Clocks that run ahead, each beyond every lease and wait of the one before."""
    hours = iter(range(1, 10_000))
    return lambda: Tomorrow(hours=next(hours))


@pytest.fixture
def nursery(transactional_db):
    made = []

    def start(**lti_ags):
        made.append(Nursery(str(connection.settings_dict["NAME"]), **lti_ags))
        return made[-1]

    yield start
    for one in made:
        one.__exit__()
