"""A project's URLs with an admin site of its own, under a name of its own, beside Django's."""

from django.contrib import admin
from django.urls import path

staff = admin.AdminSite(name="staff")
for model, owner in admin.site._registry.items():
    staff.register(model, type(owner))

urlpatterns = [path("admin/", admin.site.urls), path("staff/", staff.urls)]
