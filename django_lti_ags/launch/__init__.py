"""LTI 1.3 launches over pylti1p3: login, launch and key set views on our registrations.

::

    class Quiz(LaunchView):
        def launched(self, request, launch):
            line_item = launch.line_item()
            ...


    urlpatterns = [path("lti/", include(lti_urls(Quiz)))]

The extra ``[launch]`` installs PyLTI1p3, ``[launch-next]`` its continuation pylti1p3next; one of the two.
"""

from django.core.exceptions import ImproperlyConfigured

try:
    import pylti1p3  # noqa: F401 - only whether it is there
except ModuleNotFoundError:
    raise ImproperlyConfigured(
        "django_lti_ags.launch stands on pylti1p3, which is not installed: pip install 'django-lti-ags[launch]' "
        "(or 'django-lti-ags[launch-next]' for pylti1p3next)."
    ) from None

from django_lti_ags.launch.handing_over import HandOverView
from django_lti_ags.launch.verified import Launch
from django_lti_ags.launch.views import JwksView, LaunchView, LoginView, lti_urls

__all__ = ["HandOverView", "JwksView", "Launch", "LaunchView", "LoginView", "lti_urls"]
