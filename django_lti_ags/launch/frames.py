"""How a launch carries on inside an LMS's page, where a browser may block the tool's cookies.

A login that comes from another site's frame is sent once more to the same address with a cookie:
if the cookie does not come back, the person gets a button that begins the same login in a window of
its own. Browsers say with ``Sec-Fetch-*`` where they are; no script is needed. It has to happen before
the platform is asked, because some platforms (Canvas) answer one login only once.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.http import HttpResponseRedirect

from django_lti_ags.launch.browser import COOKIE_PREFIX, place_cookie

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

LOGIN_PARAMETERS: Final = ("iss", "login_hint", "target_link_uri", "lti_message_hint", "lti_deployment_id", "client_id")
"""What a platform sends to begin a login (Security Framework, 5.1.1.1; LTI 1.3, 4.1)."""

_COOKIE: Final = COOKIE_PREFIX + "frame"
_ASKED: Final = "lti_ags_asked"


class Cookies(Enum):
    """What is known of the browser's cookies here."""

    WORK = "work"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"


def cookies_here(request: HttpRequest) -> Cookies:
    """Whether a cookie set now would come back with the launch; taken to be so where no browser says it is in a frame."""
    framed = request.headers.get("Sec-Fetch-Dest") in ("iframe", "frame", "embed", "object")
    if not framed or request.headers.get("Sec-Fetch-Site") != "cross-site":
        return Cookies.WORK
    if any(name.startswith(COOKIE_PREFIX) for name in request.COOKIES):
        return Cookies.WORK
    return Cookies.BLOCKED if _ASKED in request.GET else Cookies.UNKNOWN


def ask(request: HttpRequest) -> HttpResponse:
    """The same login again, with a cookie that shows whether cookies come back."""
    response = HttpResponseRedirect(f"{request.path}?{urlencode({**login_parameters(request), _ASKED: '1'})}")
    # Without an end: while the browser is open, later logins know without asking.
    place_cookie(response, _COOKIE, "1", secure=request.is_secure(), max_age=None)
    return response


def login_parameters(request: HttpRequest) -> dict[str, str]:
    """The login as the platform began it."""
    source = request.POST if request.method == "POST" else request.GET
    return {name: str(source[name]) for name in LOGIN_PARAMETERS if name in source}
