"""django-unfold renders every page: in a process of its own, since what an admin looks like is decided once."""

import subprocess
import sys
from pathlib import Path

import pytest

PAGES = Path(__file__).with_name("in_unfold.py")


@pytest.mark.browser
@pytest.mark.timeout(170)
def test_unfold_shows_every_page():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--ds=tests.unfold_settings", str(PAGES)]
    done = subprocess.run(command, cwd=PAGES.parents[3], capture_output=True, text=True, timeout=160)
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
