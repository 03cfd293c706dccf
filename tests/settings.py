"""The suite's settings: SQLite in a temporary directory, or the server that DATABASE_URL names."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from example_project.settings import TEMPLATES  # noqa: F401 - the admin as the example has it

ENGINES = {"postgres": "django.db.backends.postgresql", "postgresql": "django.db.backends.postgresql", "mysql": "django.db.backends.mysql"}


def _sqlite() -> dict[str, object]:
    directory = tempfile.mkdtemp(prefix="lti-ags-tests-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    name = str(Path(directory) / "tests.sqlite3")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "TEST": {"NAME": name},
    }


def _server(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in ENGINES:
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {parts.scheme!r}: the suite knows {' and '.join(ENGINES)}, or SQLite without it."
        )
    mysql = parts.scheme == "mysql"
    return {
        "ENGINE": ENGINES[parts.scheme],
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {"charset": "utf8mb4"} if mysql else {},
        "TEST": {"CHARSET": "utf8mb4"} if mysql else {},
    }


_default = _server(os.environ["DATABASE_URL"]) if os.environ.get("DATABASE_URL") else _sqlite()
# A process that a test starts works on the test's own database.
_default["NAME"] = os.environ.get("LTI_AGS_TEST_DATABASE_NAME", _default["NAME"])

SECRET_KEY = "tests-only-tests-only-tests-only-tests-only-tests-only"
DATABASES = {"default": _default}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # the package pins its own
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_lti_ags",
    "example_project.quiz",
    "tests.emptying",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "tests.policy.strict",
]
ROOT_URLCONF = "tests.urls"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "Asia/Kolkata"  # a zone that shows whoever forgets to say UTC
ALLOWED_HOSTS = ["*"]
LTI_AGS = {
    "ENCRYPTION_KEYS": ["uTgDcgVJ4Q4tKpEYBPWHGrEVVZEEaCyhAUBiXEQ0D4c="],
    "ALLOWED_PRIVATE_HOSTS": ["127.0.0.1", "localhost"],
}
