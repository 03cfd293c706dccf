"""A REST API for tools in any language: LTIAAS' surface on our outbox, over Django REST framework.

::

    urlpatterns = [path("lti/", include("django_lti_ags.api.urls"))]

A client of LTIAAS works with ``https://<this site>/lti`` as its base URL. The extra ``[api]`` installs Django REST framework; it
need not be in ``INSTALLED_APPS``. Nothing else here needs it, and this needs neither sessions nor the extra ``[launch]``.
"""

from django.core.exceptions import ImproperlyConfigured

try:
    import rest_framework  # noqa: F401 - only whether it is there
except ModuleNotFoundError:
    raise ImproperlyConfigured(
        "django_lti_ags.api stands on Django REST framework, which is not installed: pip install 'django-lti-ags[api]'."
    ) from None
