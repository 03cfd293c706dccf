"""A request whose user is no user of the project's: it stays out of Django's ``request.user``, which middleware may look at."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request, wrap_attributeerrors


class ApiRequest(Request):
    """DRF's request; its ``user`` is a :class:`~django_lti_ags.api.callers.Caller`, or None. A project needs no ``django.contrib.auth``."""

    @property
    def user(self) -> Any:
        """Who calls."""
        if not hasattr(self, "_user"):
            with wrap_attributeerrors():
                self._authenticate()
        return self._user

    @user.setter
    def user(self, value: Any) -> None:
        self._user = value

    def _not_authenticated(self) -> None:
        """Nobody."""
        self._authenticator = None
        self._user = self.auth = None
