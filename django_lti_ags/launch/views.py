"""The three addresses that a platform knows of a tool: login, launch, key set."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.generic import View
from pylti1p3.exception import LtiException, OIDCException

from django_lti_ags import keys
from django_lti_ags.ags import vocabulary
from django_lti_ags.exceptions import LaunchRefused
from django_lti_ags.launch import frames
from django_lti_ags.launch.browser import BrowserTie, PageRequest
from django_lti_ags.launch.claims import RESOURCE_LINK_MESSAGE
from django_lti_ags.launch.configuration import RegistrationToolConf
from django_lti_ags.launch.reasons import reason_of, told
from django_lti_ags.launch.validation import Login, StrictLaunch
from django_lti_ags.launch.verified import Launch

if TYPE_CHECKING:
    from django.urls import URLPattern

logger = logging.getLogger(__name__)


@method_decorator([csrf_exempt, never_cache, xframe_options_exempt, sensitive_post_parameters()], name="dispatch")
class _PlatformView(View):
    """Called by a browser that a platform sends: from another site, often in a frame."""

    template_name = "lti_ags/launch/refused.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer; a refusal becomes a page that says why."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except (LtiException, OIDCException, LaunchRefused) as problem:
            # One line, whatever a stranger put into it; no claims and no token: they are personal, and worth stealing.
            with translation.override(None):  # logs are in English, whoever launches
                logger.warning("%s refused: %s", type(self).__name__, reason_of(problem))
            return self.refused(request, reason_of(problem))

    def refused(self, request: HttpRequest, reason: str) -> HttpResponse:
        """The page for a login or launch that is not let in."""
        return render(request, self.template_name, {"reason": reason}, status=400)


class LoginView(_PlatformView):
    """The OIDC login initiation (Security Framework, 5.1.1.1): sends the browser to the platform that it came from."""

    launch_url_name: ClassVar[str] = "lti-launch"
    """The launch view's name; looked for in the login view's own URL namespace."""
    new_window_template_name = "lti_ags/launch/new_window.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Begin a launch."""
        page = PageRequest(request)
        tie = BrowserTie(page)
        login = Login(request=page, tool_config=RegistrationToolConf(), session_service=tie, cookie_service=tie)
        # Always our own launch URL: the target that the platform names is not followed.
        url = login.authentication_url(self.launch_url(request))
        cookies = frames.cookies_here(request)
        if cookies is frames.Cookies.UNKNOWN:
            return frames.ask(request)
        if cookies is frames.Cookies.BLOCKED:
            return self.new_window(request)
        return tie.tie(HttpResponseRedirect(url))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Begin a launch: platforms may use either method."""
        return self.get(request)

    def launch_url(self, request: HttpRequest) -> str:
        """The ``redirect_uri``: the platform must have it registered, character for character."""
        namespaces = request.resolver_match.namespaces if request.resolver_match else []
        return request.build_absolute_uri(reverse(":".join([*namespaces, self.launch_url_name])))

    def new_window(self, request: HttpRequest) -> HttpResponse:
        """The page for a frame in which the browser blocks our cookies: a button begins the login in a window of its own."""
        return render(request, self.new_window_template_name, {"parameters": frames.login_parameters(request)})


class LaunchView(_PlatformView):
    """The launch (LTI 1.3, 5.1). Subclass it, and write :meth:`launched`."""

    http_method_names = ["post", "options"]  # noqa: RUF012 - Django's own attribute
    message_types: ClassVar[tuple[str, ...]] = (RESOURCE_LINK_MESSAGE,)
    """The messages that are let in."""

    def launched(self, request: HttpRequest, launch: Launch) -> HttpResponse:
        """Answer a verified launch: keep what you need, and redirect to your own page."""
        raise TypeError(f"{type(self).__name__} must define launched(request, launch)")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Verify the launch."""
        if "error" in request.POST and "id_token" not in request.POST:
            # A platform that cannot launch says so here (OpenID Connect Core, 3.1.2.6); Moodle does.
            said = f"{request.POST['error']} {request.POST.get('error_description', '')}".strip()
            raise LaunchRefused(told(_("The platform did not launch the tool. It says: {said}"), said=said[:300]))
        tie = BrowserTie(PageRequest(request))
        return tie.untie(self.launched(request, self._verified(request, tie)))

    @sensitive_variables()
    def _verified(self, request: HttpRequest, tie: BrowserTie) -> Launch:
        page = PageRequest(request)
        message = StrictLaunch(request=page, tool_config=RegistrationToolConf(), session_service=tie, cookie_service=tie)
        message.message_types = self.message_types
        message.validate()
        claims = message.get_launch_data()
        target = claims.get(vocabulary.TARGET_LINK_URI_CLAIM, "")
        ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
        return Launch(claims, target if ours else "", message)


class JwksView(View):
    """The tool's public key set (RFC 7517)."""

    def get(self, request: HttpRequest) -> JsonResponse:
        """Every key that is not retired."""
        return JsonResponse(keys.jwks(), headers={"Cache-Control": "public, max-age=300"})


def lti_urls(launch_view: type[LaunchView], login_view: type[LoginView] = LoginView) -> list[URLPattern]:
    """The three addresses, for ``include()``: ``login/``, ``launch/`` and ``jwks.json``.

    A project with several launch views includes them under namespaces: ``include((lti_urls(Quiz), "quiz"))``.
    """
    return [
        path("login/", login_view.as_view(), name="lti-login"),
        path("launch/", launch_view.as_view(), name="lti-launch"),
        path("jwks.json", JwksView.as_view(), name="lti-jwks"),
    ]
