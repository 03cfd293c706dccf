"""Debian's or anybody's Chromium, as the tests that need one start it."""

import os
import shutil

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
]


def binary() -> str:
    """Where it is; without one the tests fail, they are not skipped."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "No Chromium: install your distribution's, or name one in CHROMIUM."
    return found
