"""Launches for a tool in another language: verified here, and handed over by a redirect with an *ltik*.

The tool asks ``GET …/api/idtoken`` with it, who came and to what (``django_lti_ags.api``). It is worth a session of that person for
a day, so it is told to no third party: it goes to the registration's own ``tool_url`` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from django_lti_ags import conf, launches
from django_lti_ags.ags.urls import with_query
from django_lti_ags.exceptions import LaunchRefused
from django_lti_ags.launch.views import LaunchView

if TYPE_CHECKING:
    from django_lti_ags.launch.verified import Launch


class HandOverView(LaunchView):
    """Redirects to the registration's ``tool_url``, with ``ltik=…`` added to its query.

    A project that serves both kinds of tools writes :meth:`launched_here` for registrations without one.
    """

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Outside of the project's own transactions: what is kept here is one by itself, on the scores' database."""
        view = super().as_view(**initkwargs)
        for alias in connections:
            if alias != conf.get("database"):
                view = transaction.non_atomic_requests(using=alias)(view)
        return view

    @sensitive_variables("ltik")
    def launched(self, request: HttpRequest, launch: Launch) -> HttpResponse:
        """Hand the launch over."""
        registration = launch.registration()
        if not registration.tool_url:
            return self.launched_here(request, launch)
        _kept, ltik = launches.keep(launch.claims)
        # The page that follows must not name this address, ltik and all, to the sites that it links to.
        return HttpResponseRedirect(with_query(registration.tool_url, [("ltik", ltik)]), headers={"Referrer-Policy": "no-referrer"})

    def launched_here(self, request: HttpRequest, launch: Launch) -> HttpResponse:
        """Answer a launch of a registration without a ``tool_url``.

        Raises:
            LaunchRefused: unless it is overridden.
        """
        raise LaunchRefused(
            _(
                "This registration names no tool to hand launches over to. Set it with `manage.py lti_ags_register --update "
                "--launches-to …`, or in the admin."
            )
        )
