"""Sphinx's configuration."""

import os
import shutil
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

project = "django_lti_ags"
copyright = "2026, the django_lti_ags authors"  # noqa: A001 - Sphinx's name
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "django_lti_ags"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
nitpick_ignore_regex = [("py:.*", ".*")]  # types of Django and the standard library have no inventory here
exclude_patterns = ["_build"]


def copy_pictures(app, problem):
    """Sphinx leaves alone what HTML in a page names: ``<picture>``, which shows light or dark here and at a code host alike."""
    if problem is None and app.builder.format == "html":
        shutil.copytree(Path(app.srcdir, "images"), Path(app.outdir, "images"), dirs_exist_ok=True)


def setup(app):
    app.connect("build-finished", copy_pictures)
