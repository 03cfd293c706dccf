"""The suite's URLs: the admin; launch tests bring their own."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
