"""The application's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LtiAgsConfig(AppConfig):
    """``INSTALLED_APPS += ["django_lti_ags"]`` is all it takes."""

    name = "django_lti_ags"
    label = "lti_ags"
    verbose_name = _("LTI grades")
    # Pinned, so that a project's own DEFAULT_AUTO_FIELD never makes a migration here.
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from django_lti_ags import checks  # noqa: F401, PLC0415 - importing registers them; only once the apps are there
