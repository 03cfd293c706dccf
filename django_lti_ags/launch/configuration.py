"""Our registrations, as pylti1p3 wants to see them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from pylti1p3.deployment import Deployment as LibraryDeployment
from pylti1p3.registration import Registration as LibraryRegistration
from pylti1p3.tool_config.abstract import ToolConfAbstract

from django_lti_ags.exceptions import LaunchRefused, UnknownRegistration
from django_lti_ags.launch.reasons import told
from django_lti_ags.models import Deployment, Registration
from django_lti_ags.models.identity import digest


class RegistrationToolConf(ToolConfAbstract[Any]):
    """Looks registrations up by (issuer, client_id), byte for byte; each once per request."""

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[tuple[str, str], Registration] = {}

    def check_iss_has_one_client(self, iss: str) -> bool:
        """No issuer is assumed to have only one client: the tenants of one cloud share it."""
        return False

    def check_iss_has_many_clients(self, iss: str) -> bool:
        """Every issuer may."""
        return True

    def row(self, issuer: str, client_id: str) -> Registration:
        """Our registration of (``issuer``, ``client_id``); without a client_id the issuer's only one.

        Raises:
            UnknownRegistration: there is none.
            LaunchRefused: there is no client_id, and the issuer has several.
        """
        if (issuer, client_id) not in self._found:
            self._found[issuer, client_id] = registration_of(issuer, client_id)
        return self._found[issuer, client_id]

    def find_registration_by_issuer(self, iss: str, *args: Any, **kwargs: Any) -> LibraryRegistration:
        """The issuer's only registration."""
        return self.find_registration_by_params(iss, "", *args, **kwargs)

    def find_registration_by_params(self, iss: str, client_id: str, *args: Any, **kwargs: Any) -> LibraryRegistration:
        """The registration of (``iss``, ``client_id``); raises as :meth:`row`."""
        found = self.row(iss, client_id)
        # What signs stays here: the library gets no private key, since it makes no service call.
        library = LibraryRegistration()
        library.set_issuer(found.issuer).set_client_id(found.client_id)
        library.set_auth_login_url(found.auth_login_url).set_auth_token_url(found.token_url)
        library.set_key_set_url(found.jwks_url)
        return library

    def find_deployment(self, iss: str, deployment_id: str) -> LibraryDeployment | None:
        """The deployment at the issuer's only registration."""
        return self.find_deployment_by_params(iss, deployment_id, "")

    def find_deployment_by_params(
        self, iss: str, deployment_id: str, client_id: str, *args: Any, **kwargs: Any
    ) -> LibraryDeployment | None:
        """The deployment, if it is listed or the registration accepts new ones."""
        registration = self.row(iss, client_id)
        listed = Deployment.objects.filter(registration=registration, deployment_digest=digest(deployment_id)).exists()
        if not listed and not registration.accept_new_deployments:
            return None
        return LibraryDeployment().set_deployment_id(deployment_id)


def registration_of(issuer: str, client_id: str) -> Registration:
    """Our registration, or an error that says why there is none; see :meth:`RegistrationToolConf.row`."""
    if client_id:
        found = Registration.objects.filter(key=digest(issuer, client_id)).first()
        if found is None:
            raise UnknownRegistration(issuer, client_id)
        return found
    # The database may compare without case: what it finds is compared again here.
    candidates = [row for row in Registration.objects.filter(issuer=issuer) if row.issuer == issuer]
    if not candidates:
        raise UnknownRegistration(issuer, "")
    if len(candidates) > 1:
        raise LaunchRefused(
            told(
                _(
                    "The login names no client_id, and {count} registrations have the issuer {issuer}: the platform must send its "
                    "client_id when it begins a login."
                ),
                count=len(candidates),
                issuer=repr(issuer),
            )
        )
    return candidates[0]
