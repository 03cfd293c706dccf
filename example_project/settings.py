"""The example's settings: SQLite, no server to install. Not for production: the secrets stand here for all to read."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
DIRECTORY = Path(os.environ.get("DEMO_DIRECTORY", BASE_DIR / ".demo"))

SECRET_KEY = "example-only-example-only-example-only-example-only"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_lti_ags",
    "example_project.quiz",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "example_project.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DIRECTORY / "demo.sqlite3",
        "OPTIONS": {
            # A worker writes beside the web requests: begin every transaction as a writer, and let readers read on.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Cookies ignore ports, and the LMS is on the same host: its are called otherwise.
SESSION_COOKIE_NAME = "quiz_session"
CSRF_COOKIE_NAME = "quiz_csrf"
# Over HTTPS, for frames of another site, both would be SAMESITE = "None" and SECURE = True; plain HTTP can have neither.
STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django.server": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

LTI_AGS = {
    "ENCRYPTION_KEYS": ["ZXhhbXBsZS1vbmx5LWV4YW1wbGUtb25seS1leGFtcGw="],
    # The simulated LMS runs on this machine; a real one on the internet needs no entry.
    "ALLOWED_PRIVATE_HOSTS": ["127.0.0.1"],
    "POLL_SECONDS": 0.2,
}
