"""A campus with a tool in another language: its API key, a launch that was handed over, and short ways to call."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urlencode

import pytest
from django.core.cache.backends.base import BaseCache
from django.db import connections
from django.test import Client

from django_lti_ags import api_keys, launches
from django_lti_ags.ags import vocabulary
from django_lti_ags.models import ApiKey, ApiLaunch
from django_lti_ags.sync.engine import deliver_due
from tests.api.conforming import check_answer

PREFIX = vocabulary.LTI_CLAIM_PREFIX
AGS = vocabulary.AGS_ENDPOINT_CLAIM


def encoded(url: str) -> str:
    """As JavaScript's encodeURIComponent does."""
    return quote(url, safe="!'()*")


@dataclass
class Tool:
    """The tool's back-end; ``header`` is what it shows."""

    campus: Any
    key: ApiKey
    text: str
    launch: ApiLaunch
    ltik: str
    header: str = ""
    client: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        self.header = self.header or f"LTIK-AUTH-V2 {self.text}:{self.ltik}"

    @property
    def service_key(self) -> str:
        return launches.service_key(self.launch.context)

    @property
    def column(self) -> str:
        """The launched link's line item."""
        return self.campus.platform.line_item_url(self.campus.course, self.campus.link.line_item)

    @property
    def container(self) -> str:
        return self.campus.platform.gradebook.container_url(self.campus.course)

    def call(self, method: str, path: str, body: Any = None, *, header: str | None = None, query: Any = None, **extra: Any) -> Any:
        """``path`` below ``/lti/api/``, encoded; what came, with its JSON in ``data``."""
        shown = self.header if header is None else header
        if shown:
            extra["HTTP_AUTHORIZATION"] = shown
        if body is not None:
            extra |= {"data": body if isinstance(body, (bytes, str)) else json.dumps(body)}
            extra = {"content_type": "application/json"} | extra
        url = f"/lti/api/{path}" + ("?" + urlencode(query) if query else "")
        answer = self.client.generic(method, url, **extra)
        answer.data = json.loads(answer.content) if answer.content else None
        if not {"RAW_URI", "REQUEST_URI"} & set(extra):
            check_answer(method, url, answer)
        return answer

    def item(self, method: str, url: str = "", body: Any = None, *, scores: bool = False, **more: Any) -> Any:
        """The same of a line item, or of its scores."""
        return self.call(method, f"lineitems/{encoded(url or self.column)}" + ("/scores" if scores else ""), body, **more)

    def post_score(self, user: str = "u1", **more: Any) -> Any:
        body = {"userId": user, "activityProgress": "Completed", "gradingProgress": "FullyGraded", "scoreGiven": 8, "scoreMaximum": 10}
        query = more.pop("query", None)
        return self.item(
            "POST",
            more.pop("url", ""),
            {name: value for name, value in (body | more).items() if value is not ...},
            scores=True,
            query=query,
        )


class AwayCache(BaseCache):
    """A cache that nobody reaches."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__({})

    def get(self, *arguments: Any, **more: Any) -> Any:
        raise ConnectionError("the cache is away")

    set = add = delete = clear = get


class Worker:
    """A worker beside what is tested, in a thread, for as long as the block lasts."""

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._ended.set()
        self._thread.join(timeout=30)

    def _work(self) -> None:
        try:
            while not self._ended.wait(0.05):
                deliver_due()
        finally:
            connections.close_all()


def claims(campus: Any, **more: Any) -> dict[str, Any]:
    """A verified launch's, with a person's name and what else a platform tells."""
    return (
        campus.claims()
        | {
            "name": "Ada Lovelace",
            "email": "ada@school.example",
            PREFIX + "message_type": "LtiResourceLinkRequest",
            PREFIX + "target_link_uri": "https://tool.example/quiz/7",
            PREFIX + "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            PREFIX + "custom": {"quiz": "7"},
        }
        | more
    )


def tool_at(campus: Any, **more: Any) -> Tool:
    key, text = api_keys.issue("Quiz in Node", [campus.registration])
    return Tool(campus, key, text, *launches.keep(claims(campus, **more)))


@pytest.fixture
def tool(campus) -> Tool:
    return tool_at(campus)
