"""A learning platform that launches the tool, and a browser in between, step by step: each step can be spoilt."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.test import Client

from django_lti_ags.ags import vocabulary
from django_lti_ags.testing.platforms import User
from django_lti_ags.testing.platforms.launches import Intent

TOOL = "http://testserver/lti/"
PREFIX = vocabulary.LTI_CLAIM_PREFIX


@dataclass
class Begun:
    """A login that the tool answered: what the platform is asked for."""

    answer: Any

    @property
    def asked(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.answer["Location"]).query).items()}

    @property
    def state(self) -> str:
        return self.asked["state"]

    @property
    def nonce(self) -> str:
        return self.asked["nonce"]

    @property
    def cookie(self) -> Any:
        return self.answer.cookies["lti_ags_" + self.state]


class Desk:
    """The platform's side of a launch by hand."""

    def __init__(self, campus) -> None:
        self.campus = campus
        self.platform = campus.platform
        self.user = campus.course.users["u1"]
        campus.tool.login_url = TOOL + "login/"
        campus.tool.redirect_uris = [TOOL + "launch/"]
        campus.tool.target_link_uri = TOOL + "launch/"

    @property
    def intent(self) -> Intent:
        return Intent(self.user, self.campus.course, self.campus.link)

    def teacher(self) -> None:
        """From here on a teacher launches."""
        self.user = User(id="t1", login="teacher", name="Ms Teacher", role="instructor")

    def parameters(self, **changed: str | None) -> dict[str, str]:
        _, parameters = self.platform.launches.initiation(self.user, self.campus.course, self.campus.link)
        return {name: value for name, value in (parameters | changed).items() if value is not None}

    def begin(self, client: Client, path: str = "/lti/login/", **options: Any) -> Begun:
        answer = client.get(path, self.parameters(), **options)
        assert answer.status_code == 302, answer.content
        return Begun(answer)

    def claims(self, nonce: str, /, **changed: Any) -> dict[str, Any]:
        """The right claims, with ``changed`` ones (None takes one away)."""
        claims = self.platform.launches.claims(self.campus.tool, self.intent, nonce) | changed
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, nonce: str, /, **changed: Any) -> str:
        return self.sign(json.dumps(self.claims(nonce, **changed)).encode())

    def sign(self, body: bytes, header: bytes | None = None) -> str:
        """A token signed with the platform's key, whatever is in it."""
        header = header or json.dumps({"alg": "RS256", "kid": self.platform.launches.kid}).encode()
        signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, body))
        algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        signature = algorithm.sign(signed, self.platform.launches._key)
        return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()

    def launch(self, client: Client, **changed: Any) -> Any:
        """Login and launch, with ``changed`` claims."""
        begun = self.begin(client)
        return post(client, begun.state, self.token(begun.nonce, **changed))


def post(client: Client, state: str, token: str, path: str = "/lti/launch/", **options: Any) -> Any:
    return client.post(path, {"state": state, "id_token": token}, **options)


@pytest.fixture
def desk(campus) -> Desk:
    return Desk(campus)
