"""Rows of every model, with canaries in every secret, and people with different permissions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from django_lti_ags import api_keys, canvas_credentials, encryption, webhooks
from django_lti_ags.models import (
    ApiKey,
    CanvasCredential,
    Context,
    DeliveryAttempt,
    Deployment,
    Event,
    LineItem,
    LiveAssessment,
    PendingScore,
    Registration,
    Result,
    Score,
    Service,
    SigningKey,
    SyncSample,
    SyncState,
    WebhookDelivery,
    WebhookEndpoint,
)
from django_lti_ags.sync.outbox_sql import database_now

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODELS = [
    ApiKey,
    CanvasCredential,
    Context,
    DeliveryAttempt,
    Deployment,
    Event,
    LineItem,
    LiveAssessment,
    PendingScore,
    Registration,
    Result,
    Score,
    Service,
    SigningKey,
    SyncSample,
    WebhookDelivery,
    WebhookEndpoint,
]


class World:
    """One row of every model; ``score`` is settled, ``pending`` failed."""

    def __init__(self, tool_key) -> None:
        self.key = SigningKey.objects.create(
            name="of 2026", kid="k1", private_key_encrypted=encryption.encrypt(tool_key.pem), public_jwk=tool_key.jwk
        )
        self.registration = self.add_registration("Campus")
        self.canvas_credential = canvas_credentials.store_user_token(
            self.registration, base_url="https://school.example", access_token="1~canary-of-a-users-token"
        )
        self.api_key, self.api_key_text = api_keys.issue("Quiz in Node", [self.registration])
        self.service = Service.objects.create(registration=self.registration, origin="https://lms.example")
        self.deployment = Deployment.objects.create(registration=self.registration, deployment_id="d1")
        self.context = Context.objects.create(deployment=self.deployment, context_id="c1", title="Mathematics")
        self.line_item = self.add_line_item("Quiz")
        self.score = self.add_score(
            "u1", state=SyncState.DELIVERED, due_at=None, delivered_version=1, delivered_given=8, delivered_maximum=10
        )
        self.pending = self.add_score("u2", state=SyncState.FAILED, due_at=None, code="score_refused", detail="422 too much")
        self.attempt = self.add_attempt(self.score)
        self.result = Result.objects.create(line_item=self.line_item, user_id="u1", result_score=8, read_at=NOON)
        self.sample = SyncSample.objects.create(service=self.service, taken_at=NOON, delivered=1)
        self.event = Event.objects.create(name="score_delivered", score=self.score, code="delivered", created_at=NOON, payload={"a": 1})

        self.webhook_endpoint, self.webhook_secret = webhooks.add(self.api_key, "https://tool.example/hooks")
        self.webhook_delivery = self.add_message(self.score, self.webhook_endpoint)
        self.live_assessment = self.add_live_assessment("reading")

    def add_message(self, score: Score, endpoint: WebhookEndpoint, **fields) -> WebhookDelivery:
        values = {
            "kind": "score.delivered",
            "message_id": "msg_1",
            "body": f'{{"data":{{"userId":"{score.user_id}"}}}}',
            "created_at": NOON,
        }
        values |= {"state": SyncState.FAILED, "code": "webhook_given_up", "due_at": None}
        return WebhookDelivery.objects.create(score=score, service=score.service, endpoint=endpoint, **(values | fields))

    def add_live_assessment(self, key: str, **fields) -> LiveAssessment:
        values = {"course_id": "7", "title": f"{key} aloud", "state": SyncState.DELIVERED, "recorded_at": NOON, "aged_from": NOON}
        places = {"context": self.context, "service": self.service}
        return LiveAssessment.objects.create(key=key, **(places | values | fields))

    def add_registration(self, name: str, **fields) -> Registration:
        values = {
            "issuer": f"https://{name.lower()}.example",
            "client_id": "quiz",
            "auth_login_url": "https://lms.example/auth",
            "token_url": "https://lms.example/token",
            "jwks_url": "https://lms.example/jwks",
            "signing_key": self.key,
        }
        return Registration.objects.create(name=name, **(values | fields))

    def add_line_item(self, label: str) -> LineItem:
        url = f"https://lms.example/{label}"
        return LineItem.objects.create(
            context=self.context, service=self.service, url=url, label=label, state=SyncState.DELIVERED, due_at=None, score_maximum=10
        )

    def add_score(self, user_id: str, line_item: LineItem | None = None, **fields) -> Score:
        values = {"service": self.service, "score_given": 8, "score_maximum": 10, "recorded_at": NOON, "aged_from": NOON, "due_at": NOON}
        return Score.objects.create(line_item=line_item or self.line_item, user_id=user_id, **(values | fields))

    def add_attempt(self, score: Score, **fields) -> DeliveryAttempt:
        values = {
            "service": self.service,
            "kind": "score",
            "started_at": NOON,
            "method": "POST",
            "url": "https://lms.example/Quiz/scores",
            "request_headers": {"authorization": "Bearer [redacted]"},
            "request_body": '{"userId":"u1"}',
            "status": 200,
            "response_body": "<b>fine</b>",
            "code": "delivered",
        }
        return DeliveryAttempt.objects.create(score=score, **(values | fields))

    def row_of(self, model):
        """The row of ``model``."""
        rows = {DeliveryAttempt: self.attempt, PendingScore: self.pending, SigningKey: self.key, SyncSample: self.sample}
        return rows.get(model) or getattr(self, model._meta.verbose_name.lower().replace(" ", "_"))


@pytest.fixture
def world(db, tool_key) -> World:
    return World(tool_key)


@pytest.fixture
def person(db):
    """Makes a staff member with permissions, and says how to browse as them."""

    def make(*codenames: str, superuser: bool = False) -> Client:
        user = User.objects.create(username=f"staff{User.objects.count()}", is_staff=True, is_superuser=superuser)
        found = Permission.objects.filter(content_type__app_label="lti_ags", codename__in=codenames)
        assert found.count() == len(codenames)
        user.user_permissions.set(found)
        # As a browser does: a POST without the token of a page is refused.
        client = Client(enforce_csrf_checks=False)
        client.force_login(user)
        return client

    return make


@pytest.fixture
def boss(person) -> Client:
    return person(superuser=True)


def address(model, page: str, row=None) -> str:
    """The admin's page of a model or row."""
    return reverse(f"admin:lti_ags_{model._meta.model_name}_{page}", args=[row.pk] if row is not None else [])


class _Fields(HTMLParser):
    """What the form of a page would send, were it left as it is."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.can_submit = False
        self._within = False

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "main" or given.get("id") == "content":
            self._within = True
        if not self._within or tag != "input":
            return
        if given.get("type") == "hidden":
            self.found.append((given["name"], given.get("value", "")))
        elif given.get("type") == "submit":
            self.can_submit = "disabled" not in given


def confirm(browser, asked, **more):
    """Answer a page that asks: its hidden fields back to where it came from, and ``more``."""
    assert asked.status_code == 200
    fields = _Fields()
    fields.feed(asked.content.decode())
    assert fields.can_submit
    form = {}
    for name, value in fields.found:
        form.setdefault(name, []).append(value)
    request = asked.wsgi_request
    return browser.post(request.get_full_path(), form | more)


@pytest.fixture
def now(db):
    return database_now("default")


@pytest.fixture
def busy(world, now):
    """Some of everything at the first campus."""
    Score.objects.all().delete()
    SyncSample.objects.update(taken_at=now - timedelta(minutes=1))
    for number, (state, many) in enumerate((("pending", 3), ("sending", 2), ("blocked", 4), ("failed", 5), ("delivered", 6))):
        for one in range(many):
            fields = {"due_at": None}
            if state == "pending":
                fields = {"due_at": now - timedelta(minutes=20)}
            if state == "sending":
                fields = {"due_at": now + timedelta(minutes=1), "lease_token": world.registration.uid}
            if state == "delivered":
                at = now - timedelta(hours=1)
                fields |= {"delivered_at": at, "recorded_at": at - timedelta(seconds=4)}
            world.add_score(f"{number}-{one}", state=state, **fields)
    return world
