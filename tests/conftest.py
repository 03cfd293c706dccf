"""What the whole suite stands on: a registered tool, a simulated platform, and the rows between them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.cache import cache

from django_lti_ags import encryption, line_items
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import LineItem, Registration, SigningKey
from django_lti_ags.sync import clients
from django_lti_ags.testing.platforms import Course, ResourceLink, SimulatedPlatform, Tool, User

KEY_ID = "tests"


@dataclass(frozen=True)
class ToolKey:
    """The tool's RSA key, in every form that a test needs."""

    private: rsa.RSAPrivateKey
    pem: str
    jwk: dict[str, Any]


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
            kid=KEY_ID, defaults={"private_key_encrypted": encryption.encrypt(tool_key.pem), "public_jwk": tool_key.jwk}
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


@pytest.fixture(autouse=True)
def _nothing_shared():
    """No token, client or parsed setting travels from one test to the next."""
    cache.clear()
    yield
    clients.forget_shared()
