"""What ties a launch to the browser that began it: one signed, short-lived cookie per login.

It carries the state, the nonce and the registration, so nothing has to be kept on the server; only
that a nonce was used is, in the cache. It knows nothing of registrations or tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core import signing
from django.core.cache import caches
from django.utils.translation import gettext_lazy as _
from pylti1p3.cookie import CookieService
from pylti1p3.request import Request
from pylti1p3.session import SessionService

from django_lti_ags import conf
from django_lti_ags.exceptions import LaunchRefused
from django_lti_ags.launch.reasons import told
from django_lti_ags.models.identity import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

COOKIE_PREFIX: Final = "lti_ags_"
LOGIN_SECONDS: Final = 600
"""How long a person may take between the login and the launch (a platform may ask for a password in between)."""
LOGINS_AT_ONCE: Final = 16
"""How many logins of one browser may be under way; another one ends the oldest.

A page that begins logins in a loop would otherwise fill the browser with cookies until servers refuse its requests.
"""

_SALT: Final = "django_lti_ags.launch"


class PageRequest(Request):
    """Django's request, as pylti1p3 wants to see it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def session(self) -> dict[str, Any]:
        """Unused: the browser's part is in :class:`BrowserTie`."""
        return {}

    def get_param(self, key: str) -> str:
        """A parameter: the form's on a POST, the query's otherwise. Missing: the empty string."""
        source = self._request.POST if self._request.method == "POST" else self._request.GET
        return str(source.get(key, ""))

    def get_cookie(self, key: str) -> str | None:
        """A cookie."""
        return self._request.COOKIES.get(key)

    def cookie_names(self) -> Sequence[str]:
        """Every cookie's name, the oldest first (RFC 6265, 5.4)."""
        return list(self._request.COOKIES)

    def is_secure(self) -> bool:
        """Whether it came over HTTPS."""
        return bool(self._request.is_secure())


def place_cookie(response: HttpResponse, name: str, value: str, *, secure: bool, max_age: int | None) -> None:
    """Set a cookie of ours, so that it comes back with the form that an LMS posts, in a frame too.

    Only ``SameSite=None`` gets through there, and only with ``Secure``. Over plain HTTP (localhost) nothing is said: browsers then
    send a cookie this young with another site's form, which ``Lax`` would forbid.
    """
    response.set_cookie(name, value, max_age=max_age, httponly=True, secure=secure, samesite="None" if secure else None)


class BrowserTie(SessionService, CookieService):
    """The state, the nonce and the registration of one login, in one signed cookie."""

    def __init__(self, request: PageRequest) -> None:
        super().__init__(request)
        self._page = request
        self._state = ""
        self._nonce = ""
        self.registration_key = ""

    def set_cookie(self, name: str, value: str | int, exp: int | None = LOGIN_SECONDS) -> None:
        """The login's state; its name is its value."""
        self._state = name

    def save_nonce(self, nonce: str) -> None:
        """The login's nonce."""
        self._nonce = nonce

    def tie(self, response: HttpResponse) -> HttpResponse:
        """Give the browser the cookie."""
        tied = {"state": self._state, "nonce": self._nonce, "registration": self.registration_key}
        value = signing.dumps(tied, salt=_SALT)
        place_cookie(response, COOKIE_PREFIX + self._state, value, secure=self._page.is_secure(), max_age=LOGIN_SECONDS)
        # pylti1p3 begins every state with "state-".
        begun = [name for name in self._page.cookie_names() if name.startswith(COOKIE_PREFIX + "state-")]
        for name in begun[: max(0, len(begun) + 1 - LOGINS_AT_ONCE)]:
            self._take_back(response, name)
        return response

    def get_cookie(self, name: str) -> str | None:
        """``name`` again, if this browser began the login of that state and it is not too old."""
        stored = self._page.get_cookie(COOKIE_PREFIX + name)
        if not stored:
            return None
        try:
            tied = signing.loads(stored, salt=_SALT, max_age=LOGIN_SECONDS)
        except signing.BadSignature:
            return None
        if tied["state"] != name:  # another login's cookie under this one's name
            return None
        self._state, self._nonce, self.registration_key = name, tied["nonce"], tied["registration"]
        return name

    def check_nonce(self, nonce: str) -> bool:
        """Whether it is this login's nonce; that it was not used yet is :meth:`use_up`'s business."""
        return bool(self._nonce) and nonce == self._nonce

    def use_up(self) -> None:
        """Use the login, once: ``add`` lets one of two at once through.

        It is as good as the cache's memory: what a cache of one process, or a full one, throws away within the ten minutes that
        a login lives can be used again. A replay then still needs this browser's cookie, which is taken away with the first launch.

        Raises:
            LaunchRefused: it was used, or the cache keeps nothing, so that nobody can say whether it was.
        """
        alias = conf.get("cache")
        cache, name = caches[alias], f"lti_ags:nonce:{digest(self._nonce)}"
        first, second = cache.add(name, True, LOGIN_SECONDS), cache.add(name, True, LOGIN_SECONDS)
        if first and not second:
            return
        # The dummy cache lets a name in twice; one whose errors are swallowed lets it in never, and does not hold it either.
        if first or cache.get(name) is None:
            raise LaunchRefused(
                told(
                    _(
                        "The tool cannot tell whether this launch was used before, since its cache {alias} keeps nothing. Nobody gets "
                        "in until the people who run the tool name a cache that works in LTI_AGS['CACHE']."
                    ),
                    alias=repr(alias),
                )
            )
        raise LaunchRefused(_("This launch was used already: a launch counts once, and is not repeated by reloading its page."))

    def untie(self, response: HttpResponse) -> HttpResponse:
        """Take the cookie away: a state is used once."""
        self._take_back(response, COOKIE_PREFIX + self._state)
        return response

    def _take_back(self, response: HttpResponse, name: str) -> None:
        response.delete_cookie(name, samesite="None" if self._page.is_secure() else None)

    def set_state_valid(self, state: str, id_token_hash: str) -> None:
        """Not kept: a launch is not repeated by reloading its page."""

    def save_launch_data(self, key: str, jwt_body: Any) -> None:
        """Not kept: what a tool needs of a launch it keeps itself."""
