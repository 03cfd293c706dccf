"""Grades on a database of their own: in a process of its own, since a suite's databases are decided once."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRIED = [
    "test_guide.py",
    "test_permissions.py::test_what_nothing_was_sent_for_may_be_deleted",
    "test_scoping.py::test_lists_and_pages",
    "test_scoping.py::test_actions",
    "test_scoping.py::test_what_happened_to_a_registration_is_shown_to_whom_it_is_shown",
    "test_editing.py::test_a_registration_is_added",
    "test_api_keys.py::test_a_new_key_is_shown_once_and_never_again",
    "test_webhooks.py::test_an_endpoint_is_added_and_its_secret_shown_once",
    "test_errors.py::TestRetrySince",
    "test_overview.py::TestWhatIsMissing",
]

HANDED_OVER = "tests/launch/test_handing_over.py::test_where_the_site_wraps_requests_in_transactions"


def test_the_admin_works_on_both():
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "LTI_AGS_TEST_DATABASE_NAME")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "tests.two_databases"]
    command += ["--ds=tests.two_databases", *(f"tests/admin/{name}" for name in TRIED), HANDED_OVER]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=160)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
