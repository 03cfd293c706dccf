"""Pages of the admin in Chromium, of whoever may do everything."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.admin.browser.looking import watched
from tests.chromium import LOOKS


@pytest.fixture
def open_page(chromium, transactional_db, live_server):
    """Opens pages, logged in; at the end none may have been refused anything."""
    client = Client()
    client.force_login(User.objects.create(username="boss", is_staff=True, is_superuser=True))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    opened = []

    def build(address: str = "/admin/", *, look: str = "light-wide", **options):
        context = chromium.new_context(base_url=live_server.url, **(LOOKS[look] | options))
        context.add_cookies([cookie])
        page = watched(context.new_page())
        opened.append(page)
        assert page.goto(address).ok
        return page

    yield build
    problems = [problem for page in opened for problem in page.problems]
    for page in opened:
        page.context.close()
    assert problems == []
