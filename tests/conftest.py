"""What the whole suite stands on: a registered tool, a simulated platform, and the rows between them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.cache import cache
from hypothesis import HealthCheck, settings

from django_lti_ags import canvas_credentials, encryption, line_items
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import Context, LineItem, Registration, SigningKey
from django_lti_ags.sync import clients
from django_lti_ags.testing.platforms import CanvasRest, Course, ResourceLink, SimulatedPlatform, Tool, User
from tests.chromium import FLAGS, binary

KEY_ID = "tests"

settings.register_profile("default", deadline=None)
settings.register_profile("fuzz", max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class ToolKey:
    """The tool's RSA key, in every form that a test needs."""

    private: rsa.RSAPrivateKey
    pem: str
    jwk: dict[str, Any]

    @cached_property
    def sealed(self) -> str:
        """As the suite's own encryption key stores it: parsed once per process, which takes longer than a delivery."""
        return encryption.encrypt(self.pem)


@pytest.fixture(scope="session")
def tool_key() -> ToolKey:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key())) | {"kid": KEY_ID, "alg": "RS256", "use": "sig"}
    return ToolKey(private, pem, jwk)


@dataclass
class Campus:
    """A platform with one course, one activity with a column, and the tool that is registered there."""

    platform: SimulatedPlatform
    tool: Tool
    course: Course
    link: ResourceLink
    registration: Registration

    def claims(self, **endpoint: Any) -> dict[str, Any]:
        """A verified launch's claims; ``endpoint`` changes the AGS claim (None leaves a field out)."""
        platform, prefix = self.platform, vocabulary.LTI_CLAIM_PREFIX
        service = {
            "scope": list(self.tool.scopes),
            "lineitems": platform.gradebook.container_url(self.course),
            "lineitem": platform.line_item_url(self.course, self.link.line_item),
        } | endpoint
        return {
            "iss": platform.issuer,
            "aud": self.tool.client_id,
            "sub": "u1",
            prefix + "deployment_id": self.tool.deployment_id,
            prefix + "context": {"id": self.course.id, "title": self.course.title, "label": "M1"},
            prefix + "resource_link": {"id": self.link.id, "title": self.link.title},
            prefix + "tool_platform": {"product_family_code": "simulated"},
            vocabulary.AGS_ENDPOINT_CLAIM: {name: value for name, value in service.items() if value is not None},
        }

    def line_item(self) -> LineItem:
        """The column, as a launch brings it."""
        return line_items.from_launch(self.claims())

    def shown(self, user_id: str) -> float | None:
        """What the gradebook shows of a learner."""
        return {user.id: grade for user, item, grade in self.course.gradebook() if item is self.link.line_item}[user_id]


@pytest.fixture
def make_campus(tool_key, db):
    """Builds campuses; each platform is stopped at the end."""
    running = []

    def build(client_id: str = "quiz", learners: int = 5, **options: Any) -> Campus:
        platform = SimulatedPlatform(**options).start()
        running.append(platform)
        tool = platform.register_tool(client_id=client_id, public_jwks={"keys": [tool_key.jwk]})
        users = [User(id=f"u{number}", login=f"user{number}", name=f"User {number}") for number in range(1, learners + 1)]
        course = platform.add_course("course-1", "Mathematics", users)
        link = platform.add_link(course, "Quiz", tool, score_maximum=10)
        signing_key, _ = SigningKey.objects.get_or_create(
            kid=KEY_ID, defaults={"private_key_encrypted": tool_key.sealed, "public_jwk": tool_key.jwk}
        )
        registration = Registration.objects.create(
            issuer=platform.issuer,
            client_id=client_id,
            auth_login_url=platform.auth_url,
            token_url=platform.token_url,
            jwks_url=platform.jwks_url,
            signing_key=signing_key,
        )
        return Campus(platform, tool, course, link, registration)

    yield build
    for platform in running:
        platform.stop()


@pytest.fixture
def campus(make_campus) -> Campus:
    return make_campus()


@dataclass
class School:
    """A campus whose Canvas also answers the REST API: course 7, with an outcome and three learners, of whom two were assessed."""

    campus: Campus
    rest: CanvasRest
    book: Any
    token: str

    @property
    def registration(self) -> Registration:
        return self.campus.registration

    @property
    def base_url(self) -> str:
        return self.campus.platform.base_url

    def store_token(self, token: str = "") -> None:
        """Let the registration ask with a user's token."""
        canvas_credentials.store_user_token(self.registration, base_url=self.base_url, access_token=token or self.token)

    def store_key(self, **options: Any) -> None:
        """Let it ask with a developer key."""
        secret, refresh = self.rest.register_key("100", **options)
        canvas_credentials.store_developer_key(
            self.registration, base_url=self.base_url, client_id="100", client_secret=secret, refresh_token=refresh
        )

    def context(self) -> Context:
        """Course 7, as a launch brings it."""
        custom = {vocabulary.LTI_CLAIM_PREFIX + "custom": {"canvas_course_id": "7"}}
        return line_items.from_launch(self.campus.claims() | custom).context

    def asked(self, kind: str) -> int:
        """How often Canvas was asked for it."""
        return len(self.campus.platform.ledger.of(kind))


@pytest.fixture
def school(make_campus) -> School:
    campus = make_campus(dialect="canvas")
    rest = CanvasRest(campus.platform)
    book = rest.add_course(7, "Algebra")
    for number, name in enumerate(["Ada Lovelace", "Kurt Gödel", "Emmy Noether"], 1):
        book.add_student(number, name)
    sums = book.add_outcome("Sums")
    for number, score in ((1, 5), (2, 2)):
        book.assess(number, sums, "assignment_53", score, datetime(2026, 3, 1, 12, number, tzinfo=UTC))
    return School(campus, rest, book, rest.issue_token())


@pytest.fixture(autouse=True)
def _nothing_shared():
    """No token, client or parsed setting travels from one test to the next."""
    cache.clear()
    yield
    clients.forget_shared()


@pytest.fixture(scope="module")
def playwright():
    """Playwright, for one module's tests: two at once cannot be, and the loop of one that is left open is in everybody's way."""
    from playwright.sync_api import sync_playwright  # only the browser tests' environment has it

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as running:
        # Its loop runs in this thread, and Django would refuse the database there.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield running


@pytest.fixture(scope="module")
def chromium(playwright):
    browser = playwright.chromium.launch(executable_path=binary(), args=FLAGS)
    yield browser
    browser.close()
