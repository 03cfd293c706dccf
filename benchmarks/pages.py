"""The addresses that ``benchmarks.admin`` asks for."""

from django.contrib import admin
from django.urls import path

from django_lti_ags.contrib.prometheus import MetricsView

urlpatterns = [path("admin/", admin.site.urls), path("metrics", MetricsView.as_view())]
