"""Django's settings for the benchmarks: PostgreSQL, in databases of their own that each run makes and drops.

``POSTGRES_URL`` names another server. Two aliases, so that a small and a large outbox are measured in turns.
"""

import os
from urllib.parse import unquote, urlsplit

from example_project.settings import MIDDLEWARE, TEMPLATES  # noqa: F401 - the admin as the example has it

_server = urlsplit(os.environ.get("POSTGRES_URL", "postgres://postgres@127.0.0.1:5432"))


def _database(suffix: str) -> dict[str, object]:
    """``NAME`` is only connected to in order to make the database that ``TEST`` names; a child process is told that one."""
    made = f"bench_{os.environ.get('BENCH_RUN', os.getpid())}_{suffix}"
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": made if "BENCH_RUN" in os.environ else "postgres",
        "USER": unquote(_server.username or ""),
        "PASSWORD": unquote(_server.password or ""),
        "HOST": _server.hostname or "",
        "PORT": str(_server.port or ""),
        "TEST": {"NAME": made},
    }


SECRET_KEY = "benchmarks-only-benchmarks-only-benchmarks-only"
DATABASES = {"default": _database("first"), "second": _database("second")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_lti_ags",
]
ROOT_URLCONF = "benchmarks.pages"
STATIC_URL = "static/"
ALLOWED_HOSTS = ["*"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
USE_TZ = True
LTI_AGS = {
    "ENCRYPTION_KEYS": ["uTgDcgVJ4Q4tKpEYBPWHGrEVVZEEaCyhAUBiXEQ0D4c="],
    "ALLOWED_PRIVATE_HOSTS": ["127.0.0.1"],
    "THREADS": 32,
    "THREADS_PER_SERVICE": int(os.environ.get("BENCH_IN_FLIGHT", "32")),
    "PROFILES": {"bench": "benchmarks.campus.Wide"},
}
