"""A nursery on the test's own database."""

import pytest
from django.db import connection

from tests.crashes.nursery import Nursery
from tests.sync.conftest import deliver

__all__ = ["deliver"]


@pytest.fixture
def nursery(transactional_db):
    made = []

    def start(**lti_ags):
        made.append(Nursery(str(connection.settings_dict["NAME"]), **lti_ags))
        return made[-1]

    yield start
    for one in made:
        one.__exit__()
