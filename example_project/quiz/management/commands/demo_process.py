"""One process of the demo; ``manage.py demo`` starts it, and it ends when that does."""

import os
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from django_lti_ags import keys
from django_lti_ags.models import Registration
from django_lti_ags.sync.worker import Worker
from example_project.demo.places import unusable
from example_project.demo.processes import end_with_parent, ready_mark
from example_project.lms.site import CLIENT_ID, LmsSite

_HOST = "127.0.0.1"


class Command(BaseCommand):
    """``manage.py demo_process``."""

    help = "A part of the demo; started by `manage.py demo`."
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which part."""
        parser.add_argument("role", choices=["setup", "lms", "tool", "worker"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Be it, until the parent is gone."""
        ports = {name: int(os.environ[f"DEMO_{name.upper()}_PORT"]) for name in ("tool", "lms")}
        {"setup": _set_up, "lms": _lms, "tool": _tool, "worker": _worker}[options["role"]](**ports)


def _set_up(tool: int, lms: int) -> None:
    end_with_parent(lambda: os._exit(1))  # nothing is worth finishing: the database goes with the demo
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_superuser("admin", "", "admin")
    platform = f"http://{_HOST}:{lms}"
    Registration.objects.create(
        name="Simulated LMS",
        issuer=platform,
        client_id=CLIENT_ID,
        auth_login_url=f"{platform}/oidc/auth",
        token_url=f"{platform}/token",
        jwks_url=f"{platform}/jwks",
        signing_key=keys.generate("demo"),
    )


def _lms(tool: int, lms: int) -> None:
    ended = threading.Event()
    with _taking("lms", lms):
        platform = LmsSite(lms, f"http://{_HOST}:{tool}").platform.start()
    end_with_parent(ended.set)
    ended.wait()
    platform.stop()


def _tool(tool: int, lms: int) -> None:
    with _taking("tool", tool):
        server = ThreadedWSGIServer((_HOST, tool), WSGIRequestHandler)
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    end_with_parent(server.shutdown)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


@contextmanager
def _taking(role: str, port: int) -> Iterator[None]:
    """Take a port, and tell the parent: it was free a moment ago, but somebody may have been faster."""
    try:
        yield
    except OSError as problem:
        raise CommandError(unusable(port, f"--{role}-port", problem)) from None
    ready_mark(Path(os.environ["DEMO_DIRECTORY"]), role).touch()


def _worker(tool: int, lms: int) -> None:
    worker = Worker()
    end_with_parent(worker.stop)
    worker.run()
