"""The launch's validation: pylti1p3's, and what it leaves open.

Closed here: ``exp`` and ``iat`` are required and checked with leeway, as ``nbf`` is where it is sent;
RS256 and a named key only; ``aud`` and ``azp`` by the rules of OpenID Connect; the registration is
that of the login; a login is used once; a deployment must be welcome.
"""

from __future__ import annotations

import time
from typing import Any, Final

import jwt
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from pylti1p3.exception import LtiException
from pylti1p3.message_launch import MessageLaunch
from pylti1p3.oidc_login import OIDCLogin
from pylti1p3.redirect import Redirect

from django_lti_ags.ags.vocabulary import MESSAGE_TYPE_CLAIM
from django_lti_ags.exceptions import LaunchRefused, MalformedLaunch
from django_lti_ags.launch import keysets
from django_lti_ags.launch.browser import LOGIN_SECONDS
from django_lti_ags.launch.claims import RESOURCE_LINK_MESSAGE, check_claims, check_header, client_id, is_text
from django_lti_ags.launch.reasons import of_library, told
from django_lti_ags.models.identity import digest

LEEWAY_SECONDS: Final = 60
"""How far the platform's clock may be off."""
OLDEST_SECONDS: Final = 3600
"""How long ago an id token may have been issued, whatever its ``exp`` says."""
LONGEST_PARAMETER: Final = 2048


class Login(OIDCLogin[Any, Any, Any, Any, Any]):
    """The third-party login: where to send the browser."""

    def get_redirect(self, url: str) -> Redirect[Any]:
        """Not used: :meth:`authentication_url` gives the URL."""
        raise LtiException("Use authentication_url().")

    def authentication_url(self, launch_url: str) -> str:
        """The platform's authorisation endpoint with this login's parameters (Security Framework, 5.1.1.2).

        Raises:
            MalformedLaunch: a parameter is missing, or is nothing that a platform sends.
            UnknownRegistration: nobody registered this platform.
            LaunchRefused: the platform must say for which of several registrations it is.
        """
        url = str(self._prepare_redirect_url(launch_url))
        endpoint = str(self._registration.get_auth_login_url())
        if "?" in endpoint:  # PyLTI1p3 2.0.0 would begin a second query
            url = endpoint + "&" + url[len(endpoint) + 1 :]
        self._session_service.registration_key = digest(str(self.get_iss()), str(self.get_client_id()))
        return url

    def validate_oidc_login(self) -> Any:
        """Its parameters; see :meth:`authentication_url`."""
        for name in ("iss", "login_hint"):
            if not self._get_request_param(name):
                raise MalformedLaunch(told(_("The login has no {name}: this address is for learning platforms, which send it."), name=name))
        for name in ("iss", "client_id"):
            value = self._get_request_param(name)
            if value and (len(value) > LONGEST_PARAMETER or not is_text(value)):
                raise MalformedLaunch(told(_("The login's {name} is nothing that a platform sends."), name=name))
        return super().validate_oidc_login()


class StrictLaunch(MessageLaunch[Any, Any, Any, Any]):
    """A message launch that is refused unless everything is as LTI 1.3 says."""

    message_types: tuple[str, ...] = (RESOURCE_LINK_MESSAGE,)
    """The messages that are let in."""

    def _get_request_param(self, key: str) -> str:
        return str(self._request.get_param(key))

    def get_client_id(self) -> str:
        """The tool's client_id: the authorised party, or the only audience (OpenID Connect Core, 3.1.3.7)."""
        return client_id(self._get_jwt_body())

    def validate_state(self) -> StrictLaunch:
        """The state must be that of a login which this browser began, not long ago."""
        state = self._get_request_param("state")
        if not state:
            raise MalformedLaunch(_("The launch has no state: the platform must send back the one of the login."))
        if self._cookie_service.get_cookie(state) != state:
            raise LaunchRefused(_unknown_state(secure=self._request.is_secure()))
        return self

    def validate_jwt_format(self) -> StrictLaunch:
        """A signed token, with every claim that a launch must have."""
        super().validate_jwt_format()
        check_header(self._jwt.get("header"))
        check_claims(self._jwt.get("body"))
        return self

    def validate_nonce(self) -> StrictLaunch:
        """The nonce must be the login's. That it is used once is :meth:`save_launch_data`'s business, when all else is well."""
        if not self._session_service.check_nonce(self._get_jwt_body()["nonce"]):
            raise LaunchRefused(_("The id token's nonce is not that of this login: the platform must send it back as it was."))
        return self

    def validate_registration(self) -> StrictLaunch:
        """The registration must be there, and be the one that the login was for."""
        super().validate_registration()
        if self._session_service.registration_key != digest(self.get_iss(), self.get_client_id()):
            raise LaunchRefused(_("The id token is from another registration (iss and aud) than the login was for."))
        return self

    def validate_jwt_signature(self) -> StrictLaunch:
        """The signature, by the platform's own key set, and the times."""
        registration = self._tool_config.row(self.get_iss(), self.get_client_id())
        try:
            claims: dict[str, Any] = jwt.decode(
                self._get_id_token(),
                keysets.public_key(registration.jwks_url, self._jwt["header"]["kid"]),
                algorithms=["RS256"],
                audience=registration.client_id,
                issuer=registration.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "nonce", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, keysets.KeyNotFound) as problem:
            raise LaunchRefused(told(_("The id token cannot be trusted: {problem}"), problem=of_library(problem))) from None
        if claims["iat"] < time.time() - OLDEST_SECONDS:
            raise LaunchRefused(_("The id token was issued (iat) more than an hour ago: the platform's clock must be right."))
        if claims != self._jwt["body"]:
            raise MalformedLaunch(_("The id token can be read in two ways."))
        return self

    def validate_deployment(self) -> StrictLaunch:
        """The deployment must be listed, unless the registration accepts new ones."""
        deployment_id = self._get_deployment_id()
        if self._tool_config.find_deployment_by_params(self.get_iss(), deployment_id, self.get_client_id()) is None:
            raise LaunchRefused(
                told(
                    _(
                        "The deployment {deployment} is not listed for this registration, which accepts no new ones. Add it with "
                        "`manage.py lti_ags_register --update --deployment-id …`, or in the admin."
                    ),
                    deployment=repr(deployment_id[:200]),
                )
            )
        return self

    def validate_message(self) -> StrictLaunch:
        """A message that the tool takes, with that message's own claims."""
        kind = str(self._get_jwt_body()[MESSAGE_TYPE_CLAIM])
        if kind not in self.message_types:
            raise LaunchRefused(
                told(
                    _("The tool does not take the message {kind}, but {taken}."), kind=repr(kind[:100]), taken=", ".join(self.message_types)
                )
            )
        try:
            super().validate_message()
        except (AttributeError, TypeError):  # the library trusts the types of what it looks into
            raise MalformedLaunch(told(_("A claim of the message {kind} is not what LTI says it is."), kind=kind)) from None
        return self

    def save_launch_data(self) -> StrictLaunch:
        """The last step: use the login up."""
        self._session_service.use_up()
        super().save_launch_data()
        return self


def _unknown_state(*, secure: bool) -> Any:
    """What learners, too, can do something about: lazy, so that the page says it in their language and the log in English."""
    told = format_lazy(
        _(
            "This launch does not answer a login that this browser began within the last {minutes} minutes. If it happens every time, "
            "the "
            "browser blocks the tool's cookies inside the platform's page: let the platform open the tool in a new window."
        ),
        minutes=LOGIN_SECONDS // 60,
    )
    if secure:
        return told
    why = _("(The tool was reached over plain HTTP, where cookies do not work in frames; behind a proxy set SECURE_PROXY_SSL_HEADER.)")
    return format_lazy("{} {}", told, why)
