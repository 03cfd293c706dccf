"""The API and the launch view beside it; and the address of a tool in another language, which says back what it was called with."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import include, path

from django_lti_ags.launch import HandOverView, lti_urls

urlpatterns = [
    path("lti/", include(lti_urls(HandOverView))),
    path("lti/", include("django_lti_ags.api.urls")),
    path("tool/", lambda request: HttpResponse(request.get_full_path())),
]
