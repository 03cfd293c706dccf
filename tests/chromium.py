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


LOOKS = {
    f"{scheme}-{size}": {"color_scheme": scheme, "viewport": viewport}
    for scheme in ("light", "dark")
    for size, viewport in {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 360, "height": 740}}.items()
}
"""How pages are looked at: options of a browser context."""
