"""A REST API for tools in any language: LTIAAS' surface on our outbox, over Django REST framework.

::

    urlpatterns = [path("lti/", include("django_lti_ags.api.urls"))]

A client of LTIAAS works with ``https://<this site>/lti`` as its base URL. The extra ``[api]`` installs Django REST framework, and
drf-spectacular, with which the views say what they take and answer; neither need be in ``INSTALLED_APPS``. Nothing else here needs
them, and this needs neither sessions nor the extra ``[launch]``.
"""

from django.core.exceptions import ImproperlyConfigured

try:
    import drf_spectacular  # noqa: F401 - only whether they are there
    import rest_framework  # noqa: F401
except ModuleNotFoundError:
    raise ImproperlyConfigured(
        "django_lti_ags.api stands on Django REST framework and drf-spectacular, which are not both installed: "
        "pip install 'django-lti-ags[api]'."
    ) from None
