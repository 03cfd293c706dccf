"""The suite's settings with django-unfold in front of Django's admin."""

from tests.settings import *  # noqa: F403 - all of them

INSTALLED_APPS = ["unfold", *INSTALLED_APPS]  # noqa: F405 - from above
# Its pages bring scripts of their own and evaluate them: with unfold, a site's policy cannot be the strictest.
MIDDLEWARE = [name for name in MIDDLEWARE if name != "tests.policy.strict"]  # noqa: F405 - from above
