"""A request whose user is no user of the project's: it stays out of Django's ``request.user``, which middleware may look at.

And one whose body is read although nobody said how long it is (``Transfer-Encoding: chunked``, HTTP/2), which DRF takes for none.
"""

from __future__ import annotations

import io
from typing import IO, Any

from django.http import UnreadablePostError
from rest_framework.request import Request, wrap_attributeerrors

from django_lti_ags.api.errors import ApiError


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

    def _load_stream(self) -> None:
        """The body, also without a length; None: there is none.

        Raises:
            ApiError: 411: there is one, and the server does not say where it ends.
        """
        super()._load_stream()
        self._stream: Any
        if self._stream is None and not self._request.META.get("CONTENT_LENGTH"):
            self._stream = self._without_length()

    def _without_length(self) -> IO[bytes] | None:
        meta: Any = self._request.META
        if getattr(self._request, "scope", None) is not None:
            source: Any = self._request
        elif meta.get("wsgi.input_terminated"):
            source = meta["wsgi.input"]
        elif meta.get("HTTP_TRANSFER_ENCODING"):
            raise ApiError(411, "LENGTH_REQUIRED", "The body needs a Content-Length here: this server cannot take it in chunks.")
        else:
            return None
        try:
            data = source.read(self.parser_context["view"].most_bytes + 1)
        except OSError as problem:
            raise UnreadablePostError(*problem.args) from problem
        return io.BytesIO(data) if data else None
