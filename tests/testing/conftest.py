"""A running platform, and a tool that speaks to it with nothing but `requests`."""

import time
import uuid

import jwt
import pytest
import requests

from django_lti_ags.testing.platforms import ALL_SCOPES, SimulatedPlatform, User
from tests.conftest import KEY_ID

_SCOPES = " ".join(ALL_SCOPES)


class Plain:
    """A tool without the package's own client."""

    def __init__(self, platform, key) -> None:
        self.platform, self.key = platform, key
        self.tool = platform.register_tool(
            client_id="quiz",
            public_jwks={"keys": [key.jwk]},
            login_url="http://tool.example/login",
            redirect_uris=["http://tool.example/launch"],
        )
        self.course = platform.add_course(
            "c", "Course", [User(id="u1", login="one", name="One <1>"), User(id="t1", login="t", name="T", role="instructor")]
        )
        self.link = platform.add_link(self.course, "Quiz", self.tool, score_maximum=10)
        self.container = platform.gradebook.container_url(self.course)
        self.item = platform.line_item_url(self.course, self.link.line_item)
        self.session = requests.Session()
        self.session.trust_env = False

    def claims(self, **changed):
        now = int(time.time())
        claims = {
            "iss": "quiz",
            "sub": "quiz",
            "aud": self.platform.token_url,
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid.uuid4()),
        } | changed
        return {name: value for name, value in claims.items() if value is not None}

    def ask(self, assertion=None, *, headers=None, scope=_SCOPES, **changed):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion or jwt.encode(self.claims(), self.key.private, "RS256", headers={"kid": KEY_ID}),
            "scope": scope,
        } | changed
        return self.session.post(self.platform.token_url, data=form, headers=headers, timeout=10)

    def token(self, **changed):
        return self.ask(**changed).json()["access_token"]

    def call(self, method, url, json=None, *, token=None, media=None, accept=None, data=None):
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        if media:
            headers["Content-Type"] = media
        headers["Accept"] = accept or "*/*"
        if not accept:
            headers["Accept"] = None
        return self.session.request(method, url, json=json, data=data, headers=headers, timeout=10)


@pytest.fixture
def platform():
    with SimulatedPlatform() as running:
        yield running


@pytest.fixture
def plain(platform, tool_key):
    made = Plain(platform, tool_key)
    yield made
    made.session.close()
