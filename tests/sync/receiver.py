"""An endpoint that hears webhooks, on a real socket; and what it heard. Its fixtures are imported by whoever uses them."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from django_lti_ags import api_keys, webhooks
from django_lti_ags.models import SyncState, WebhookDelivery, WebhookEndpoint
from tests.sync.conftest import record

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "webhooks.md"


def documented_verify():
    """The function that the page shows."""
    found = {}
    exec(re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1], found)
    return found["verify"]


verify = documented_verify()


class Heard(NamedTuple):
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """Answers with the next of ``answers`` (status, headers), and with 204 when there are no more."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.open = threading.Event()
        """While it is not set, no answer is given."""
        self.open.set()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.heard.append(Heard({name.lower(): value for name, value in self.headers.items()}, body))
                owner.open.wait(30)
                status, headers = owner.answers.pop(0) if owner.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks?of=grades"

    def stop(self) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def key(campus):
    return api_keys.issue("Quiz in Node", [campus.registration])[0]


@pytest.fixture
def endpoint(key, receiver):
    made, secret = webhooks.add(key, receiver.url)
    made.shown = secret
    return made


def message() -> WebhookDelivery:
    """The only one."""
    return WebhookDelivery.objects.get()


def told_of(line_item, deliver, count):
    """So many scores delivered, of which the endpoint is still to be told."""
    for number in range(count):
        record(line_item, f"x{number}")
    WebhookEndpoint.objects.update(closed_until="2100-01-01T00:00Z")
    deliver()
    WebhookEndpoint.objects.update(closed_until=None)
    assert WebhookDelivery.objects.filter(state=SyncState.PENDING).count() == count
