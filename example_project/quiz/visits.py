"""Visits: what a person came for, one per launch.

A browser has one session but any number of tabs. Each launch gets a token that stands in the
addresses of its pages, so a tab's answers go to what *that* tab was opened for. A session belongs to
one person: when another one launches in the same browser, it begins anew, and older tabs are told so.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from django.http import HttpRequest

    from django_lti_ags.launch import Launch

AT_ONCE: Final = 10
"""How many visits a session remembers: the newest."""


def begin(request: HttpRequest, launch: Launch) -> str:
    """Remember who came, and for which column; returns the visit's token.

    Raises:
        AgsError: the platform did not grant a column to post scores to.
    """
    line_item = launch.line_item()
    person = [launch.claims["iss"], launch.user_id]
    if request.session.get("person") != person:
        request.session.flush()
        request.session["person"] = person
    token = secrets.token_urlsafe(12)
    visit = {"line_item": line_item.pk, "name": launch.claims.get("name", ""), "learns": launch.is_learner, "teaches": launch.is_instructor}
    kept = list(request.session.get("visits", {}).items())[1 - AT_ONCE :]
    request.session["visits"] = {**dict(kept), token: visit}
    return token


def find(request: HttpRequest, token: str) -> dict[str, Any] | None:
    """The visit with that token, with the person's ``user_id``; None if this browser's person has none."""
    visit = request.session.get("visits", {}).get(token)
    return {**visit, "user_id": request.session["person"][1]} if visit else None
