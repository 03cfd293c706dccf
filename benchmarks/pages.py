"""The addresses that ``benchmarks.admin`` and ``benchmarks.rest`` ask for."""

from django.contrib import admin
from django.urls import include, path

from django_lti_ags.contrib.prometheus import MetricsView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("metrics", MetricsView.as_view()),
    path("lti/", include("django_lti_ags.api.urls")),
]
