"""A simulated Canvas with a course of five learners, and a client of it."""

from datetime import UTC, datetime, timedelta

import pytest

from django_lti_ags.ags.transport import Transport
from django_lti_ags.canvas import Client, UserToken
from django_lti_ags.testing.platforms import CanvasRest, SimulatedPlatform
from tests.ags.scripted import Script

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def transport():
    made = Transport(allowed_private_hosts=["127.0.0.1"])
    yield made
    made.close()


@pytest.fixture
def script():
    running = []

    def start(*connections) -> Script:
        running.append(Script(*connections))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def school(transport):
    """Scores of outcome 1 (of 5 points, mastered from 3): 5, 4, 3, 0 and none."""
    with SimulatedPlatform(dialect="canvas") as platform:

        class School:
            pass

        school = School()
        school.platform, school.rest, school.transport, school.seen = platform, CanvasRest(platform), transport, []
        school.book = book = school.rest.add_course(7, "Algebra")
        for number, name in enumerate(["Ada Lovelace", "Kurt Gödel", "Emmy Noether", "Alan Turing", "Bertrand Russell"], 1):
            book.add_student(number, name, sis_user_id=f"s{number}", sections=(1, 2) if number == 1 else (1,))
        group = book.add_group("Numbers")
        school.sums, school.proofs = book.add_outcome("Sums", group_id=group.id), book.add_outcome("Proofs")
        for user_id, score in enumerate([5, 4, 3, 0], 1):
            book.assess(user_id, school.sums, "assignment_53", score, NOON + timedelta(minutes=user_id))
        school.token = school.rest.issue_token()

        def client(token=None):
            source = UserToken(token or school.token) if token is None or isinstance(token, str) else token
            return Client(platform.base_url, source, transport=transport, observe=school.seen.append)

        school.make, school.client = client, client()
        yield school


@pytest.fixture
def scripted(transport, script):
    """A client of a server that plays a script on one connection."""

    def start(*steps):
        server = script(list(steps))
        return Client(server.url, UserToken("1~canvas-token-0123456789"), transport=transport), server

    return start
