"""What the servers' site is set to: the suite's own, on the test's database (``LTI_AGS_TEST_DATABASE_NAME``)."""

from tests.settings import *  # noqa: F403 - all of it

ROOT_URLCONF = "tests.api.urls"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
