"""One server after the other, each started once, on the suite's database; the platform and the worker are in this process."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.api.conftest import Worker, tool, tool_at
from tests.servers.processes import COMMANDS, start
from tests.servers.wire import Wire

__all__ = ["tool"]


@pytest.fixture(scope="session")
def database(django_db_setup, django_db_blocker) -> str:
    assert connection.vendor == "sqlite", "the servers are tried on SQLite"
    return str(connection.settings_dict["NAME"])


@pytest.fixture(scope="session", params=COMMANDS)
def server(request, database, tmp_path_factory):
    """Each of them, for all tests."""
    process = start(request.param, COMMANDS[request.param], tmp_path_factory.mktemp(request.param), database)
    yield process
    process.end()
    assert "Traceback" not in process.said(), process.said()


@pytest.fixture
def moodle(make_campus):
    """A tool whose columns' ids have a query, as Moodle's have."""
    return tool_at(make_campus(learners=25, line_item_query="type_id=3"))


@pytest.fixture
def wire(server, moodle) -> Wire:
    return Wire(server.port, moodle.header)


@pytest.fixture
def worker():
    with Worker() as running:
        yield running
